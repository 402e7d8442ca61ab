/* SPDX-License-Identifier: MIT */
/*
 * Asymmetric freeing: half of the threads only allocate and the other half only free, as described
 * by C. Lever and D. Boreham, malloc() Performance in a Multithreaded Linux Environment, USENIX
 * 2000.
 *
 * Blocks go from hand to hand in batches, which are allocated and freed in the same way, through
 * one queue that is bounded, so that the memory in use does not depend on who is faster.
 */
#include <pthread.h>

#include "workload.h"

enum { MAX_AHEAD = 1024 };

static size_t batch_blocks = 120, batches = 60000, ahead = 64, min_bytes = 16, max_bytes = 400;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static pthread_cond_t emptied = PTHREAD_COND_INITIALIZER;
static void **queue[MAX_AHEAD];	  /* [lock] a ring */
static size_t nr_queued, next;	  /* [lock] how many, and where the first is */
static unsigned int nr_producers; /* [lock] those that have not ended */

static void queue_put(void **batch)
{
	pthread_mutex_lock(&lock);
	while (nr_queued == ahead)
		pthread_cond_wait(&emptied, &lock);
	queue[(next + nr_queued++) % ahead] = batch;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&lock);
}

/* NULL: there will be no more. */
static void **queue_get(void)
{
	void **batch = NULL;

	pthread_mutex_lock(&lock);
	while (!nr_queued && nr_producers)
		pthread_cond_wait(&filled, &lock);
	if (nr_queued) {
		batch = queue[next];
		next = (next + 1) % ahead;
		nr_queued--;
		pthread_cond_signal(&emptied);
	}
	pthread_mutex_unlock(&lock);
	return batch;
}

static void produce(struct worker *self)
{
	size_t nr = workload_share(2 * batches);

	for (size_t i = 0; i < nr; i++) {
		void **batch = workload_alloc(batch_blocks * sizeof(*batch));

		for (size_t k = 0; k < batch_blocks; k++)
			batch[k] =
				block_new(self, pick_between(&self->random, min_bytes, max_bytes));
		queue_put(batch);
	}
	pthread_mutex_lock(&lock);
	nr_producers--;
	pthread_cond_broadcast(&filled);
	pthread_mutex_unlock(&lock);
}

static void consume(struct worker *self)
{
	void **batch;

	while ((batch = queue_get())) {
		for (size_t k = 0; k < batch_blocks; k++)
			block_drop(self, batch[k]);
		free(batch);
	}
}

static void work(struct worker *self)
{
	if (self->index % 2)
		consume(self);
	else
		produce(self);
}

static void run(struct worker *self)
{
	(void)self;
	nr_producers = nr_threads / 2;
	workers_run(work);
}

static const struct workload_value values[] = {
	{ "batches", &batches, 1, 100000000, "that all threads together produce" },
	{ "batch", &batch_blocks, 1, 100000, "blocks in one" },
	{ "ahead", &ahead, 1, MAX_AHEAD, "batches that wait at most" },
	{ "min", &min_bytes, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ "max", &max_bytes, BLOCK_MIN, 1 << 30, "bytes of a block" },
	{ 0 },
};

static const struct workload xmalloc = {
	.name = "xmalloc",
	.about = "half of the threads allocate, the others free",
	.threads = 2,
	.multiple = 2,
	.values = values,
	.run = run,
};
WORKLOAD(xmalloc);
