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
	NR_BATCH = 1000, /* blocks of a batch: more than a small cache of them holds */
	NR_RING = 256,	 /* blocks on their way from producer to consumer; a power of two */
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

/* Both ends are written too: a block that comes unmapped then costs two page faults. */
static void pair_touched(struct micro *micro, unsigned long size)
{
	while (micro_go_on(micro)) {
		for (int i = 0; i < MICRO_BATCH; i++) {
			char *p = must(malloc(size));

			p[0] = 1;
			p[size - 1] = 1;
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
	unsigned long steps = 0;

	for (size_t size = 16; size < limit; size += size / 2)
		steps++;
	micro_operations_a_turn(micro, steps);
	while (micro_go_on(micro)) {
		for (int i = 0; i < MICRO_BATCH; i++) {
			char *p = NULL;

			for (size_t size = 16; size < limit; size += size / 2) {
				p = must(realloc(p, size));
				p[size - 1] = 1;
			}
			free(p);
		}
	}
}

/* A fixed shuffle of sizes and of the order in which blocks are freed. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

enum free_order { FIRST_IN_FIRST_OUT, LAST_IN_FIRST_OUT, SHUFFLED };

/* NR_BATCH blocks of 16 to 1024 bytes, mostly small ones, then all of them freed. */
static void batch(struct micro *micro, unsigned long order)
{
	static uint16_t sizes[NR_BATCH], places[NR_BATCH];
	void *blocks[NR_BATCH];
	uint32_t random = 1;

	for (uint16_t i = 0; i < NR_BATCH; i++) {
		uint32_t limit = 16u << next_random(&random) % 7;

		sizes[i] = (uint16_t)(1 + next_random(&random) % limit);
		places[i] = (uint16_t)(order == LAST_IN_FIRST_OUT ? NR_BATCH - 1 - i : i);
	}
	for (int i = NR_BATCH - 1; order == SHUFFLED && i > 0; i--) {
		uint32_t k = next_random(&random) % (uint32_t)(i + 1);
		uint16_t place = places[i];

		places[i] = places[k];
		places[k] = place;
	}
	micro_operations_a_turn(micro, NR_BATCH);
	while (micro_go_on(micro)) {
		for (int turn = 0; turn < MICRO_BATCH; turn++) {
			for (int i = 0; i < NR_BATCH; i++)
				blocks[i] = must(malloc(sizes[i]));
			for (int i = 0; i < NR_BATCH; i++)
				free(blocks[places[i]]);
		}
	}
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

static void add_sizes(const char *name, micro_fn *fn, const unsigned long *sizes)
{
	char full[64];

	for (; *sizes; sizes++) {
		snprintf(full, sizeof(full), "%s/%lu", name, *sizes);
		micro_add(full, fn, *sizes, 1);
	}
}

void micro_add_all(void)
{
	static const unsigned long all[] = { 16, 64, 256, 1024, 4096, 16384, 65536, 1048576, 0 };
	static const unsigned long touched[] = { 4096, 65536, 1048576, 0 };
	static const unsigned long cleared[] = { 64, 1024, 16384, 262144, 0 };
	static const unsigned long grown[] = { 4096, 262144, 4194304, 0 };

	micro_add("nothing", nothing, 0, 1);
	add_sizes("pair", pair, all);
	add_sizes("pair_touched", pair_touched, touched);
	micro_add("batch/fifo", batch, FIRST_IN_FIRST_OUT, 1);
	micro_add("batch/lifo", batch, LAST_IN_FIRST_OUT, 1);
	micro_add("batch/shuffled", batch, SHUFFLED, 1);
	add_sizes("calloc", calloc_pair, cleared);
	add_sizes("realloc_growth", realloc_growth, grown);
	micro_add("hand_over/64", hand_over, 64, 2);
	micro_add("hand_over/1024", hand_over, 1024, 2);
}
