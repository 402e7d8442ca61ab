/* SPDX-License-Identifier: MIT */
/*
 * A large table of slots for each thread. A random slot is chosen; if it is empty a block is put
 * there, else its block is freed. Sizes follow a power law. As described for alloc-test in Testing
 * Memory Allocators, ithare.com 2018. There the slots follow one too; here each is as likely, so
 * that the heap is not only its hottest part.
 */
#include "workload.h"

static size_t slots = 200000, steps = 8000000, min_bytes = 16, max_bytes = 32 << 10;

static void work(struct worker *self)
{
	size_t nr = workload_share(steps);
	void **table = workload_alloc(slots * sizeof(*table));

	memset(table, 0, slots * sizeof(*table));
	for (size_t i = 0; i < nr; i++) {
		void **slot = &table[pick(&self->random, slots)];

		if (*slot)
			block_drop_at(self, slot);
		else
			*slot = block_new(self, pick_skewed(&self->random, min_bytes, max_bytes));
	}
	for (size_t i = 0; i < slots; i++)
		block_drop_at(self, &table[i]);
	free(table);
}

static const struct workload_value values[] = {
	{ "steps", &steps, 1, 1000000000, "of all threads together" },
	{ "slots", &slots, 1, 100000000, "in each thread's table" },
	{ "min", &min_bytes, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ "max", &max_bytes, BLOCK_MIN, 1 << 30,
	  "bytes of a block; twice as large is half as likely" },
	{ 0 },
};

static const struct workload alloc_test = {
	.name = "alloc-test",
	.about = "a large table of random slots, sizes by a power law",
	.threads = 1,
	.values = values,
	.work = work,
};
WORKLOAD(alloc_test);
