/* SPDX-License-Identifier: MIT */
/*
 * Threads that end: their slots are used again, and their destructors may allocate up to the last
 * round.
 */
#include <check.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "base/option.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "malloc/info.h"
#include "model/block.h"
#include "slab/boot.h"
#include "slab/percpu.h"

#define NR_THREADS 1000
#define AT_ONCE 4

static void count_slot(struct slot *slot, void *arg)
{
	(void)slot;
	++*(unsigned int *)arg;
}

static unsigned int nr_slots(void)
{
	unsigned int nr = 0;

	slot_for_each(count_slot, &nr);
	return nr;
}

/* @nr threads that run @code, AT_ONCE at a time. */
static void run_threads(unsigned long nr, void *(*code)(void *arg))
{
	for (unsigned long done = 0; done < nr; done += AT_ONCE) {
		pthread_t threads[AT_ONCE];

		for (uintptr_t i = 0; i < AT_ONCE; i++)
			ck_assert_int_eq(pthread_create(&threads[i], NULL, code, (void *)i), 0);
		for (unsigned int i = 0; i < AT_ONCE; i++)
			pthread_join(threads[i], NULL);
	}
}

static void expect_few_slots(void)
{
	struct heap_figures f;

	/* one each for those that ran at once, the main thread's, the shared one */
	ck_assert_uint_le(nr_slots(), AT_ONCE + 2);
	ck_assert_uint_eq(heap_validate(NULL), 0);
	heap_figures(&f);
	ck_assert_uint_eq(f.slab_live_bytes + f.large_bytes + f.huge_bytes, 0);
}

static void allocate_a_little(void)
{
	struct block blocks[64];

	for (size_t i = 0; i < 64; i++)
		block_born(&blocks[i], heap_malloc(i * i * 20), i * i * 20, 16, false);
	for (size_t i = 0; i < 64; i++)
		block_free(&blocks[i]);
}

static void *short_life(void *arg)
{
	allocate_a_little();
	return arg;
}

START_TEST(slots_are_used_again)
{
	run_threads(scaled(NR_THREADS), short_life);
	expect_few_slots();
}
END_TEST

static pthread_key_t key;

/* A sanitizer takes a thread down in the last round, and no instrumented code may follow. */
#define ROUNDS (PTHREAD_DESTRUCTOR_ITERATIONS - SANITIZED)

/* Comes again in every round that there is. */
static void allocating_destructor(void *round)
{
	uintptr_t n = (uintptr_t)round;

	allocate_a_little();
	if (n < ROUNDS)
		pthread_setspecific(key, (void *)(n + 1));
}

static void *with_destructor(void *arg)
{
	allocate_a_little();
	pthread_setspecific(key, (void *)1);
	return arg;
}

START_TEST(destructor_that_allocates)
{
	ck_assert_int_eq(pthread_key_create(&key, allocating_destructor), 0);
	run_threads(scaled(NR_THREADS / 4), with_destructor);
	expect_few_slots();
}
END_TEST

static void *destructor_only(void *arg)
{
	pthread_setspecific(key, (void *)1);
	return arg;
}

START_TEST(destructor_that_allocates_first)
{
	ck_assert_int_eq(pthread_key_create(&key, allocating_destructor), 0);
	run_threads(scaled(NR_THREADS / 4), destructor_only);
	expect_few_slots();
}
END_TEST

/* What the value of a key points to is often memory itself. */
static void freeing_destructor(void *ptr)
{
	heap_free(ptr);
}

static void *with_value(void *arg)
{
	pthread_setspecific(key, heap_malloc(100));
	return arg;
}

START_TEST(destructor_that_frees)
{
	ck_assert_int_eq(pthread_key_create(&key, freeing_destructor), 0);
	run_threads(scaled(NR_THREADS / 4), with_value);
	expect_few_slots();
}
END_TEST

/* Threads that only free: what they get piles up nowhere. */
static struct block handed[AT_ONCE][2000];

static void *free_all(void *arg)
{
	for (size_t i = 0; i < 2000; i++)
		block_free(&handed[(uintptr_t)arg][i]);
	return NULL;
}

START_TEST(threads_that_only_free)
{
	struct heap_figures f;

	for (unsigned long n = 0; n < 40; n++) {
		for (size_t t = 0; t < AT_ONCE; t++) {
			for (size_t i = 0; i < 2000; i++)
				block_born(&handed[t][i], heap_malloc(200), 200, 16, false);
		}
		run_threads(AT_ONCE, free_all);
	}
	heap_figures(&f);
	/* forty times as much has been through their hands as was live at any time */
	ck_assert_uint_le(f.cached_bytes + f.slab_free_bytes, 2UL * AT_ONCE * 2000 * 208);
	expect_few_slots();
}
END_TEST

static pthread_barrier_t together;
static void *first_object[AT_ONCE];

static void *allocate_one(void *arg)
{
	pthread_barrier_wait(&together);
	first_object[(uintptr_t)arg] = heap_malloc(8);
	pthread_barrier_wait(&together);
	return arg;
}

/* What two threads allocate first does not lie in one cache line, where each would slow the other down. */
START_TEST(first_objects_apart)
{
	pthread_t threads[AT_ONCE];

	slab_boot();
	if (!percpu_is_there())
		return; /* then the number of slots has no bound, and threads share one at first */
	pthread_barrier_init(&together, NULL, AT_ONCE);
	for (uintptr_t i = 0; i < AT_ONCE; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, allocate_one, (void *)i), 0);
	for (int i = 0; i < AT_ONCE; i++)
		pthread_join(threads[i], NULL);
	/* with percpu=on, threads that ran on one processor took turns in its slot */
	for (int i = 0; i < AT_ONCE && options.percpu != PERCPU_ON; i++) {
		for (int j = 0; j < i; j++)
			ck_assert_uint_ne((uintptr_t)first_object[i] / 64,
					  (uintptr_t)first_object[j] / 64);
	}
}
END_TEST

static void *gift[AT_ONCE];

static void *give_away_and_allocate(void *arg)
{
	uintptr_t i = (uintptr_t)arg;

	pthread_barrier_wait(&together);
	heap_free(gift[i]);
	first_object[i] = heap_malloc(8);
	pthread_barrier_wait(&together);
	return arg;
}

/* Nor does one that has got an object of another one's line, and frees it, get a place there again. */
START_TEST(gifts_go_home)
{
	pthread_t threads[AT_ONCE];

	/* this thread has a slot of its own */
	for (int i = 0; i < 20; i++)
		heap_free(heap_malloc((size_t)i * 100));
	if (!percpu_is_there())
		return;
	pthread_barrier_init(&together, NULL, AT_ONCE);
	for (uintptr_t i = 0; i < AT_ONCE; i++)
		gift[i] = heap_malloc(8);
	for (uintptr_t i = 0; i < AT_ONCE; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, give_away_and_allocate, (void *)i), 0);
	for (int i = 0; i < AT_ONCE; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < AT_ONCE && options.percpu != PERCPU_ON; i++) {
		for (int j = 0; j < i; j++)
			ck_assert_uint_ne((uintptr_t)first_object[i] / 64,
					  (uintptr_t)first_object[j] / 64);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("thread");
	TCase *tc = tcase_create("thread");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 100.0 + 100.0 * (double)env_number("SLABUDDY_SCALE", 1));
	tcase_add_test(tc, first_objects_apart);
	tcase_add_test(tc, gifts_go_home);
	tcase_add_test(tc, slots_are_used_again);
	tcase_add_test(tc, destructor_that_allocates);
	tcase_add_test(tc, destructor_that_allocates_first);
	tcase_add_test(tc, destructor_that_frees);
	tcase_add_test(tc, threads_that_only_free);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
