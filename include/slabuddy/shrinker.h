/* SPDX-License-Identifier: MIT */
/*
 * Whom to ask for memory when there is none: <linux/shrinker.h>.
 *
 * A program that keeps things it could do without (a cache of parsed files, of connections) registers a
 * shrinker. When an allocation with __GFP_DIRECT_RECLAIM finds no memory, and when slabuddy_shrink() is
 * called, shrinkers are asked how much they have and told to free a part of it.
 */
#ifndef SLABUDDY_SHRINKER_H
#define SLABUDDY_SHRINKER_H

#include <slabuddy/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a scan must do and what it did. */
struct shrink_control {
	gfp_t gfp_mask;		  /* of the allocation that needs memory */
	int nid;		  /* node that needs it */
	unsigned long nr_to_scan; /* objects to look at */
	unsigned long nr_scanned; /* set by scan_objects() if it looked at less or more */
};

/* scan_objects() can do nothing now, without a deadlock for example. */
#define SHRINK_STOP  (~0UL)
/* count_objects() has nothing. */
#define SHRINK_EMPTY (~0UL - 1)

#define DEFAULT_SEEKS 2

/**
 * struct shrinker - filled in between shrinker_alloc() and shrinker_register().
 * @count_objects: how many objects could be freed; 0: unknown, SHRINK_EMPTY: none. Must not block.
 * @scan_objects: free up to nr_to_scan objects. Return: how many were freed, or SHRINK_STOP.
 * @batch: objects a call of scan_objects(); 0: 128.
 * @seeks: what it costs to make an object anew; DEFAULT_SEEKS is ordinary, 0 nothing.
 * @private_data: the program's.
 *
 * Both run in a thread that allocates, without any lock of the library; they may allocate and free. They
 * do not call themselves: an allocation within a scan does not reclaim.
 */
struct shrinker {
	unsigned long (*count_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	long batch;
	int seeks;
	void *private_data;
};

/**
 * shrinker_alloc() - a shrinker that nobody calls yet.
 * @flags: 0.
 * @fmt: its name, as for printf(); cut to 63 characters.
 *
 * Return: the shrinker, or NULL: no memory or an unknown flag.
 */
struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void shrinker_register(struct shrinker *shrinker);

/* End a shrinker, whether registered or not; waits until no thread is in it. NULL is nothing. Not from
 * within a shrinker. */
void shrinker_free(struct shrinker *shrinker);

/**
 * slabuddy_shrink() - what memory pressure does, at once: ask all shrinkers for all they have, and give free
 * pages back to the OS.
 *
 * Return: objects that shrinkers freed.
 */
unsigned long slabuddy_shrink(void);

#ifdef __cplusplus
}
#endif

#endif
