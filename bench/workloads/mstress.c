/* SPDX-License-Identifier: MIT */
/*
 * Objects that migrate: threads come and go in rounds, each with blocks of its own, some of which
 * it exchanges for whatever is in a random place of an array that all share. As described for
 * mstress and test-stress by D. Leijen, mimalloc, 2019.
 */
#include <stdatomic.h>

#include "workload.h"

enum { MAX_SHARED = 100000 };

static size_t rounds = 150, steps = 150000, own = 2000, nr_shared = 1000;
static size_t min_bytes = 8, max_bytes = 8 << 10;

static _Atomic(void *) shared[MAX_SHARED];

/*
 * What a thread does depends on its own random numbers alone, not on what it gets from the others,
 * so that all together allocate the same blocks in each run.
 */
static void step(struct worker *self, void **table)
{
	uint64_t random = next_random(&self->random);
	void **slot = &table[pick(&self->random, own)];

	switch (random >> 60) {
	case 0:
	case 1:
	case 2:
		*slot = atomic_exchange_explicit(&shared[pick(&self->random, nr_shared)], *slot,
						 memory_order_acq_rel);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		block_drop_at(self, slot);
		break;
	default:
		block_drop_at(self, slot);
		*slot = block_new(self, pick_skewed(&self->random, min_bytes, max_bytes));
	}
}

static void work(struct worker *self)
{
	size_t nr = workload_share(steps);
	void **table = workload_alloc(own * sizeof(*table));

	memset(table, 0, own * sizeof(*table));
	for (size_t i = 0; i < nr; i++)
		step(self, table);
	for (size_t i = 0; i < own; i++)
		block_drop_at(self, &table[i]);
	free(table);
}

static void drop_shared(struct worker *self, size_t one_in)
{
	for (size_t i = 0; i < nr_shared; i++) {
		void *block;

		if (pick(&self->random, one_in))
			continue;
		block = atomic_exchange(&shared[i], NULL);
		block_drop_at(self, &block);
	}
}

static void run(struct worker *self)
{
	for (size_t i = 0; i < rounds; i++) {
		workers_run(work);
		drop_shared(self, 2);
	}
	drop_shared(self, 1);
}

static const struct workload_value values[] = {
	{ "rounds", &rounds, 1, 1000000, "of threads" },
	{ "steps", &steps, 1, 1000000000, "of all threads of a round together" },
	{ "own", &own, 1, 10000000, "slots of a thread" },
	{ "shared", &nr_shared, 1, MAX_SHARED, "slots that all have together" },
	{ "min", &min_bytes, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ "max", &max_bytes, BLOCK_MIN, 1 << 30,
	  "bytes of a block; twice as large is half as likely" },
	{ 0 },
};

static const struct workload mstress = {
	.name = "mstress",
	.about = "objects that migrate between threads that come and go",
	.threads = 2,
	.values = values,
	.run = run,
};
WORKLOAD(mstress);
