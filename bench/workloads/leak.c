/* SPDX-License-Identifier: MIT */
/*
 * Growth that a thread leaves behind: it allocates, frees most of it, and ends. What it has kept is
 * freed some generations later by another thread. So the memory that can be used again lies in
 * slabs, arenas or heaps of threads that are gone, between blocks in use. Our own; the case is
 * described as abandoned segments by D. Leijen and others, Mimalloc: Free List Sharding in Action,
 * APLAS 2019.
 */
#include "workload.h"

enum { MAX_AGE = 100 };

static size_t generations = 200, blocks = 20000, keep = 4, age = 5, min_bytes = 16, max_bytes = 500;

/* What is kept: kept[generation % age] has a table for each worker. */
static void **kept[MAX_AGE][WORKLOAD_MAX_THREADS];
static size_t generation; /* [const while workers run] */
static size_t nr_kept;

static void work(struct worker *self)
{
	void ***of_generation = kept[generation % age];
	void **old = of_generation[(self->index + 1) % nr_threads];
	void **all = workload_alloc(blocks * sizeof(*all));

	for (size_t i = 0; i < blocks; i++) {
		all[i] = block_new(self, pick_between(&self->random, min_bytes, max_bytes));
		/* the old ones go in between, not all at once */
		if (i < nr_kept)
			block_drop_at(self, &old[i]);
	}
	shuffle(&self->random, all, blocks);
	/* by now each has emptied the table that another one is about to fill */
	workers_meet();
	memcpy(of_generation[self->index], all, nr_kept * sizeof(*all));
	for (size_t i = nr_kept; i < blocks; i++)
		block_drop(self, all[i]);
	free(all);
}

static void run(struct worker *self)
{
	size_t nr = workload_share(generations);

	nr_kept = blocks / keep;
	for (size_t i = 0; i < age; i++)
		for (unsigned int k = 0; k < nr_threads; k++) {
			kept[i][k] = workload_alloc(nr_kept * sizeof(*kept[i][k]) + 1);
			memset(kept[i][k], 0, nr_kept * sizeof(*kept[i][k]));
		}
	for (generation = 0; generation < nr; generation++)
		workers_run(work);
	for (size_t i = 0; i < age; i++)
		for (unsigned int k = 0; k < nr_threads; k++) {
			for (size_t at = 0; at < nr_kept; at++)
				block_drop_at(self, &kept[i][k][at]);
			free(kept[i][k]);
		}
}

static const struct workload_value values[] = {
	{ "generations", &generations, 1, 1000000, "of threads, divided by their number" },
	{ "blocks", &blocks, 1, 10000000, "that a thread allocates" },
	{ "keep", &keep, 1, 1000000, "one in so many is kept" },
	{ "age", &age, 1, MAX_AGE, "generations for which it is kept" },
	{ "min", &min_bytes, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ "max", &max_bytes, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ 0 },
};

static const struct workload leak = {
	.name = "leak",
	.about = "threads end and leave blocks behind, which others free later",
	.threads = 1,
	.values = values,
	.run = run,
};
WORKLOAD(leak);
