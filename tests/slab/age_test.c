/* SPDX-License-Identifier: MIT */
/* What nobody uses in slots, barns and slabs goes back after so many looks. */
#include "slab/age.h"

#include <pthread.h>
#include <stdio.h>

#include <slabuddy/slab.h>

#include "../testing.h"
#include "base/option.h"
#include "malloc/heap.h"
#include "slab/boot.h"
#include "slab/alloc.h"
#include "slab/geometry.h"
#include "slab/percpu.h"
#include "slab/rcu.h"
#include "slab/slot.h"

bool __real_os_rseq_fence(void);
bool __wrap_os_rseq_fence(void);

static bool refuses; /* the kernel, to have sequences begin anew */

bool __wrap_os_rseq_fence(void)
{
	return !refuses && __real_os_rseq_fence();
}

enum { LOOKS = 4, NR_OBJECTS = 3000, SIZE = 200 };

static void setup(void)
{
	slab_boot();
}

/* As the thread that looks has it, and the program's threads do not. */
static bool look(void)
{
	struct slot *mine = this_slot;
	bool left;

	this_slot = slot_alien;
	left = slab_age(LOOKS);
	this_slot = mine;
	assert_heap_sound();
	return left;
}

static void *use_and_free(void *unused)
{
	void *objects[NR_OBJECTS];

	(void)unused;
	for (int i = 0; i < NR_OBJECTS; i++)
		objects[i] = heap_malloc(SIZE);
	for (int i = 0; i < NR_OBJECTS; i++)
		heap_free(objects[i]);
	return NULL;
}

static void run_thread(void *(*body)(void *arg))
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, body, NULL), 0);
	pthread_join(thread, NULL);
}

static struct kmem_cache *cache_in_use(void)
{
	return size_class_cache(size_to_tag(SIZE));
}

/* By a peek: to ask in the usual way takes locks, which looks like use. */
static unsigned long count_slabs(void)
{
	return READ_ONCE(cache_in_use()->node0.nr_slabs);
}

static unsigned long count_in_barn(void)
{
	return READ_ONCE(cache_in_use()->node0.barn.nr_objects);
}

static unsigned long count_in(struct slot *slot)
{
	return READ_ONCE(slot_cache_of(slot, cache_in_use())->count);
}

static unsigned long count_in_slots(void)
{
	unsigned long nr = 0;

	for (struct slot *slot = slot_first(); slot; slot = slot->next)
		nr += count_in(slot);
	return nr;
}

static void use_in_thread(enum option_percpu percpu)
{
	options.percpu = percpu;
	run_thread(use_and_free);
	ck_assert_uint_gt(count_slabs(), 0);
	ck_assert_uint_gt(count_in_slots(), 0);
}

/* The first look finds that something was done; the last one is LOOKS later. */
static void expect_drained(void)
{
	for (int i = 0; i < LOOKS; i++) {
		ck_assert(look());
		ck_assert_uint_gt(count_in_slots(), 0);
	}
	look();
	ck_assert_uint_eq(count_in_slots(), 0);
	ck_assert_uint_eq(count_in_barn(), 0);
	/* what came out of the slots makes the cache look busy: again as many */
	for (int i = 0; i < LOOKS; i++) {
		ck_assert_uint_gt(count_slabs(), 0);
		ck_assert(look());
	}
	look();
	ck_assert_uint_eq(count_slabs(), 0);
	/* and then there is nothing to look for */
	ck_assert(!look());
	ck_assert(!look());
}

/* The slot of a thread that is gone, and what it left in barns and slabs. */
START_TEST(a_slot_that_nobody_owns)
{
	use_in_thread(PERCPU_OFF);
	expect_drained();
}
END_TEST

/* Where there are no such slots (sanitizers), the threads have their own. */
START_TEST(a_processors_slot)
{
	use_in_thread(PERCPU_ON);
	expect_drained();
}
END_TEST

/* A filter of system calls may come at any time: what cannot be drained then is no reason to look on. */
START_TEST(processors_that_do_not_stop)
{
	unsigned long before;

	if (!percpu_is_there()) {
		puts("skipped: processors_that_do_not_stop: there are no such slots");
		return;
	}
	refuses = true;
	use_in_thread(PERCPU_ON);
	before = count_in_slots();
	for (int i = 0; i < 4 * LOOKS; i++)
		look();
	ck_assert_uint_eq(count_in_slots(), before);
	ck_assert_uint_eq(count_in_barn(), 0);
	ck_assert(!look());
	/* the next use is, of one of them, and the kernel may be asked again */
	refuses = false;
	use_in_thread(PERCPU_ON);
	before = count_in_slots();
	ck_assert(look());
	for (int i = 0; i < LOOKS; i++)
		look();
	ck_assert_uint_lt(count_in_slots(), before);
}
END_TEST

/* One look that finds something done, and it begins anew. */
START_TEST(use_puts_it_off)
{
	use_in_thread(PERCPU_OFF);
	for (int i = 0; i < 3 * LOOKS; i++) {
		ck_assert(look());
		if (i % LOOKS == LOOKS - 1)
			run_thread(use_and_free);
	}
	ck_assert_uint_gt(count_slabs(), 0);
	ck_assert_uint_gt(count_in_slots(), 0);
}
END_TEST

/* All at once; then there is nothing left, however often memory is short. */
START_TEST(at_once)
{
	struct slot *mine = this_slot;
	bool left = true;

	use_in_thread(PERCPU_OFF);
	use_in_thread(PERCPU_ON);
	for (int i = 0; i < 2 * LOOKS; i++) {
		this_slot = slot_alien;
		slab_drain_idle();
		this_slot = mine;
		ck_assert_uint_eq(count_in_slots(), 0);
		ck_assert_uint_eq(count_in_barn(), 0);
		ck_assert_uint_eq(count_slabs(), 0);
		left = look();
	}
	ck_assert(!left);
	/* what was used since goes again */
	use_in_thread(PERCPU_OFF);
	this_slot = slot_alien;
	slab_drain_idle();
	this_slot = mine;
	ck_assert_uint_eq(count_in_slots(), 0);
	ck_assert_uint_eq(count_slabs(), 0);
}
END_TEST

static struct kmem_cache rcu_cache;
static unsigned int nr_deferred;

/* liburcu, which knows no thread but libc's. */
static void defer(void *head, void (*fn)(void *head))
{
	ck_assert_ptr_ne(this_slot, slot_alien);
	nr_deferred++;
	fn(head);
}

static void no_barrier(void)
{
}

static void *use_rcu_cache(void *unused)
{
	void *objects[NR_OBJECTS];

	(void)unused;
	for (int i = 0; i < NR_OBJECTS; i++)
		objects[i] = cache_alloc_slow(&rcu_cache);
	for (int i = 0; i < NR_OBJECTS; i++)
		cache_free_slow(&rcu_cache, objects[i]);
	return NULL;
}

/* Slabs that wait for readers stay: the thread that looks must not ask liburcu. */
START_TEST(slabs_under_rcu)
{
	const struct cache_params params = { .name = "rcu",
					     .size = SIZE,
					     .max_order = SLAB_MAX_ORDER,
					     .flags = SLAB_TYPESAFE_BY_RCU };
	unsigned int before;

	options.percpu = PERCPU_OFF;
	slab_set_rcu(defer, no_barrier);
	ck_assert_int_eq(cache_setup(&rcu_cache, &params), 0);
	run_thread(use_rcu_cache);
	before = nr_deferred;
	ck_assert_uint_gt(slot_count_objects(&rcu_cache), 0);
	for (int i = 0; i < 3 * LOOKS; i++)
		look();
	ck_assert_uint_eq(slot_count_objects(&rcu_cache), 0);
	ck_assert_uint_gt(rcu_cache.node0.nr_slabs, 0);
	ck_assert_uint_eq(nr_deferred, before);
	cache_shrink(&rcu_cache);
	ck_assert_uint_gt(nr_deferred, before);
	ck_assert_uint_eq(rcu_cache.node0.nr_slabs, 0);
}
END_TEST

static pthread_barrier_t barrier;
static struct slot *owned[2];

static void *own_and_wait(void *slot)
{
	use_and_free(NULL);
	*(struct slot **)slot = this_slot;
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void start_owners(pthread_t *threads, unsigned int nr)
{
	options.percpu = PERCPU_OFF;
	pthread_barrier_init(&barrier, NULL, nr + 1);
	for (unsigned int i = 0; i < nr; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, own_and_wait, &owned[i]), 0);
	pthread_barrier_wait(&barrier);
}

static void end_owners(pthread_t *threads, unsigned int nr)
{
	pthread_barrier_wait(&barrier);
	for (unsigned int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
}

/* A thread that lives may use its slot at any moment: nobody else touches it. */
START_TEST(a_slot_that_is_owned)
{
	unsigned long before;
	pthread_t thread;

	start_owners(&thread, 1);
	before = count_in(owned[0]);
	ck_assert_uint_gt(before, 0);
	for (int i = 0; i < 3 * LOOKS; i++)
		look();
	ck_assert_uint_eq(count_in(owned[0]), before);
	/* and is no reason to look on */
	ck_assert(!look());
	end_owners(&thread, 1);
	ck_assert(look());
}
END_TEST

/* The thread that comes next gets a slot that is warm before one that was drained. */
START_TEST(a_drained_slot_comes_last)
{
	pthread_t threads[2];
	struct slot *top, *other;

	start_owners(threads, 2);
	ck_assert(slot_is_real(owned[0]) && slot_is_real(owned[1]));
	end_owners(threads, 2);
	other = owned[0];
	top = owned[1];
	/* the one on top of the stack is used all the time */
	start_owners(threads, 1);
	if (owned[0] == other)
		other = top;
	top = owned[0];
	end_owners(threads, 1);
	ck_assert_uint_gt(count_in(other), 0);
	for (int i = 0; i <= LOOKS; i++) {
		look();
		start_owners(threads, 1);
		ck_assert_ptr_eq(owned[0], top);
		end_owners(threads, 1);
	}
	ck_assert_uint_eq(count_in(other), 0);
	ck_assert_uint_gt(count_in(top), 0);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("slab/age");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_slot_that_nobody_owns);
	tcase_add_test(tc, a_processors_slot);
	tcase_add_test(tc, processors_that_do_not_stop);
	tcase_add_test(tc, use_puts_it_off);
	tcase_add_test(tc, at_once);
	tcase_add_test(tc, slabs_under_rcu);
	tcase_add_test(tc, a_slot_that_is_owned);
	tcase_add_test(tc, a_drained_slot_comes_last);
	return test_run(tc);
}
