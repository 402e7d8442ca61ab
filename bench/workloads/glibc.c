/* SPDX-License-Identifier: MIT */
/*
 * What glibc measures its malloc by, as described in its benchtests.
 *
 * glibc-simple: some blocks of one size are allocated and freed again, few or many at a time
 * (bench-malloc-simple, W. Dijkstra 2017).
 *
 * glibc-thread: each thread replaces blocks of a small working set, by lists of sizes and places
 * that were drawn before (bench-malloc-thread, W. Newton 2014).
 */
#include "workload.h"

enum { NR_DRAWN = 8192 }; /* fits in a second-level cache */

static const size_t counts[] = { 25, 100, 400, 1600 };
enum { NR_COUNTS = sizeof(counts) / sizeof(counts[0]), MAX_COUNT = 1600 };

static size_t rounds = 16000, simple_min = 8, simple_max = 4096;
static size_t steps = 40000000, set = 1024, thread_min = 8, thread_max = 32 << 10;

static void some(struct worker *self, size_t size, size_t nr)
{
	void *blocks[MAX_COUNT];

	for (size_t i = 0; i < nr; i++)
		blocks[i] = block_new(self, size);
	for (size_t i = 0; i < nr; i++)
		block_drop(self, blocks[i]);
}

static void work_simple(struct worker *self)
{
	size_t nr = workload_share(rounds);

	for (size_t i = 0; i < nr; i++) {
		size_t size = pick_skewed(&self->random, simple_min, simple_max);

		for (size_t k = 0; k < NR_COUNTS; k++)
			some(self, size, counts[k]);
	}
}

struct drawn {
	uint32_t place, size;
};

static void work_thread(struct worker *self)
{
	size_t nr = workload_share(steps);
	struct drawn *drawn = workload_alloc(NR_DRAWN * sizeof(*drawn));
	void **table = workload_alloc(set * sizeof(*table));

	memset(table, 0, set * sizeof(*table));
	for (size_t i = 0; i < NR_DRAWN; i++) {
		drawn[i].place = (uint32_t)pick(&self->random, set);
		drawn[i].size = (uint32_t)pick_skewed(&self->random, thread_min, thread_max);
	}
	for (size_t i = 0; i < nr; i++) {
		const struct drawn *next = &drawn[i % NR_DRAWN];

		block_drop_at(self, &table[next->place]);
		table[next->place] = block_new(self, next->size);
	}
	for (size_t i = 0; i < set; i++)
		block_drop_at(self, &table[i]);
	free(table);
	free(drawn);
}

static const struct workload_value simple_values[] = {
	{ "rounds", &rounds, 1, 100000000, "of all threads together, each of one size" },
	{ "min", &simple_min, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ "max", &simple_max, BLOCK_MIN, 1 << 30,
	  "bytes of a block; twice as large is half as likely" },
	{ 0 },
};

static const struct workload_value thread_values[] = {
	{ "steps", &steps, 1, 1000000000, "of all threads together" },
	{ "set", &set, 1, 10000000, "blocks of a thread" },
	{ "min", &thread_min, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ "max", &thread_max, BLOCK_MIN, 1 << 30,
	  "bytes of a block; twice as large is half as likely" },
	{ 0 },
};

static const struct workload simple = {
	.name = "glibc-simple",
	.about = "25 to 1,600 blocks of one size, allocated and freed",
	.threads = 1,
	.values = simple_values,
	.work = work_simple,
};
WORKLOAD(simple);

static const struct workload in_threads = {
	.name = "glibc-thread",
	.about = "each thread replaces blocks of a small working set",
	.threads = 2,
	.values = thread_values,
	.work = work_thread,
};
WORKLOAD(in_threads);
