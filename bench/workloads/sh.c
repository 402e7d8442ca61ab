/* SPDX-License-Identifier: MIT */
/*
 * Batches of blocks of mixed sizes, freed partly in the order in which they were allocated, partly
 * in the reverse, partly in any: what MicroQuill's SmartHeap benchmarks sh6bench and sh8bench are
 * described as in mimalloc-bench, 2019. In sh6 a thread frees what it has allocated, in sh8 what
 * another one has.
 */
#include "workload.h"

static size_t blocks = 6000, batches = 2000, min_bytes = 8, max_bytes = 1000;

/* [its worker; between two meetings the one before it] a table for each worker */
static void ***tables;

static void allocate(struct worker *self, void **table)
{
	for (size_t i = 0; i < blocks; i++)
		table[i] = block_new(self, pick_skewed(&self->random, min_bytes, max_bytes));
}

/* One third each way. */
static void drop(struct worker *self, void **table)
{
	size_t one = blocks / 3, two = one * 2;

	for (size_t i = one; i > 0; i--)
		block_drop(self, table[i - 1]);
	for (size_t i = one; i < two; i++)
		block_drop(self, table[i]);
	shuffle(&self->random, table + two, blocks - two);
	for (size_t i = two; i < blocks; i++)
		block_drop(self, table[i]);
}

static void work_alone(struct worker *self)
{
	size_t nr = workload_share(batches);

	for (size_t i = 0; i < nr; i++) {
		allocate(self, tables[self->index]);
		drop(self, tables[self->index]);
	}
}

static void work_across(struct worker *self)
{
	size_t nr = workload_share(batches);

	for (size_t i = 0; i < nr; i++) {
		allocate(self, tables[self->index]);
		workers_meet();
		drop(self, tables[(self->index + 1) % nr_threads]);
		workers_meet();
	}
}

static void run(void (*work)(struct worker *self))
{
	tables = workload_alloc(nr_threads * sizeof(*tables));
	for (unsigned int i = 0; i < nr_threads; i++)
		tables[i] = workload_alloc(blocks * sizeof(**tables));
	workers_run(work);
	for (unsigned int i = 0; i < nr_threads; i++)
		free(tables[i]);
	free(tables);
}

static void run_alone(struct worker *self)
{
	(void)self;
	run(work_alone);
}

static void run_across(struct worker *self)
{
	(void)self;
	run(work_across);
}

static const struct workload_value values[] = {
	{ "batches", &batches, 1, 100000000, "of all threads together" },
	{ "blocks", &blocks, 3, 10000000, "in a batch" },
	{ "min", &min_bytes, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ "max", &max_bytes, BLOCK_MIN, 1 << 30,
	  "bytes of a block; twice as large is half as likely" },
	{ 0 },
};

static const struct workload sh6 = {
	.name = "sh6",
	.about = "batches of mixed sizes, freed in mixed order",
	.threads = 1,
	.values = values,
	.run = run_alone,
};
WORKLOAD(sh6);

static const struct workload sh8 = {
	.name = "sh8",
	.about = "the same, each batch freed by another thread",
	.threads = 2,
	.values = values,
	.run = run_across,
};
WORKLOAD(sh8);
