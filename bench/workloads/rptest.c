/* SPDX-License-Identifier: MIT */
/*
 * Loops that free some blocks in no order and allocate others, more in each loop until the next
 * cycle begins, and give some to the next thread, which frees them. Each block is written to at
 * both ends. As described for rpmalloc-benchmark by M. Jansson, 2017.
 */
#include <stdatomic.h>

#include "workload.h"

/* Loops until the number of blocks starts again; arbitrary. */
enum { CYCLE = 64 };

/* Batches in a mailbox; arbitrary. It bounds what waits for a thread that does not run. */
enum { MAX_WAITING = 16 };

static size_t loops = 12000, blocks = 20000, growth = 16, gift = 100;
static size_t min_bytes = 16, max_bytes = 8000;

/* It brings the random number that its order is made from: its receiver's own are for sizes. */
struct batch {
	struct batch *next;
	uint64_t random;
	size_t nr;
	void *blocks[];
};

/* What the thread before has given. The order says what a batch's contents are, nr_waiting is a
 * hint. */
struct mailbox {
	_Alignas(128) _Atomic(struct batch *) first;
	atomic_uint nr_waiting;
};

static struct mailbox mailboxes[WORKLOAD_MAX_THREADS];

static void drop_batch(struct worker *self, struct batch *batch)
{
	shuffle(&batch->random, batch->blocks, batch->nr);
	for (size_t i = 0; i < batch->nr; i++)
		block_drop(self, batch->blocks[i]);
	free(batch);
}

/* All at once: nobody ever takes a single one, so no batch can come back between look and exchange.
 */
static void empty_mailbox(struct worker *self, struct mailbox *mailbox)
{
	struct batch *batch = atomic_exchange_explicit(&mailbox->first, NULL, memory_order_acquire);

	while (batch) {
		struct batch *following = batch->next;

		atomic_fetch_sub_explicit(&mailbox->nr_waiting, 1, memory_order_relaxed);
		drop_batch(self, batch);
		batch = following;
	}
}

static void give(struct worker *self, struct batch *batch)
{
	struct mailbox *mailbox = &mailboxes[(self->index + 1) % nr_threads];

	if (atomic_load_explicit(&mailbox->nr_waiting, memory_order_relaxed) >= MAX_WAITING) {
		drop_batch(self, batch);
		return;
	}
	atomic_fetch_add_explicit(&mailbox->nr_waiting, 1, memory_order_relaxed);
	batch->next = atomic_load_explicit(&mailbox->first, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&mailbox->first, &batch->next, batch,
						      memory_order_release, memory_order_relaxed))
		;
}

/* Sizes of two kinds: one block in four is of any size, the others are rather small. */
static void *new_block(struct worker *self)
{
	if (!(next_random(&self->random) >> 62))
		return block_new(self, pick_between(&self->random, min_bytes, max_bytes));
	return block_new(self, pick_skewed(&self->random, min_bytes, max_bytes));
}

static void one_loop(struct worker *self, void **table, size_t nr)
{
	struct batch *batch = workload_alloc(sizeof(*batch) + gift * sizeof(*batch->blocks));
	size_t from = pick(&self->random, blocks);

	for (size_t i = 0; i < nr; i++)
		block_drop_at(self, &table[pick(&self->random, blocks)]);
	for (size_t i = 0; i < nr; i++) {
		void **slot = &table[(from + i) % blocks];

		block_drop_at(self, slot);
		*slot = new_block(self);
	}
	for (batch->nr = 0; batch->nr < gift; batch->nr++)
		batch->blocks[batch->nr] = new_block(self);
	batch->random = next_random(&self->random) | 1;
	give(self, batch);
	empty_mailbox(self, &mailboxes[self->index]);
}

static void work(struct worker *self)
{
	size_t nr = workload_share(loops);
	void **table = workload_alloc(blocks * sizeof(*table));

	memset(table, 0, blocks * sizeof(*table));
	for (size_t i = 0; i < nr; i++)
		one_loop(self, table, (i % CYCLE + 1) * growth);
	workers_meet();
	empty_mailbox(self, &mailboxes[self->index]);
	for (size_t i = 0; i < blocks; i++)
		block_drop_at(self, &table[i]);
	free(table);
}

static const struct workload_value values[] = {
	{ "loops", &loops, 1, 100000000, "of all threads together" },
	{ "blocks", &blocks, 1, 10000000, "that a thread has at most" },
	{ "growth", &growth, 1, 100000, "more blocks in each loop" },
	{ "gift", &gift, 1, 100000, "blocks given to the next thread in each loop" },
	{ "min", &min_bytes, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ "max", &max_bytes, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ 0 },
};

static const struct workload rptest = {
	.name = "rptest",
	.about = "growing loops, and gifts to the next thread, freed in no order",
	.threads = 2,
	.values = values,
	.work = work,
};
WORKLOAD(rptest);
