/* SPDX-License-Identifier: MIT */
/*
 * A barn: where the slots of one cache and node trade full sheaves for empty ones. What one
 * thread frees, another gets by one short lock for a whole sheaf.
 */
#ifndef SLABUDDY_SLAB_BARN_H
#define SLABUDDY_SLAB_BARN_H

#include "base/lock.h"
#include "slab/sheaf.h"

struct barn {
	struct lock lock;
	uint32_t nr_empty;	 /* [lock] */
	uint32_t nr_full;	 /* [lock] */
	uint32_t nr_objects;	 /* [lock] in full sheaves */
	struct sheaf *full;	 /* [lock] */
	struct sheaf *empty;	 /* [lock] */
};

/* A sheaf with objects in it, or NULL. */
struct sheaf *barn_get_full(struct barn *barn);

/* The same in exchange for an empty one, which stays the caller's when there is none. */
struct sheaf *barn_trade_empty(struct barn *barn, struct sheaf *empty);

/* Return: false when the barn would then hold more than @max_objects: the sheaf stays the caller's. */
bool barn_put_full(struct barn *barn, struct sheaf *sheaf, uint32_t max_objects);

/* The same in exchange for an empty one of at least @capacity. Return: NULL: there is none, or no room. */
struct sheaf *barn_trade_full(struct barn *barn, struct sheaf *full, uint32_t max_objects,
			      uint32_t capacity);

/* Take everything out. Return: the full sheaves as a list; the empty ones are freed. */
struct sheaf *barn_drain(struct barn *barn);

#endif
