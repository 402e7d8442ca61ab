/* SPDX-License-Identifier: MIT */
/* Memory in signal handlers that come at any moment, in the middle of everything. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <slabuddy/slab.h>

#include "../testing.h"
#include "base/option.h"

START_TEST(outside_of_handlers)
{
	static const size_t sizes[] = { 1, 16, 100, 1000, 32768 };

	kfree(kmalloc(64, GFP_KERNEL)); /* the zone has pages from now on */
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *p = kmalloc_nolock(sizes[i], __GFP_ZERO, NUMA_NO_NODE);

		ck_assert_ptr_nonnull(p);
		ck_assert(all_zero(p, sizes[i]));
		memset(p, 0xee, sizes[i]);
		if (i & 1)
			kfree_nolock(p);
		else
			kfree(p);
		assert_heap_sound();
	}
	ck_assert_ptr_null(kmalloc_nolock(KMALLOC_MAX_CACHE_SIZE + 1, 0, NUMA_NO_NODE));
	ck_assert_ptr_eq(kmalloc_nolock(0, 0, NUMA_NO_NODE), ZERO_SIZE_PTR);
	kfree_nolock(ZERO_SIZE_PTR);
	kfree_nolock(NULL);
}
END_TEST

/* What is on the list is freed by the next slow path, and can be handed out again. */
START_TEST(deferred_blocks_are_freed)
{
	enum { NR = 1000 };
	static void *blocks[NR], *others[NR];
	size_t again = 0;

	for (size_t i = 0; i < NR; i++)
		blocks[i] = kmalloc(512, GFP_KERNEL);
	for (size_t i = 0; i < NR; i++)
		kfree_nolock(blocks[i]);
	for (size_t i = 0; i < NR; i++) {
		others[i] = kmalloc(512, GFP_KERNEL);
		for (size_t j = 0; j < NR; j++)
			again += others[i] == blocks[j];
	}
	ck_assert_uint_gt(again, NR / 2);
	kfree_bulk(NR, others);
	assert_heap_sound();
}
END_TEST

START_TEST(large_blocks)
{
	char *p = kmalloc(100000, GFP_KERNEL);

	memset(p, 1, 100000);
	kfree_nolock(p);
	kfree(kmalloc(100000, GFP_KERNEL));
	assert_heap_sound();
}
END_TEST

START_TEST(bad_frees)
{
	struct kmem_cache *cache = kmem_cache_create("named", 64, NULL, SLAB_NO_MERGE);
	char *object = kmem_cache_alloc(cache, GFP_KERNEL);
	char *block = kmalloc(64, GFP_KERNEL);
	int local;

	options.bad_free = BAD_FREE_WARN;
	stderr_capture();
	kfree_nolock(&local);
	kfree_nolock(block + 1);
	kfree_nolock(object);
	ck_assert_uint_eq(count_char(stderr_captured(), '\n'), 3);
	kfree_nolock(block);
	stderr_capture();
	kfree_nolock(block);
	ck_assert_ptr_nonnull(strstr(stderr_captured(), "this block is free already"));
	kmem_cache_free(cache, object);
	kmem_cache_destroy(cache);
	assert_heap_sound();
}
END_TEST

/* The storm: a timer interrupts threads that do nothing but allocate and free. */
#define KEPT 16

static unsigned long calls, got;

static void handler(maybe_unused int sig)
{
	static _Thread_local void *kept[KEPT];
	static _Thread_local unsigned int turn;
	unsigned int i = turn++ % KEPT;
	size_t size = 16 + turn * 37 % 3000;

	__atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
	if (kept[i]) {
		if (*(unsigned char *)kept[i] != 0xab)
			abort();
		kfree_nolock(kept[i]);
	}
	kept[i] = kmalloc_nolock(size, 0, NUMA_NO_NODE);
	if (!kept[i])
		return;
	memset(kept[i], 0xab, size);
	__atomic_fetch_add(&got, 1, __ATOMIC_RELAXED);
}

static void *churn(void *arg)
{
	uint64_t state = (uintptr_t)arg;
	static _Thread_local void *blocks[200];
	static _Thread_local size_t sizes[200];

	while (__atomic_load_n(&calls, __ATOMIC_RELAXED) < 20000) {
		unsigned int i = random_below(&state, 200);

		if (blocks[i] && !filled_with(blocks[i], MIN(sizes[i], 64), (uintptr_t)blocks[i]))
			return (void *)(uintptr_t)"a block was overwritten";
		kfree(blocks[i]);
		sizes[i] = 1 + random_below(&state, 3000);
		blocks[i] = kmalloc(sizes[i], GFP_KERNEL);
		fill_bytes(blocks[i], MIN(sizes[i], 64), (uintptr_t)blocks[i]);
	}
	for (size_t i = 0; i < 200; i++)
		kfree(blocks[i]);
	return NULL;
}

START_TEST(storm_of_signals)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	struct itimerval often = { .it_interval = { .tv_usec = 50 }, .it_value = { .tv_usec = 50 } };
	struct itimerval never = { .it_value = { .tv_usec = 0 } };
	uint64_t seed = test_seed();
	pthread_t threads[3];

	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	for (size_t t = 0; t < ARRAY_SIZE(threads); t++)
		ck_assert_int_eq(pthread_create(&threads[t], NULL, churn,
						(void *)(uintptr_t)(seed + t)),
				 0);
	setitimer(ITIMER_REAL, &often, NULL);
	/* the timer is the process's: most of its signals find this thread, unless it sends them on */
	while (__atomic_load_n(&calls, __ATOMIC_RELAXED) < 20000) {
		for (size_t t = 0; t < ARRAY_SIZE(threads); t++)
			pthread_kill(threads[t], SIGALRM);
		kfree(kmalloc(100, GFP_KERNEL));
	}
	setitimer(ITIMER_REAL, &never, NULL);
	for (size_t t = 0; t < ARRAY_SIZE(threads); t++) {
		void *complaint;

		pthread_join(threads[t], &complaint);
		ck_assert_msg(!complaint, "%s", (char *)complaint);
	}
	printf("%lu of %lu calls got memory\n", got, calls);
	/* it may fail at any time, but not as a rule */
	ck_assert_uint_gt(got, calls / 4 * 3);
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("api/nolock");

	tcase_add_test(tc, outside_of_handlers);
	tcase_add_test(tc, deferred_blocks_are_freed);
	tcase_add_test(tc, large_blocks);
	tcase_add_test(tc, bad_frees);
	tcase_add_test(tc, storm_of_signals);
	return test_run(tc);
}
