/* SPDX-License-Identifier: MIT */
/*
 * Pools of objects of one size, whoever makes them: what bench/cache compares.
 *
 * A pool is one file. It fills in a constant struct pool and ends with POOL(it), which puts it on the
 * list and writes the measured loops. In these the compiler sees whom it calls: what is inline for
 * a program that uses the pool is inline here, and what is a call for it is a call.
 */
#ifndef BENCH_POOLS_POOL_H
#define BENCH_POOLS_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "../micro.h"

enum {
	POOL_BULK = 32,		/* objects of a bulk: the goal of the project is in these */
	POOL_OBJECT = 64,	/* bytes of an object */
	POOL_CONSTRUCTED = 256, /* of one that has a constructor */
	POOL_PAGE = 4096,
	POOL_PAGES = 32768, /* order 3 */
};

/* What a turn is: an object taken and given back, or POOL_BULK of them. */
enum pool_shape { POOL_PAIR, POOL_BULKS };

typedef void pool_ctor(void *object);

/**
 * struct pool - how to use a pool. @state is what open() has returned.
 * @name: its row.
 * @missing: why it could not be built; NULL: it could.
 * @objects: whether it has a place in the comparison of objects.
 * @pages: whether it has one in the comparison of pages.
 * @one_thread: it cannot be shared, and each thread opens one of its own.
 * @keeps_constructed: what the constructor has done is still there at the next alloc(); else it is called
 *	after each.
 * @open: a pool of objects of @size bytes. @ctor is NULL or theirs, to be called only by those that
 *	keep what it does. NULL: failed, errno says why.
 * @enter: called in each thread before the loop. May be NULL.
 * @alloc: an object. NULL ends the program.
 * @free: the reverse.
 * @alloc_bulk: POOL_BULK objects at once, false: failed; NULL: it has no such call.
 * @free_bulk: the reverse.
 * @close: end the pool.
 */
struct pool {
	const char *name;
	const char *missing;
	bool objects;
	bool pages;
	bool one_thread;
	bool keeps_constructed;
	void *(*open)(size_t size, pool_ctor *ctor);
	void (*enter)(void);
	void *(*alloc)(void *state);
	void (*free)(void *state, void *object);
	bool (*alloc_bulk)(void *state, void **objects);
	void (*free_bulk)(void *state, void **objects);
	void (*close)(void *state);
};

/* What is measured of a pool: a column. */
struct pool_case {
	const char *name;
	bool pages;
	enum pool_shape shape;
	size_t size;
	pool_ctor *ctor;
	unsigned int nr_threads;
};

typedef void pool_run_fn(struct micro *micro, const struct pool_case *what);

struct pool_entry {
	const struct pool *pool;
	pool_run_fn *run;
};

/* Makes the compiler believe that somebody looks at p. */
static inline void *pool_used(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

static inline void pool_must(const struct pool *pool, bool done, const char *what)
{
	if (__builtin_expect(!done, 0)) {
		fprintf(stderr, "cache: %s: %s: %m\n", pool->name, what);
		exit(1);
	}
}

static inline __attribute__((always_inline)) void *pool_one(const struct pool *pool, void *state,
							    pool_ctor *ctor)
{
	void *object = pool->alloc(state);

	pool_must(pool, object != NULL, "alloc");
	if (ctor && !pool->keeps_constructed)
		ctor(object);
	return pool_used(object);
}

static inline __attribute__((always_inline)) void
pool_pairs(const struct pool *pool, void *state, pool_ctor *ctor)
{
	for (int turn = 0; turn < MICRO_BATCH; turn++)
		pool->free(state, pool_one(pool, state, ctor));
}

static inline __attribute__((always_inline)) void
pool_bulks(const struct pool *pool, void *state, pool_ctor *ctor)
{
	void *objects[POOL_BULK];

	for (int turn = 0; turn < MICRO_BATCH; turn++) {
		if (pool->alloc_bulk) {
			pool_must(pool, pool->alloc_bulk(state, objects), "alloc_bulk");
			for (int i = 0; ctor && !pool->keeps_constructed && i < POOL_BULK; i++)
				ctor(objects[i]);
		} else {
			for (int i = 0; i < POOL_BULK; i++)
				objects[i] = pool_one(pool, state, ctor);
		}
		pool_used(objects);
		if (pool->free_bulk) {
			pool->free_bulk(state, objects);
		} else {
			for (int i = 0; i < POOL_BULK; i++)
				pool->free(state, objects[i]);
		}
	}
}

/*
 * One benchmark. The first micro_go_on() waits for all threads, so that the others see what the first
 * has opened; so does the last, and nobody is in the pool when it is closed.
 */
static inline __attribute__((always_inline)) void
pool_run(const struct pool *pool, void **shared, struct micro *micro, const struct pool_case *what)
{
	bool opens = pool->one_thread || micro_thread(micro) == 0;
	void *state = NULL;

	if (opens) {
		state = pool->open(what->size, what->ctor);
		pool_must(pool, state != NULL, "open");
		if (!pool->one_thread)
			*shared = state;
	}
	if (pool->enter)
		pool->enter();
	micro_operations_a_turn(micro, what->shape == POOL_BULKS ? POOL_BULK : 1);
	while (micro_go_on(micro)) {
		if (!pool->one_thread)
			state = *shared;
		if (what->shape == POOL_BULKS)
			pool_bulks(pool, state, what->ctor);
		else
			pool_pairs(pool, state, what->ctor);
	}
	if (opens)
		pool->close(state);
}

/* The list is a section of the program, so that adding a pool is adding its file. */
#define POOL(the_pool)									\
	static void run_it(struct micro *micro, const struct pool_case *what)		\
	{										\
		static void *shared;							\
											\
		pool_run(&(the_pool), &shared, micro, what);				\
	}										\
	static const struct pool_entry entry						\
		__attribute__((used, section("bench_pools"), aligned(sizeof(void *)))) = \
			{ &(the_pool), run_it }

/* In its place where the pool's library was not found by configure. */
#define POOL_MISSING(its_name, package)							\
	static const struct pool the_pool = { .name = (its_name), .missing = (package) }; \
	static const struct pool_entry entry						\
		__attribute__((used, section("bench_pools"), aligned(sizeof(void *)))) = \
			{ &the_pool, NULL }

#endif
