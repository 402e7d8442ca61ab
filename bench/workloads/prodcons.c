/* SPDX-License-Identifier: MIT */
/*
 * Single blocks from a producer to its consumer, through a ring without locks: what remains is
 * allocating in one thread and freeing in another. As described for producer-consumer by M.
 * Michael, Scalable Lock-Free Dynamic Memory Allocation, PLDI 2004; there several consumers have
 * one producer.
 */
#include <sched.h>
#include <stdatomic.h>

#include "workload.h"

enum { MAX_RING = 65536, SPINS = 200 }; /* looks before the processor is given away; arbitrary */

static size_t objects = 8000000, room = 1024, min_bytes = 16, max_bytes = 2000;

/*
 * Of a pair: the producer writes head, the consumer tail. Both have a copy of the other's, which
 * they refresh when it says that the ring is full or empty.
 */
struct ring {
	_Alignas(128) atomic_size_t head;
	size_t seen_tail; /* [the producer] */
	_Alignas(128) atomic_size_t tail;
	size_t seen_head; /* [the consumer] */
	_Alignas(128) void **blocks;
};

static struct ring rings[WORKLOAD_MAX_THREADS / 2];

/* Wait until *counter is not old; its new value. */
static size_t wait_for_change(const atomic_size_t *counter, size_t old)
{
	size_t now;

	for (int spins = 0; (now = atomic_load_explicit(counter, memory_order_acquire)) == old;)
		if (++spins == SPINS) {
			sched_yield();
			spins = 0;
		}
	return now;
}

static void produce(struct worker *self, struct ring *ring, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (i - ring->seen_tail == room)
			ring->seen_tail = wait_for_change(&ring->tail, ring->seen_tail);
		ring->blocks[i % room] =
			block_new(self, pick_skewed(&self->random, min_bytes, max_bytes));
		atomic_store_explicit(&ring->head, i + 1, memory_order_release);
	}
}

static void consume(struct worker *self, struct ring *ring, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (i == ring->seen_head)
			ring->seen_head = wait_for_change(&ring->head, i);
		block_drop(self, ring->blocks[i % room]);
		atomic_store_explicit(&ring->tail, i + 1, memory_order_release);
	}
}

static void work(struct worker *self)
{
	size_t nr = workload_share(2 * objects);
	struct ring *ring = &rings[self->index / 2];

	if (self->index % 2)
		consume(self, ring, nr);
	else
		produce(self, ring, nr);
}

static void run(struct worker *self)
{
	(void)self;
	for (unsigned int i = 0; i < nr_threads / 2; i++)
		rings[i].blocks = workload_alloc(room * sizeof(*rings[i].blocks));
	workers_run(work);
	for (unsigned int i = 0; i < nr_threads / 2; i++)
		free(rings[i].blocks);
}

static const struct workload_value values[] = {
	{ "objects", &objects, 1, 1000000000, "of all pairs together" },
	{ "room", &room, 1, MAX_RING, "of a ring" },
	{ "min", &min_bytes, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ "max", &max_bytes, BLOCK_MIN, 1 << 30,
	  "bytes of a block; twice as large is half as likely" },
	{ 0 },
};

static const struct workload prodcons = {
	.name = "prodcons",
	.about = "single blocks from a producer to a consumer, in pairs",
	.threads = 2,
	.multiple = 2,
	.values = values,
	.run = run,
};
WORKLOAD(prodcons);
