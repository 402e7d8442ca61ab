/* SPDX-License-Identifier: MIT */
/*
 * Threads that allocate or free for the first time in the last round of their destructors, when nobody
 * gives a slot back any more. Where processors' slots are there, such threads take one all the same, until
 * there are as many as threads may have; else they must get none.
 */
#include <check.h>
#include <limits.h>
#include <pthread.h>

#include "base/option.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "malloc/info.h"
#include "model/rng.h"
#include "os/info.h"
#include "slab/percpu.h"

#define NR_THREADS 500

/* What one thread finds in its destructor: some objects, large ones among them. */
#define NR_BLOCKS 3
static void *blocks[NR_BLOCKS];

static pthread_key_t key;

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

/* The main thread's, the shared one, and one that a sanitizer's early round may leave; the others as above. */
static unsigned int most_slots(void)
{
	return percpu_is_there() && options.percpu != PERCPU_OFF ? 3 + 9 * os_nr_cpus() : 3;
}

/* A sanitizer takes a thread down in the last round, and no instrumented code may follow. */
#define ROUNDS (PTHREAD_DESTRUCTOR_ITERATIONS - SANITIZED)

static void free_in_last_round(void *round)
{
	uintptr_t n = (uintptr_t)round;

	if (n < ROUNDS) {
		pthread_setspecific(key, (void *)(n + 1));
		return;
	}
	for (size_t i = 0; i < NR_BLOCKS; i++)
		heap_free(blocks[i]);
}

static void allocate_in_last_round(void *round)
{
	uintptr_t n = (uintptr_t)round;

	if (n < ROUNDS)
		pthread_setspecific(key, (void *)(n + 1));
	else
		blocks[0] = heap_malloc(64);
}

static void *only_end(void *arg)
{
	pthread_setspecific(key, (void *)1);
	return arg;
}

START_TEST(frees_of_the_last_round)
{
	static const size_t sizes[NR_BLOCKS] = { 64, 1000, 100000 };
	struct heap_figures f;

	ck_assert_int_eq(pthread_key_create(&key, free_in_last_round), 0);
	for (unsigned long n = 0; n < scaled(NR_THREADS); n++) {
		pthread_t thread;

		for (size_t i = 0; i < NR_BLOCKS; i++)
			blocks[i] = heap_malloc(sizes[i]);
		ck_assert_int_eq(pthread_create(&thread, NULL, only_end, NULL), 0);
		pthread_join(thread, NULL);
	}
	ck_assert_uint_le(nr_slots(), most_slots());
	ck_assert_uint_eq(heap_validate(NULL), 0);
	heap_figures(&f);
	ck_assert_uint_eq(f.slab_live_bytes + f.large_bytes + f.huge_bytes, 0);
}
END_TEST

START_TEST(allocations_of_the_last_round)
{
	ck_assert_int_eq(pthread_key_create(&key, allocate_in_last_round), 0);
	for (unsigned long n = 0; n < scaled(NR_THREADS); n++) {
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL, only_end, NULL), 0);
		pthread_join(thread, NULL);
		ck_assert_ptr_nonnull(blocks[0]);
		heap_free(blocks[0]);
	}
	ck_assert_uint_le(nr_slots(), most_slots());
	ck_assert_uint_eq(heap_validate(NULL), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("last_round");
	TCase *tc = tcase_create("last_round");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 100.0 + 100.0 * (double)env_number("SLABUDDY_SCALE", 1));
	tcase_add_test(tc, frees_of_the_last_round);
	tcase_add_test(tc, allocations_of_the_last_round);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
