/* SPDX-License-Identifier: MIT */
/* Mempools: what a reserve promises, whatever the pool's own allocation or the OS does. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabuddy/mempool.h>

#include "../testing.h"
#include "base/check.h"
#include "fault/faulty_os.h"

#define NR_ELEMENTS 64

/* For several threads and children: check's own assertions take a lock. */
#define REQUIRE(cond) ((cond) ? (void)0 : fatal("not so: %s (line %d)", #cond, __LINE__))

/* Elements of a source that a test can let run dry. */
struct element {
	unsigned int owners; /* [atomic] */
	unsigned int out;    /* [atomic] the source has handed it out */
};

static struct element elements[NR_ELEMENTS];
static int supply;	     /* [atomic] how many more the source gives */
static unsigned int nr_out;  /* [atomic] that it has given */
static int nr_timeouts;	     /* [atomic] calls that a waiter makes when nobody has woken it */
static mempool_t *look_into; /* a pool that the source uses meanwhile */

static void *source_alloc(gfp_t gfp, void *data)
{
	REQUIRE(data == elements);
	REQUIRE(!(gfp & __GFP_ZERO));
	if (gfp & __GFP_DIRECT_RECLAIM)
		__atomic_add_fetch(&nr_timeouts, 1, __ATOMIC_RELAXED);
	if (look_into)
		mempool_free(mempool_alloc_preallocated(look_into), look_into);
	if (__atomic_sub_fetch(&supply, 1, __ATOMIC_RELAXED) < 0) {
		__atomic_add_fetch(&supply, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	for (size_t i = 0; i < NR_ELEMENTS; i++) {
		if (!__atomic_exchange_n(&elements[i].out, 1, __ATOMIC_RELAXED)) {
			__atomic_add_fetch(&nr_out, 1, __ATOMIC_RELAXED);
			return &elements[i];
		}
	}
	return NULL;
}

static void source_free(void *element, void *data)
{
	struct element *e = element;

	REQUIRE(data == elements);
	REQUIRE(!READ_ONCE(e->owners));
	REQUIRE(__atomic_exchange_n(&e->out, 0, __ATOMIC_RELAXED));
	__atomic_sub_fetch(&nr_out, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&supply, 1, __ATOMIC_RELAXED);
}

static void set_supply(int nr)
{
	WRITE_ONCE(supply, nr);
}

static mempool_t *source_pool(int min_nr)
{
	mempool_t *pool;

	set_supply(NR_ELEMENTS);
	pool = mempool_create(min_nr, source_alloc, source_free, elements);
	ck_assert_ptr_nonnull(pool);
	ck_assert_int_eq(mempool_curr_nr(pool), min_nr);
	ck_assert_int_eq(mempool_min_nr(pool), min_nr);
	ck_assert(mempool_is_saturated(pool));
	return pool;
}

static void end(mempool_t *pool)
{
	stderr_capture();
	mempool_destroy(pool);
	ck_assert_str_eq(stderr_captured(), "");
	ck_assert_uint_eq(nr_out, 0);
	assert_heap_sound();
}

static void own(void *element)
{
	REQUIRE(element);
	REQUIRE(!__atomic_exchange_n(&((struct element *)element)->owners, 1, __ATOMIC_ACQUIRE));
}

static void disown(void *element)
{
	REQUIRE(__atomic_exchange_n(&((struct element *)element)->owners, 0, __ATOMIC_RELEASE));
}

START_TEST(the_source_comes_first)
{
	mempool_t *pool = source_pool(3);
	void *e = mempool_alloc(pool, GFP_NOWAIT);

	own(e);
	ck_assert_int_eq(mempool_curr_nr(pool), 3);
	ck_assert_uint_eq(nr_out, 4);
	disown(e);
	mempool_free(e, pool);
	/* the reserve is full, so it went back to the source */
	ck_assert_uint_eq(nr_out, 3);
	end(pool);
}
END_TEST

START_TEST(then_the_reserve)
{
	mempool_t *pool = source_pool(3);
	void *e[4];

	set_supply(0);
	for (int i = 0; i < 3; i++) {
		e[i] = mempool_alloc(pool, GFP_NOWAIT);
		own(e[i]);
		ck_assert_int_eq(mempool_curr_nr(pool), 2 - i);
		ck_assert(!mempool_is_saturated(pool));
	}
	ck_assert_ptr_null(mempool_alloc(pool, GFP_NOWAIT));
	ck_assert_ptr_null(mempool_alloc(pool, GFP_ATOMIC));
	ck_assert_ptr_null(mempool_alloc_preallocated(pool));
	/* what is freed refills the reserve before anything goes back to the source */
	set_supply(1);
	e[3] = mempool_alloc(pool, GFP_NOWAIT);
	own(e[3]);
	for (int i = 0; i < 3; i++) {
		disown(e[i]);
		mempool_free(e[i], pool);
		ck_assert_int_eq(mempool_curr_nr(pool), i + 1);
		ck_assert_uint_eq(nr_out, 4);
	}
	disown(e[3]);
	mempool_free(e[3], pool);
	ck_assert_uint_eq(nr_out, 3);
	end(pool);
}
END_TEST

START_TEST(preallocated)
{
	mempool_t *pool = source_pool(2);
	void *e[2];

	for (int i = 0; i < 2; i++) {
		e[i] = mempool_alloc_preallocated(pool);
		own(e[i]);
	}
	ck_assert_uint_eq(nr_out, 2);
	ck_assert_ptr_null(mempool_alloc_preallocated(pool));
	for (int i = 0; i < 2; i++) {
		disown(e[i]);
		mempool_free(e[i], pool);
	}
	end(pool);
}
END_TEST

START_TEST(creation_that_fails_takes_nothing)
{
	set_supply(2);
	ck_assert_ptr_null(mempool_create(4, source_alloc, source_free, elements));
	ck_assert_uint_eq(nr_out, 0);
	ck_assert_int_eq(supply, 2);
	ck_assert_ptr_nonnull(mempool_create_node(2, source_alloc, source_free, elements,
						  GFP_NOWAIT, NUMA_NO_NODE));
}
END_TEST

START_TEST(the_source_runs_without_a_lock)
{
	mempool_t *pool = source_pool(2);
	void *e;

	look_into = pool;
	e = mempool_alloc(pool, GFP_KERNEL);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(mempool_resize(pool, 5), 0);
	mempool_free(e, pool);
	look_into = NULL;
	end(pool);
}
END_TEST

static void *alloc_one(void *pool)
{
	return mempool_alloc(pool, GFP_KERNEL);
}

START_TEST(a_waiter_gets_what_is_freed)
{
	mempool_t *pool = source_pool(1);
	void *e, *got;
	pthread_t thread;

	set_supply(0);
	e = mempool_alloc(pool, GFP_KERNEL);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, alloc_one, pool), 0);
		/* mostly it is asleep by then, sometimes not */
		usleep(i % 2 ? 2000 : 0);
		mempool_free(e, pool);
		pthread_join(thread, &got);
		ck_assert_ptr_eq(got, e);
	}
	/* one at the creation, and one before each sleep; the others would be sleeps to the end */
	ck_assert_int_lt(nr_timeouts, 1 + 20 + 10);
	mempool_free(e, pool);
	end(pool);
}
END_TEST

/* Memory comes back in another way than through the pool, and nobody says so. */
START_TEST(a_waiter_looks_again_by_itself)
{
	mempool_t *pool = source_pool(1);
	void *e, *got;
	pthread_t thread;

	set_supply(0);
	e = mempool_alloc(pool, GFP_KERNEL);
	ck_assert_int_eq(pthread_create(&thread, NULL, alloc_one, pool), 0);
	usleep(10000);
	set_supply(1);
	pthread_join(thread, &got);
	ck_assert_ptr_nonnull(got);
	ck_assert_ptr_ne(got, e);
	mempool_free(e, pool);
	mempool_free(got, pool);
	end(pool);
}
END_TEST

#define ROUNDS 2000

static void *work_single(void *pool)
{
	for (int i = 0; i < ROUNDS; i++) {
		void *e = mempool_alloc(pool, GFP_KERNEL);

		own(e);
		disown(e);
		mempool_free(e, pool);
	}
	return NULL;
}

static void *work_bulk(void *pool)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned int nr = 2 + i % 3;
		void *e[4];

		REQUIRE(!mempool_alloc_bulk(pool, GFP_KERNEL, nr, e));
		for (unsigned int k = 0; k < nr; k++)
			own(e[k]);
		for (unsigned int k = 0; k < nr; k++)
			disown(e[k]);
		mempool_free_bulk(pool, nr, e);
	}
	return NULL;
}

static void run_threads(mempool_t *pool, void *(*const work[])(void *pool), size_t nr)
{
	pthread_t threads[8];

	for (size_t i = 0; i < nr; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work[i], pool), 0);
	for (size_t i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
}

/* More threads than elements, and a source that has a few more, or none. */
START_TEST(every_element_has_one_owner)
{
	static void *(*const work[])(void *pool) = { work_single, work_single, work_single,
						     work_bulk, work_bulk, work_bulk };
	mempool_t *pool = source_pool(4);

	set_supply(_i);
	run_threads(pool, work, ARRAY_SIZE(work));
	ck_assert_int_eq(mempool_curr_nr(pool), 4);
	ck_assert_uint_eq(nr_out, 4);
	end(pool);
}
END_TEST

/* Each wants all of the reserve; what one of them holds while it waits the other would lack for ever. */
START_TEST(bulk_waiters_do_not_hold_halves)
{
	static void *(*const work[])(void *pool) = { work_bulk, work_bulk, work_bulk, work_bulk };
	mempool_t *pool = source_pool(4);

	set_supply(3);
	run_threads(pool, work, ARRAY_SIZE(work));
	end(pool);
}
END_TEST

START_TEST(bulk_is_all_or_none)
{
	mempool_t *pool = source_pool(4);
	void *e[8];

	set_supply(2);
	ck_assert_int_eq(mempool_alloc_bulk(pool, GFP_NOWAIT, 7, e), -ENOMEM);
	ck_assert_int_eq(mempool_curr_nr(pool), 4);
	ck_assert_uint_eq(nr_out, 4);
	ck_assert_int_eq(mempool_alloc_bulk(pool, GFP_NOWAIT, 6, e), 0);
	ck_assert_int_eq(mempool_curr_nr(pool), 0);
	for (int i = 0; i < 6; i++)
		own(e[i]);
	ck_assert_int_eq(mempool_alloc_bulk(pool, GFP_NOWAIT, 1, e + 6), -ENOMEM);
	ck_assert_int_eq(mempool_alloc_bulk(pool, GFP_NOWAIT, 0, NULL), 0);
	ck_assert_int_eq(mempool_alloc_bulk(pool, GFP_KERNEL, 0, NULL), 0);
	for (int i = 0; i < 6; i++)
		disown(e[i]);
	mempool_free_bulk(pool, 6, e);
	mempool_free_bulk(pool, 0, NULL);
	end(pool);
}
END_TEST

START_TEST(a_bulk_beyond_the_reserve_is_told)
{
	mempool_t *pool = source_pool(2);
	void *e[3];

	stderr_capture();
	ck_assert_int_eq(mempool_alloc_bulk(pool, GFP_KERNEL, 3, e), 0);
	ck_assert_str_eq(stderr_captured(), "slabuddy: mempool_alloc_bulk(): 3 elements, more than "
					    "the reserve of 2\n");
	mempool_free_bulk(pool, 3, e);
	end(pool);
}
END_TEST

START_TEST(resize_up_and_down)
{
	mempool_t *pool = source_pool(2);
	void *e[10];

	ck_assert_int_eq(mempool_resize(pool, 10), 0);
	ck_assert_int_eq(mempool_min_nr(pool), 10);
	ck_assert_int_eq(mempool_curr_nr(pool), 10);
	ck_assert_uint_eq(nr_out, 10);
	for (int i = 0; i < 10; i++) {
		e[i] = mempool_alloc_preallocated(pool);
		own(e[i]);
	}
	/* what is out counts: it comes back */
	ck_assert_int_eq(mempool_resize(pool, 4), 0);
	ck_assert_int_eq(mempool_curr_nr(pool), 0);
	ck_assert_int_eq(mempool_resize(pool, 12), 0);
	ck_assert_int_eq(mempool_curr_nr(pool), 8);
	for (int i = 0; i < 10; i++) {
		disown(e[i]);
		mempool_free(e[i], pool);
	}
	ck_assert_int_eq(mempool_curr_nr(pool), 12);
	ck_assert_uint_eq(nr_out, 12);
	ck_assert_int_eq(mempool_resize(pool, 1), 0);
	ck_assert_int_eq(mempool_curr_nr(pool), 1);
	ck_assert_uint_eq(nr_out, 1);
	end(pool);
}
END_TEST

START_TEST(resize_without_memory)
{
	mempool_t *pool = source_pool(2);
	void *e[8];

	set_supply(1);
	ck_assert_int_eq(mempool_resize(pool, 6), 0);
	ck_assert_int_eq(mempool_min_nr(pool), 6);
	ck_assert_int_eq(mempool_curr_nr(pool), 3);
	ck_assert(!mempool_is_saturated(pool));
	/* filled up with what is freed */
	set_supply(4);
	for (int i = 0; i < 4; i++)
		e[i] = mempool_alloc(pool, GFP_NOWAIT);
	mempool_free_bulk(pool, 2, e);
	ck_assert_int_eq(mempool_curr_nr(pool), 5);
	mempool_free_bulk(pool, 2, e + 2);
	ck_assert_int_eq(mempool_curr_nr(pool), 6);
	ck_assert_uint_eq(nr_out, 6);
	end(pool);
}
END_TEST

/* Whatever a resize could not get is not missing at the end. */
START_TEST(resize_without_memory_and_the_end)
{
	mempool_t *pool = source_pool(2);
	void *e;

	set_supply(0);
	ck_assert_int_eq(mempool_resize(pool, 6), 0);
	e = mempool_alloc(pool, GFP_NOWAIT);
	ck_assert_int_eq(mempool_curr_nr(pool), 1);
	mempool_free(e, pool);
	end(pool);
}
END_TEST

static bool stop;

static void *resize_again_and_again(void *pool)
{
	for (int i = 0; !READ_ONCE(stop); i++)
		REQUIRE(!mempool_resize(pool, 1 + i * 7 % 10));
	return NULL;
}

START_TEST(resize_meanwhile)
{
	static void *(*const work[])(void *pool) = { work_single, work_single };
	mempool_t *pool = source_pool(4);
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, resize_again_and_again, pool);
	run_threads(pool, work, ARRAY_SIZE(work));
	WRITE_ONCE(stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_le(mempool_curr_nr(pool), mempool_min_nr(pool));
	ck_assert_int_eq((int)nr_out, mempool_curr_nr(pool));
	ck_assert_int_eq(mempool_resize(pool, 3), 0);
	end(pool);
}
END_TEST

START_TEST(destroy_tells_what_is_missing)
{
	mempool_t *pool = source_pool(4);
	char line[200];

	mempool_alloc_preallocated(pool);
	snprintf(line, sizeof(line),
		 "slabuddy: mempool_destroy(%p): 1 of 4 elements of the reserve did not come back\n",
		 (void *)pool);
	stderr_capture();
	mempool_destroy(pool);
	ck_assert_str_eq(stderr_captured(), line);
	ck_assert_uint_eq(nr_out, 1);
	mempool_destroy(NULL);
}
END_TEST

START_TEST(bad_input)
{
	mempool_t *pool = source_pool(1);

	ck_assert_ptr_null(mempool_create(0, source_alloc, source_free, elements));
	ck_assert_ptr_null(mempool_create(-1, source_alloc, source_free, elements));
	ck_assert_ptr_null(mempool_create(1, NULL, source_free, elements));
	ck_assert_ptr_null(mempool_create(1, source_alloc, NULL, elements));
	ck_assert_int_eq(mempool_resize(pool, 0), -EINVAL);
	ck_assert_int_eq(mempool_resize(pool, -5), -EINVAL);
	ck_assert_int_eq(mempool_resize(NULL, 5), -EINVAL);
	ck_assert_int_eq(mempool_curr_nr(NULL), 0);
	ck_assert_int_eq(mempool_min_nr(NULL), 0);
	ck_assert(mempool_is_saturated(NULL));
	mempool_free(NULL, pool);
	stderr_capture();
	ck_assert_ptr_null(mempool_alloc(NULL, GFP_KERNEL));
	ck_assert_ptr_null(mempool_alloc_preallocated(NULL));
	mempool_free(pool, NULL);
	ck_assert_str_eq(stderr_captured(), "slabuddy: a mempool function with the pool NULL\n");
	end(pool);
}
END_TEST

START_TEST(zero_is_not_for_pools)
{
	mempool_t *pool = source_pool(1);

	stderr_capture();
	/* the source fails the test when it gets the flag */
	mempool_free(mempool_alloc(pool, GFP_KERNEL | __GFP_ZERO), pool);
	mempool_free(mempool_alloc(pool, GFP_KERNEL | __GFP_ZERO), pool);
	ck_assert_str_eq(stderr_captured(),
			 "slabuddy: __GFP_ZERO is not for mempools: a reserve holds anything\n");
	end(pool);
}
END_TEST

static void refuse_everything(void)
{
	faulty_os_fail(1, (unsigned long)-1 / 2);
}

#define MANY 300
#define ENOUGH 2000000

/* All that the pool gives while the OS gives nothing, each of it written to; then back with it. */
static void drain_and_return(mempool_t *pool, size_t bytes, bool is_page)
{
	void **got = kvmalloc(ENOUGH * sizeof(void *), GFP_KERNEL);
	size_t nr = 0;

	refuse_everything();
	while (nr < ENOUGH && (got[nr] = mempool_alloc(pool, GFP_NOWAIT))) {
		memset(is_page ? page_address(got[nr]) : got[nr], (int)nr, bytes);
		nr++;
	}
	ck_assert_uint_lt(nr, ENOUGH);
	ck_assert_uint_ge(nr, MANY);
	ck_assert_int_eq(mempool_curr_nr(pool), 0);
	/* it goes on for as long as somebody frees */
	for (int i = 0; i < 1000; i++) {
		mempool_free(got[nr - 1], pool);
		got[nr - 1] = mempool_alloc(pool, GFP_KERNEL);
	}
	while (nr)
		mempool_free(got[--nr], pool);
	ck_assert_int_eq(mempool_curr_nr(pool), MANY);
	faulty_os_work();
	kvfree(got);
	end(pool);
}

START_TEST(slab_pool)
{
	struct kmem_cache *cache = kmem_cache_create("pooled", 5000, NULL, SLAB_NO_MERGE);

	drain_and_return(mempool_create_slab_pool(MANY, cache), 5000, false);
	stderr_capture();
	kmem_cache_destroy(cache);
	ck_assert_str_eq(stderr_captured(), "");
}
END_TEST

START_TEST(kmalloc_pool)
{
	static const size_t sizes[] = { 100, 9000, 50000 };

	drain_and_return(mempool_create_kmalloc_pool(MANY, sizes[_i]), sizes[_i], false);
}
END_TEST

START_TEST(page_pool)
{
	drain_and_return(mempool_create_page_pool(MANY, _i), PAGE_SIZE << _i, true);
}
END_TEST

START_TEST(page_pool_of_no_order)
{
	stderr_capture();
	ck_assert_ptr_null(mempool_create_page_pool(1, -1));
	ck_assert_ptr_null(mempool_create_page_pool(1, MAX_PAGE_ORDER + 1));
	ck_assert_uint_eq(count_char(stderr_captured(), '\n'), 1);
}
END_TEST

START_TEST(no_memory_for_a_pool)
{
	refuse_everything();
	ck_assert_ptr_null(mempool_create_kmalloc_pool(1000000, 4000));
	faulty_os_work();
	assert_heap_sound();
}
END_TEST

static void *use_until_stopped(void *pool)
{
	while (!READ_ONCE(stop))
		work_single(pool);
	return NULL;
}

/* In the child nobody is asleep, no lock is held, and what is in the reserve is there. */
static _Noreturn void be_child(mempool_t *pool)
{
	int nr = mempool_curr_nr(pool);
	void *e[2];
	int i;

	alarm(100); /* a safety net */
	for (i = 0; i < nr; i++) {
		e[i] = mempool_alloc_preallocated(pool);
		if (!e[i])
			_exit(1);
	}
	if (mempool_alloc_preallocated(pool))
		_exit(2);
	while (i--)
		mempool_free(e[i], pool);
	if (mempool_curr_nr(pool) != nr || mempool_resize(pool, 5))
		_exit(3);
	_exit(0);
}

START_TEST(a_child_of_fork_goes_on)
{
	mempool_t *pool = source_pool(2);
	pthread_t threads[3];
	int status;

	set_supply(0);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, use_until_stopped, pool);
	for (int i = 0; i < 200; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (!pid)
			be_child(pool);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(!status, "fork %d: status %#x", i, (unsigned int)status);
	}
	WRITE_ONCE(stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	end(pool);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("mempool");

	tcase_add_test(tc, the_source_comes_first);
	tcase_add_test(tc, then_the_reserve);
	tcase_add_test(tc, preallocated);
	tcase_add_test(tc, creation_that_fails_takes_nothing);
	tcase_add_test(tc, the_source_runs_without_a_lock);
	tcase_add_test(tc, a_waiter_gets_what_is_freed);
	tcase_add_test(tc, a_waiter_looks_again_by_itself);
	tcase_add_loop_test(tc, every_element_has_one_owner, 0, 4);
	tcase_add_test(tc, bulk_waiters_do_not_hold_halves);
	tcase_add_test(tc, bulk_is_all_or_none);
	tcase_add_test(tc, a_bulk_beyond_the_reserve_is_told);
	tcase_add_test(tc, resize_up_and_down);
	tcase_add_test(tc, resize_without_memory);
	tcase_add_test(tc, resize_without_memory_and_the_end);
	tcase_add_test(tc, resize_meanwhile);
	tcase_add_test(tc, destroy_tells_what_is_missing);
	tcase_add_test(tc, bad_input);
	tcase_add_test(tc, zero_is_not_for_pools);
	tcase_add_test(tc, slab_pool);
	tcase_add_loop_test(tc, kmalloc_pool, 0, 3);
	tcase_add_loop_test(tc, page_pool, 0, 3);
	tcase_add_test(tc, page_pool_of_no_order);
	tcase_add_test(tc, no_memory_for_a_pool);
	tcase_add_test(tc, a_child_of_fork_goes_on);
	return test_run(tc);
}
