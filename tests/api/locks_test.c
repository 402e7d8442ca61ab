/* SPDX-License-Identifier: MIT */
/*
 * How many locks each kind of load takes, counted and not timed: so that what would not scale on many cores
 * fails on two. Everything is in a fixed order, even where several threads take part, and the counts with
 * it. Bounds are some two to four times what was counted when they were written, which stands beside each.
 */
#include <pthread.h>
#include <stdio.h>

#include <slabuddy/gfp.h>
#include <slabuddy/slab.h>

#include "../own_slot.h"
#include "../testing.h"
#include "malloc/heap.h"
#include "slab/percpu.h"

/* ---- Counting ---- */

struct counts {
	unsigned long rank[NR_LOCK_RANKS];
};

static void read_counts(struct counts *counts)
{
	for (int rank = 0; rank < NR_LOCK_RANKS; rank++) {
		struct lock_count count;

		lock_count_rank((enum lock_rank)rank, &count);
		counts->rank[rank] = count.acquisitions;
	}
}

/* Counting takes locks too, each time the same ones. */
static struct counts own_cost, before;

static void begin(void)
{
	struct counts first;

	read_counts(&first);
	read_counts(&before);
	for (int rank = 0; rank < NR_LOCK_RANKS; rank++)
		own_cost.rank[rank] = before.rank[rank] - first.rank[rank];
}

/* What was taken since begin(). */
static struct counts end(void)
{
	struct counts taken;

	read_counts(&taken);
	for (int rank = 0; rank < NR_LOCK_RANKS; rank++)
		taken.rank[rank] -= before.rank[rank] + own_cost.rank[rank];
	return taken;
}

/* Locks that other threads may want; a slot's own is wanted by nobody but its owner. */
static unsigned long shared_locks(const struct counts *taken)
{
	unsigned long nr = 0;

	for (int rank = 0; rank < NR_LOCK_RANKS; rank++)
		nr += rank == LOCK_SLOT ? 0 : taken->rank[rank];
	return nr;
}

static void say(const char *what, unsigned long operations, const struct counts *taken)
{
	printf("%s: %lu operations:", what, operations);
	for (int rank = 0; rank < NR_LOCK_RANKS; rank++) {
		if (taken->rank[rank])
			printf(" %lu %s", taken->rank[rank], lock_rank_names[rank]);
	}
	printf("\n");
	fflush(stdout);
}

/* ---- One thread ---- */

#define ROUNDS 20000

static void pairs(size_t size)
{
	for (int i = 0; i < ROUNDS; i++)
		heap_free(heap_malloc(size));
}

static const size_t pair_sizes[] = { 1,	   16,	  48,	   64,	    100,     512,	1000,
				     4096, 10000, MAX_SLAB_BYTES, KIB(64), KIB(200), MIB(1) };

START_TEST(a_pair_takes_no_lock)
{
	struct counts taken;

	take_own_slot();
	pairs(pair_sizes[_i]);
	begin();
	pairs(pair_sizes[_i]);
	taken = end();
	say("pairs", ROUNDS, &taken);
	ck_assert_uint_eq(shared_locks(&taken), 0);
	ck_assert_uint_eq(taken.rank[LOCK_SLOT], 0);
}
END_TEST

START_TEST(a_pair_of_a_cache_takes_no_lock)
{
	struct kmem_cache *cache = kmem_cache_create("inode", 300, NULL, SLAB_NO_MERGE);
	struct counts taken;

	take_own_slot();
	for (int half = 0; half < 2; half++) {
		begin();
		for (int i = 0; i < ROUNDS; i++)
			kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
		taken = end();
	}
	ck_assert_uint_eq(shared_locks(&taken), 0);
	ck_assert_uint_eq(taken.rank[LOCK_SLOT], 0);
}
END_TEST

START_TEST(a_pair_of_pages_takes_no_lock)
{
	struct counts taken;

	take_own_slot();
	for (int half = 0; half < 2; half++) {
		begin();
		for (int i = 0; i < ROUNDS; i++)
			free_pages(__get_free_pages(GFP_KERNEL, (unsigned int)_i), (unsigned int)_i);
		taken = end();
	}
	ck_assert_uint_eq(shared_locks(&taken), 0);
	ck_assert_uint_eq(taken.rank[LOCK_SLOT], 0);
}
END_TEST

#define BATCH 32
#define NR_BATCHES 2000

static void batches(uint64_t *random)
{
	void *blocks[BATCH];

	for (int i = 0; i < NR_BATCHES; i++) {
		for (int k = 0; k < BATCH; k++)
			blocks[k] = heap_malloc(16 + random_below(random, 500));
		for (int k = 0; k < BATCH; k++)
			heap_free(blocks[k]);
	}
}

START_TEST(batches_of_mixed_sizes)
{
	uint64_t random = 1;
	struct counts taken;

	take_own_slot();
	/* until a random batch of more than those before of one class is rare */
	for (int i = 0; i < 4; i++)
		batches(&random);
	begin();
	batches(&random);
	taken = end();
	say("batches", BATCH * NR_BATCHES, &taken);
	/* counted: none, and 4 in 64,000 */
	ck_assert_uint_eq(shared_locks(&taken), 0);
	ck_assert_uint_le(taken.rank[LOCK_SLOT], BATCH * NR_BATCHES / 4000);
}
END_TEST

#define NR_REPLACED 20000
#define NR_REPLACEMENTS 200000

static void replace(uint64_t *random, void **blocks)
{
	for (int i = 0; i < NR_REPLACEMENTS; i++) {
		unsigned int at = random_below(random, NR_REPLACED);

		heap_free(blocks[at]);
		blocks[at] = heap_malloc(16 + random_below(random, 985));
	}
}

START_TEST(random_replacement)
{
	static void *blocks[NR_REPLACED];
	uint64_t random = 1;
	struct counts taken;

	take_own_slot();
	replace(&random, blocks);
	begin();
	replace(&random, blocks);
	taken = end();
	say("replacements", NR_REPLACEMENTS, &taken);
	/* counted: 58 and 1,625 in 200,000 */
	ck_assert_uint_le(shared_locks(&taken), NR_REPLACEMENTS / 1000);
	ck_assert_uint_le(taken.rank[LOCK_SLOT], NR_REPLACEMENTS / 60);
}
END_TEST

/* ---- Several ---- */

/* Two threads in turn: each step of one is over before the other one's begins. */
#define PARCEL 64
#define NR_PARCELS 2000

static pthread_barrier_t turn;
static void *parcel[16][PARCEL]; /* as many are on their way */

static void *consume(void *arg)
{
	take_own_slot();
	pthread_barrier_wait(&turn); /* has its slot */
	for (int i = 0; i < 2 * NR_PARCELS; i++) {
		pthread_barrier_wait(&turn); /* produced */
		for (int k = 0; k < PARCEL; k++)
			heap_free(parcel[i % 16][k]);
		pthread_barrier_wait(&turn); /* consumed */
	}
	pthread_barrier_wait(&turn); /* counted: it may give its slot back */
	return arg;
}

START_TEST(producer_and_consumer)
{
	pthread_t thread;
	struct counts taken;
	unsigned long blocks = NR_PARCELS * PARCEL;

	take_own_slot();
	ck_assert_int_eq(pthread_barrier_init(&turn, NULL, 2), 0);
	for (int i = 0; i < 16; i++) {
		for (int k = 0; k < PARCEL; k++)
			parcel[i][k] = heap_malloc(64);
	}
	ck_assert_int_eq(pthread_create(&thread, NULL, consume, NULL), 0);
	pthread_barrier_wait(&turn);
	for (int i = 0; i < 2 * NR_PARCELS; i++) {
		if (i == NR_PARCELS)
			begin();
		pthread_barrier_wait(&turn);
		pthread_barrier_wait(&turn);
		for (int k = 0; k < PARCEL; k++)
			parcel[i % 16][k] = heap_malloc(64);
	}
	taken = end();
	pthread_barrier_wait(&turn);
	pthread_join(thread, NULL);
	say("handed over", blocks, &taken);
	/* counted: 2,065 of both in 128,000; a sheaf of 124 goes through the barn by one lock each way */
	ck_assert_uint_le(shared_locks(&taken), blocks / 50);
	ck_assert_uint_le(taken.rank[LOCK_SLOT], blocks / 50);
}
END_TEST

#define NR_THREADS 200

static void *short_life(void *arg)
{
	uint64_t random = 1;
	void *blocks[100];

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		blocks[i] = heap_malloc(16 + random_below(&random, 500));
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		heap_free(blocks[i]);
	return arg;
}

static void run_threads(void)
{
	for (int i = 0; i < NR_THREADS; i++) {
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL, short_life, NULL), 0);
		pthread_join(thread, NULL);
	}
}

START_TEST(threads_that_come_and_go)
{
	struct counts taken;

	take_own_slot();
	run_threads();
	begin();
	run_threads();
	taken = end();
	say("threads", NR_THREADS, &taken);
	/* one to take a slot, one to give it back */
	ck_assert_uint_le(taken.rank[LOCK_SLOTS], 2 * NR_THREADS);
	/* counted: 2.1 and 4.4 a thread */
	ck_assert_uint_le(shared_locks(&taken), 3 * NR_THREADS);
	ck_assert_uint_le(taken.rank[LOCK_SLOT], 10 * NR_THREADS);
}
END_TEST

/* ---- The same where threads use their processors' slots ---- */

static bool use_percpu(void)
{
	slab_boot();
	options.percpu = PERCPU_ON;
	return percpu_is_there();
}

static void *pairs_of_all_sizes(void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(pair_sizes); i++) {
		if (pair_sizes[i] <= 1000)
			pairs(pair_sizes[i]);
	}
	return arg;
}

START_TEST(pairs_in_processors_slots)
{
	struct counts taken;

	if (!use_percpu())
		return;
	pairs_of_all_sizes(NULL);
	begin();
	pairs_of_all_sizes(NULL);
	taken = end();
	say("pairs", 7 * ROUNDS, &taken);
	/* counted: none; a thread that is moved to another processor may need a few */
	ck_assert_uint_le(shared_locks(&taken), 7 * ROUNDS / 1000);
	ck_assert_uint_le(taken.rank[LOCK_SLOT], 7 * ROUNDS / 1000);
}
END_TEST

START_TEST(threads_in_processors_slots)
{
	struct counts taken;

	if (!use_percpu())
		return;
	run_threads();
	begin();
	run_threads();
	taken = end();
	say("threads", NR_THREADS, &taken);
	/* counted: none, and 1 a thread; more where a processor's slot is used for the first time */
	ck_assert_uint_le(shared_locks(&taken), NR_THREADS / 2);
	ck_assert_uint_le(taken.rank[LOCK_SLOT], 4 * NR_THREADS);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("api/locks");

	tcase_add_loop_test(tc, a_pair_takes_no_lock, 0, ARRAY_SIZE(pair_sizes));
	tcase_add_test(tc, a_pair_of_a_cache_takes_no_lock);
	tcase_add_loop_test(tc, a_pair_of_pages_takes_no_lock, 0, PCP_MAX_ORDER + 1);
	tcase_add_test(tc, batches_of_mixed_sizes);
	tcase_add_test(tc, random_replacement);
	tcase_add_test(tc, producer_and_consumer);
	tcase_add_test(tc, threads_that_come_and_go);
	tcase_add_test(tc, pairs_in_processors_slots);
	tcase_add_test(tc, threads_in_processors_slots);
	return test_run(tc);
}
