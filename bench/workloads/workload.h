/* SPDX-License-Identifier: MIT */
/*
 * Workloads: programs that do little else than allocate and free, each in the way of a published
 * benchmark, written from its description. README.md in the folder above lists them.
 *
 * A workload is one file. It fills in a constant struct workload and ends with WORKLOAD(it). Its
 * work is fixed by the arguments and the seed, and the time is what is measured, by whoever runs
 * it. What it prints is the same under every allocator, whatever its threads' order: a count and a
 * sum over all blocks that were freed.
 */
#ifndef BENCH_WORKLOADS_WORKLOAD_H
#define BENCH_WORKLOADS_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../random.h"

enum {
	WORKLOAD_PAGE = 4096,
	WORKLOAD_MAX_THREADS = 1000, /* arbitrary */
	BLOCK_MIN = 8,		     /* bytes: the word that a block begins with */
};

/**
 * struct worker - a thread of the workload, or a line of threads that follow each other.
 * @random: state of its random numbers, never zero.
 * @index: which of the threads it is, from 0.
 * @nr_new: blocks that it has allocated.
 * @nr_dropped: blocks that it has freed; what counts as operations.
 * @checksum: over the blocks that it has freed.
 *
 * Each is its current thread's alone, and has its cache lines for itself.
 */
struct worker {
	_Alignas(128) uint64_t random;
	unsigned int index;
	uint64_t nr_new;
	uint64_t nr_dropped;
	uint64_t checksum;
};

/* A number of the workload's own that can be given as NAME=VALUE. */
struct workload_value {
	const char *name;
	size_t *value; /* the default, until main() has read the arguments */
	size_t min, max;
	const char *about;
};

/**
 * struct workload - what a file defines.
 * @name: how it is called.
 * @about: what it does, in one line.
 * @threads: how many, unless -t says otherwise.
 * @max_threads: how many it can have; 0: WORKLOAD_MAX_THREADS.
 * @multiple: what their number must be a multiple of; 0: anything.
 * @values: ends with one that has no name. May be NULL.
 * @work: what each thread does, if that is all.
 * @alone: with one thread it is the main one that works, as in most programs that have one.
 * @run: else: all of the work, called once, by the main thread, which gets a struct worker too.
 */
struct workload {
	const char *name;
	const char *about;
	unsigned int threads;
	unsigned int max_threads;
	unsigned int multiple;
	const struct workload_value *values;
	void (*work)(struct worker *self);
	bool alone;
	void (*run)(struct worker *self);
};

/* [const while the workload runs] nr_threads of them. */
extern struct worker *workers;
extern unsigned int nr_threads;

/* Say what is wrong, in one line, and end with status 1. */
_Noreturn void workload_fail(const char *what);

/* So much of that amount as -n says, at least 1. */
size_t workload_scaled(size_t amount);

/* A thread's share of that, at least 1. */
size_t workload_share(size_t amount);

/* Start a thread for each worker, let it work, and wait for the end of all of them. */
void workers_run(void (*work)(struct worker *self));

/* Called by every thread of workers_run(): wait until all of them are here. */
void workers_meet(void);

/* malloc() that does not fail, for what is no block: tables and the like. */
void *workload_alloc(size_t size);

/* From min to max, each as likely. */
static inline size_t pick_between(uint64_t *state, size_t min, size_t max)
{
	return min + pick(state, max - min + 1);
}

/* From min to max by a power law: twice as large is half as likely. */
static inline size_t pick_skewed(uint64_t *state, size_t min, size_t max)
{
	uint64_t low = ((uint64_t)min << 32) / max;

	return ((uint64_t)min << 32) / (low + pick(state, (1ULL << 32) - low) + 1);
}

/* In any order. */
static inline void shuffle(uint64_t *state, void **pointers, size_t nr)
{
	for (size_t i = nr; i > 1; i--) {
		size_t other = pick(state, i);
		void *pointer = pointers[other];

		pointers[other] = pointers[i - 1];
		pointers[i - 1] = pointer;
	}
}

/*
 * What a block begins and ends with, a block below 16 bytes only begins: its size, so that nobody
 * has to remember that, and a mark made of its size and address. So a block that somebody else has
 * written to shows when it is freed.
 */
static inline uint64_t block_word(const void *block, size_t size)
{
	uint64_t mark = ((uintptr_t)block + size) * 0x9e3779b97f4a7c15ULL;

	return (mark & ~0xffffffffULL) | size;
}

/* A new block of size bytes, from BLOCK_MIN to 2^32 - 1. */
static inline void *block_new(struct worker *self, size_t size)
{
	char *block = malloc(size);
	uint64_t word = block_word(block, size);

	if (__builtin_expect(!block, 0))
		workload_fail("malloc gives nothing");
	if (size >= 2 * BLOCK_MIN)
		memcpy(block + size - sizeof(word), &word, sizeof(word));
	memcpy(block, &word, sizeof(word));
	self->nr_new++;
	return block;
}

static inline size_t block_size(const void *block)
{
	uint64_t word;

	memcpy(&word, block, sizeof(word));
	return (uint32_t)word;
}

/* Write something in each of its pages but the first and last, which block_new() has written to. */
static inline void block_touch(void *block)
{
	size_t size = block_size(block);

	for (size_t at = WORKLOAD_PAGE; at + WORKLOAD_PAGE < size; at += WORKLOAD_PAGE)
		((char *)block)[at] = 1;
}

static inline void block_check(const void *block)
{
	uint64_t first, last;
	size_t size = block_size(block);

	memcpy(&first, block, sizeof(first));
	/* the size first: it says where the end is */
	if (__builtin_expect(first != block_word(block, size), 0))
		workload_fail("a block's beginning has changed");
	if (size < 2 * BLOCK_MIN)
		return;
	memcpy(&last, (const char *)block + size - sizeof(last), sizeof(last));
	if (__builtin_expect(last != first, 0))
		workload_fail("a block's end has changed");
}

/* Check a block and free it. */
static inline void block_drop(struct worker *self, void *block)
{
	uint64_t sum = (block_size(block) + 1) * 0x9e3779b97f4a7c15ULL;

	block_check(block);
	/* a block that two have got shows when the second one drops it */
	memset(block, 0, BLOCK_MIN);
	free(block);
	self->nr_dropped++;
	self->checksum += sum ^ (sum >> 29);
}

/* The same for a place that may be empty, and is then. */
static inline void block_drop_at(struct worker *self, void **place)
{
	if (*place)
		block_drop(self, *place);
	*place = NULL;
}

/* The list is a section of the program, so that adding a workload is adding its file. */
#define WORKLOAD(the_workload)                                   \
	static const struct workload *const the_workload##_entry \
		__attribute__((used, section("bench_workloads"))) = &(the_workload)

#endif
