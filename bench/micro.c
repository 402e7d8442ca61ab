/* SPDX-License-Identifier: MIT */
/* What one allocator call costs, alone and in patterns. micro.h says how these are run. */
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micro.h"

enum {
	NR_BATCH = 1000,	/* blocks of a batch: more than a small cache of them holds */
	MAX_BIG_BATCH = 100000, /* more than any cache of a thread's should hold */
	NR_RING = 256,		/* blocks on their way from producer to consumer; a power of two */
	PAGE_BYTES = 4096,
};

/* Makes the compiler believe that somebody looks at p. */
static inline void *used(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

static void *must(void *p)
{
	if (!p) {
		perror("micro: malloc");
		abort();
	}
	return used(p);
}

/* What the loop and the questions cost without any malloc; to be taken off by the reader. */
static void nothing(struct micro *micro, unsigned long arg)
{
	(void)arg;
	while (micro_go_on(micro))
		for (int i = 0; i < MICRO_BATCH; i++)
			used(micro);
}

static void pair(struct micro *micro, unsigned long size)
{
	while (micro_go_on(micro))
		for (int i = 0; i < MICRO_BATCH; i++)
			free(must(malloc(size)));
}

/* How many turns make a batch, when each of them goes through this many bytes. */
static unsigned int turns_of(unsigned long bytes)
{
	return bytes < 65536 ? MICRO_BATCH : 16;
}

static void large(struct micro *micro, unsigned long size)
{
	while (micro_go_on_by(micro, 16))
		for (int i = 0; i < 16; i++)
			free(must(malloc(size)));
}

/* Each page is written: a block that comes unmapped costs its page faults, too. */
static void large_touched(struct micro *micro, unsigned long size)
{
	while (micro_go_on_by(micro, 1)) {
		char *p = must(malloc(size));

		for (size_t at = 0; at < size; at += PAGE_BYTES)
			p[at] = 1;
		free(used(p));
	}
}

static void aligned_pair(struct micro *micro, unsigned long alignment)
{
	void *p;

	while (micro_go_on(micro)) {
		for (int i = 0; i < MICRO_BATCH; i++) {
			if (posix_memalign(&p, alignment, 200))
				must(NULL);
			free(used(p));
		}
	}
}

static void calloc_pair(struct micro *micro, unsigned long size)
{
	while (micro_go_on(micro))
		for (int i = 0; i < MICRO_BATCH; i++)
			free(must(calloc(1, size)));
}

/* A string that is appended to: from 16 bytes to arg, a half more each time. */
static void realloc_growth(struct micro *micro, unsigned long limit)
{
	unsigned int turns = turns_of(limit);
	unsigned long steps = 0;

	for (size_t size = 16; size < limit; size += size / 2)
		steps++;
	micro_operations_a_turn(micro, steps);
	while (micro_go_on_by(micro, turns)) {
		for (unsigned int i = 0; i < turns; i++) {
			char *p = NULL;

			for (size_t size = 16; size < limit; size += size / 2) {
				p = must(realloc(p, size));
				p[size - 1] = 1;
			}
			free(p);
		}
	}
}

/* For sizes, and for the order in which blocks are freed: the same in each run. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

enum free_order { FIRST_IN_FIRST_OUT, LAST_IN_FIRST_OUT, SHUFFLED };

/* places[]: which of nr blocks is the first, the second... to be freed. */
static void order_frees(uint32_t *places, uint32_t nr, enum free_order order)
{
	uint32_t random = 2;

	for (uint32_t i = 0; i < nr; i++)
		places[i] = order == LAST_IN_FIRST_OUT ? nr - 1 - i : i;
	for (uint32_t i = nr - 1; order == SHUFFLED && i > 0; i--) {
		uint32_t k = next_random(&random) % (i + 1);
		uint32_t place = places[i];

		places[i] = places[k];
		places[k] = place;
	}
}

/* NR_BATCH blocks of 16 to 1024 bytes, mostly small ones, then all of them freed. */
static void batch(struct micro *micro, unsigned long order)
{
	static uint16_t sizes[NR_BATCH];
	static uint32_t places[NR_BATCH];
	void *blocks[NR_BATCH];
	uint32_t random = 1;

	for (int i = 0; i < NR_BATCH; i++) {
		uint32_t limit = 16u << next_random(&random) % 7;

		sizes[i] = (uint16_t)(1 + next_random(&random) % limit);
	}
	order_frees(places, NR_BATCH, (enum free_order)order);
	micro_operations_a_turn(micro, NR_BATCH);
	while (micro_go_on_by(micro, 16)) {
		for (int turn = 0; turn < 16; turn++) {
			for (int i = 0; i < NR_BATCH; i++)
				blocks[i] = must(malloc(sizes[i]));
			for (int i = 0; i < NR_BATCH; i++)
				free(blocks[places[i]]);
		}
	}
}

/* nr blocks of 64 bytes, of which each is written to, then all of them freed. */
static void big_batch(struct micro *micro, uint32_t nr, enum free_order order)
{
	static uint32_t places[MAX_BIG_BATCH];
	static char *blocks[MAX_BIG_BATCH];

	order_frees(places, nr, order);
	micro_operations_a_turn(micro, nr);
	while (micro_go_on_by(micro, 1)) {
		for (uint32_t i = 0; i < nr; i++) {
			blocks[i] = must(malloc(64));
			blocks[i][0] = 1;
		}
		for (uint32_t i = 0; i < nr; i++)
			free(used(blocks[places[i]]));
	}
}

static void batch_10000(struct micro *micro, unsigned long order)
{
	big_batch(micro, 10000, (enum free_order)order);
}

static void batch_100000(struct micro *micro, unsigned long order)
{
	big_batch(micro, MAX_BIG_BATCH, (enum free_order)order);
}

/* One thread allocates, the other frees what it is sent. One slot holds one block or NULL. */
static void hand_over(struct micro *micro, unsigned long size)
{
	static _Atomic(void *) ring[NR_RING];
	static _Thread_local unsigned int at;
	void *p;

	at = 0;
	while (micro_go_on(micro)) {
		for (int i = 0; i < MICRO_BATCH; i++, at = (at + 1) % NR_RING) {
			if (micro_thread(micro) == 0) {
				p = must(malloc(size));
				while (atomic_load_explicit(&ring[at], memory_order_acquire))
					sched_yield();
				atomic_store_explicit(&ring[at], p, memory_order_release);
			} else {
				while (!(p = atomic_load_explicit(&ring[at], memory_order_acquire)))
					sched_yield();
				atomic_store_explicit(&ring[at], NULL, memory_order_release);
				free(p);
			}
		}
	}
}

static void add_sizes(const char *name, micro_fn *fn, const unsigned long *sizes,
		      unsigned int threads)
{
	char full[64];

	for (; *sizes; sizes++) {
		snprintf(full, sizeof(full), "%s/%lu", name, *sizes);
		micro_add(full, fn, *sizes, threads);
	}
}

static void add_orders(const char *name, micro_fn *fn)
{
	static const char *const orders[] = { "fifo", "lifo", "shuffled" };
	char full[64];

	for (unsigned long i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		snprintf(full, sizeof(full), "%s/%s", name, orders[i]);
		micro_add(full, fn, i, 1);
	}
}

void micro_add_all(void)
{
	static const unsigned long small[] = { 8,    16,   32,	 64,   128,   256,   512,
					       1024, 2048, 4096, 8192, 16384, 32768, 0 };
	static const unsigned long some[] = { 64, 1024, 0 };
	static const unsigned long big[] = { 65536, 262144, 1048576, 4194304, 33554432, 0 };
	static const unsigned long cleared[] = { 64, 1024, 16384, 262144, 0 };
	static const unsigned long grown[] = { 4096, 262144, 4194304, 0 };
	static const unsigned long alignments[] = { 64, 4096, 0 };

	micro_add("nothing", nothing, 0, 1);
	add_sizes("pair", pair, small, 1);
	add_sizes("pair_2_threads", pair, some, 2);
	add_orders("batch", batch);
	add_orders("batch_10000", batch_10000);
	add_orders("batch_100000", batch_100000);
	add_sizes("calloc", calloc_pair, cleared, 1);
	add_sizes("realloc_growth", realloc_growth, grown, 1);
	add_sizes("aligned", aligned_pair, alignments, 1);
	add_sizes("large", large, big, 1);
	add_sizes("large_touched", large_touched, big, 1);
	add_sizes("hand_over", hand_over, some, 2);
}
