/* SPDX-License-Identifier: MIT */
/*
 * Large blocks in turn: a table of a few, one of which is replaced in each step by one of another
 * size, and each page of it written to. As described for malloc-large in mimalloc-bench, 2021
 * (after mimalloc's issue 447). With other sizes it is the case between small and large.
 */
#include "workload.h"

static size_t steps = 100, blocks = 20, min_bytes = 5 << 20, max_bytes = 25 << 20;

static void work(struct worker *self)
{
	size_t nr = workload_share(steps);
	void **table = workload_alloc(blocks * sizeof(*table));

	memset(table, 0, blocks * sizeof(*table));
	for (size_t i = 0; i < nr; i++) {
		void **slot = &table[pick(&self->random, blocks)];

		block_drop_at(self, slot);
		*slot = block_new(self, pick_between(&self->random, min_bytes, max_bytes));
		block_touch(*slot);
	}
	for (size_t i = 0; i < blocks; i++)
		block_drop_at(self, &table[i]);
	free(table);
}

static const struct workload_value values[] = {
	{ "steps", &steps, 1, 100000000, "of all threads together" },
	{ "blocks", &blocks, 1, 1000000, "of each thread at a time" },
	{ "min", &min_bytes, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ "max", &max_bytes, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ 0 },
};

static const struct workload large = {
	.name = "large",
	.about = "large blocks replaced in turn, each page touched",
	.threads = 1,
	.values = values,
	.work = work,
};
WORKLOAD(large);
