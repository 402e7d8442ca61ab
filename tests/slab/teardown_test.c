/* SPDX-License-Identifier: MIT */
/* A cache that ends while slots have sheaves of it, and what comes after it under its tag. */
#include <errno.h>
#include <pthread.h>

#include "../own_slot.h"
#include "../testing.h"
#include "slab/alloc.h"
#include "slab/boot.h"
#include "slab/fast.h"
#include "slab/geometry.h"
#include "slab/slab.h"

static struct kmem_cache cache, next;

static void setup(void)
{
	slab_boot();
}

static void make(struct kmem_cache *c, size_t size, unsigned int tag)
{
	take_own_slot();
	ck_assert_int_eq(cache_setup(c, &(struct cache_params){ .name = "test",
								.size = size,
								.max_order = SLAB_MAX_ORDER,
								.tag = tag }),
			 0);
}

static void *take(struct kmem_cache *c)
{
	void *object;

	return named_pop(this_slot, c, &object) ? object : cache_alloc_slow(c);
}

static void give(struct kmem_cache *c, void *object)
{
	if (!named_push(this_slot, c, object))
		cache_free_slow(c, object);
}

#define NR_OBJECTS 200

/* A complaint, or NULL: also for threads, where no check may fail. */
static const char *use(struct kmem_cache *c)
{
	static _Thread_local void *objects[NR_OBJECTS];

	/* one first: with more, sheaves grow, and new ones hide what was wrong with the old */
	give(c, take(c));
	for (size_t i = 0; i < NR_OBJECTS; i++) {
		objects[i] = take(c);
		if (!objects[i] || !slab_of(c, objects[i]) || !slab_is_object(c, objects[i]))
			return "no object of the cache";
		fill_bytes(objects[i], c->object_size, i);
	}
	for (size_t i = 0; i < NR_OBJECTS; i++) {
		if (!filled_with(objects[i], c->object_size, i))
			return "an object was overwritten";
		give(c, objects[i]);
	}
	return NULL;
}

static void assert_usable(struct kmem_cache *c)
{
	const char *complaint = use(c);

	ck_assert_msg(!complaint, "%s", complaint);
	assert_heap_sound();
}

/* What only lies in this thread's sheaves is no object left. */
START_TEST(own_objects)
{
	make(&cache, 96, 0);
	assert_usable(&cache);
	ck_assert_uint_gt(slot_cache_of(this_slot, &cache)->count, 0);
	ck_assert_int_eq(cache_teardown(&cache), 0);
	ck_assert_uint_eq(slot_cache_of(this_slot, &cache)->capacity, 0);
	assert_heap_sound();
}
END_TEST

/*
 * An empty sheaf holds no object back, but it knows the size of those it is for. How often it was
 * filled before decides when it will be replaced.
 */
START_TEST(own_empty_sheaf)
{
	void *objects[64];
	unsigned int nr = 0;

	make(&cache, 32768, 0);
	do
		objects[nr++] = take(&cache);
	while (slot_cache_of(this_slot, &cache)->count || nr <= (unsigned int)_i);
	slab_flush(&cache, objects, nr, NULL, 0);
	ck_assert_int_eq(cache_teardown(&cache), 0);
	assert_heap_sound();

	make(&next, 48, cache.tag);
	ck_assert_uint_eq(next.tag, cache.tag);
	assert_usable(&next);
	slot_drain_all();
	ck_assert_int_eq(cache_teardown(&next), 0);
	assert_heap_sound();
}
END_TEST

/* Leave this thread with a sheaf that is empty, as all it had is in the slabs again. */
static void leave_empty_sheaf(void)
{
	void *objects[NR_OBJECTS];
	unsigned int nr = 0;

	do
		objects[nr++] = take(&cache);
	while (slot_cache_of(this_slot, &cache)->count && nr < NR_OBJECTS);
	slab_flush(&cache, objects, nr, NULL, 0);
}

/* The other thread: uses the cache, waits at the barrier twice, and then uses what @again says. */
static pthread_barrier_t barrier;
static struct kmem_cache *again;
static bool leave_empty;

static void *other(maybe_unused void *arg)
{
	const char *complaint = NULL;

	take_own_slot();
	if (leave_empty)
		leave_empty_sheaf();
	else
		complaint = use(&cache);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	if (!complaint && again)
		complaint = use(again);
	return (void *)(uintptr_t)complaint;
}

static void start_other(pthread_t *thread)
{
	ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, 2), 0);
	ck_assert_int_eq(pthread_create(thread, NULL, other, NULL), 0);
	pthread_barrier_wait(&barrier);
}

static void finish_other(pthread_t thread)
{
	void *complaint;

	pthread_barrier_wait(&barrier);
	pthread_join(thread, &complaint);
	ck_assert_msg(!complaint, "%s", (char *)complaint);
}

/* What a running thread holds goes too, since it does not use the cache any more. */
START_TEST(sheaf_of_a_running_thread)
{
	pthread_t thread;

	leave_empty = _i;
	make(&cache, 96, 0);
	again = &next;
	start_other(&thread);
	ck_assert_int_eq(cache_teardown(&cache), 0);
	ck_assert_ptr_null(tag_to_cache(cache.tag));
	/* it finds nothing of the old cache in the place of the new one */
	make(&next, 2000, cache.tag);
	finish_other(thread);
	assert_usable(&next);
	assert_heap_sound();
}
END_TEST

/* A slot that waits for its next thread has no sheaf of a cache that has ended. */
START_TEST(slot_of_a_thread_that_ended)
{
	pthread_t thread;

	make(&cache, 96, 0);
	again = NULL;
	start_other(&thread);
	finish_other(thread);
	ck_assert_int_eq(cache_teardown(&cache), 0);

	make(&next, 2000, cache.tag);
	ck_assert_uint_eq(next.tag, cache.tag);
	cache = (struct kmem_cache){ .ready = false };
	make(&cache, 500, 0);
	again = &next;
	start_other(&thread);
	finish_other(thread);
	assert_usable(&next);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("slab/teardown");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, own_objects);
	tcase_add_loop_test(tc, own_empty_sheaf, 0, 4);
	tcase_add_loop_test(tc, sheaf_of_a_running_thread, 0, 2);
	tcase_add_test(tc, slot_of_a_thread_that_ended);
	return test_run(tc);
}
