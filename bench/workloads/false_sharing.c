/* SPDX-License-Identifier: MIT */
/*
 * Each thread writes to a small object of its own, very often. When the allocator has put two such
 * objects into one cache line, that takes many times as long. As described by E. Berger and others,
 * Hoard: A Scalable Memory Allocator for Multithreaded Applications, ASPLOS 2000:
 *
 * cache-thrash: the threads allocate the objects. Does the allocator share a line actively?
 *
 * cache-scratch: the main thread allocates the first ones, side by side, and each thread frees its
 * own before it allocates. Does it get a place in the shared line again?
 */
#include "workload.h"

static size_t turns = 1000, writes = 400000, bytes = 8;

/* [const while workers run] the first object of each, or NULL */
static void **firsts;

/* An object is all counters of one byte, so this is not what block_new() gives. */
static void *new_object(struct worker *self)
{
	self->nr_new++;
	return memset(workload_alloc(bytes), 0, bytes);
}

static void use(unsigned char *object, size_t nr)
{
	volatile unsigned char *counters = object;

	for (size_t turn = 0; turn < nr; turn++)
		for (size_t i = 0; i < bytes; i++)
			counters[i]++;
}

static void drop_object(struct worker *self, unsigned char *object, size_t nr)
{
	for (size_t i = 0; i < bytes; i++)
		if (object[i] != (unsigned char)nr)
			workload_fail("an object has changed");
	free(object);
	self->nr_dropped++;
	self->checksum += (unsigned char)nr;
}

static void work(struct worker *self)
{
	size_t nr = workload_scaled(writes) / bytes + 1;

	if (firsts[self->index])
		drop_object(self, firsts[self->index], 0);
	for (size_t i = 0; i < turns; i++) {
		unsigned char *object = new_object(self);

		use(object, nr);
		drop_object(self, object, nr);
	}
}

static void run(struct worker *giver)
{
	firsts = workload_alloc(nr_threads * sizeof(*firsts));
	for (unsigned int i = 0; i < nr_threads; i++)
		firsts[i] = giver ? new_object(giver) : NULL;
	workers_run(work);
	free(firsts);
}

static void run_thrash(struct worker *self)
{
	(void)self;
	run(NULL);
}

static const struct workload_value values[] = {
	{ "turns", &turns, 1, 100000000, "objects that each thread has, one after the other" },
	{ "writes", &writes, 1, 1000000000, "to each object" },
	{ "bytes", &bytes, 1, 4096, "of an object" },
	{ 0 },
};

static const struct workload thrash = {
	.name = "cache-thrash",
	.about = "active false sharing: threads allocate objects and write to them",
	.threads = 2,
	.values = values,
	.run = run_thrash,
};
WORKLOAD(thrash);

static const struct workload scratch = {
	.name = "cache-scratch",
	.about = "passive false sharing: they first free one that the main thread has allocated",
	.threads = 2,
	.values = values,
	.run = run,
};
WORKLOAD(scratch);
