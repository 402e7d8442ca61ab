/* SPDX-License-Identifier: MIT */
/*
 * How large a slot's sheaves of a cache are, and how full its barn: questions that alloc.c asks when a main sheaf
 * has run empty or full, and what it tells so that they can be answered.
 *
 * In all of it the slot is entered and the cache's main sheaf closed. @node: the cache's on the slot's node; it may
 * be NULL where it is not said otherwise.
 */
#ifndef SLABUDDY_SLAB_SHEAF_POLICY_H
#define SLABUDDY_SLAB_SHEAF_POLICY_H

#include "slab/slot.h"

/* The main sheaf is full. */
void sheaves_note_full(struct slot_sheaves *sheaves);

/* Objects go to the barn or to slabs. */
void sheaves_note_flush(struct slot_sheaves *sheaves);

/* @nr objects that were freed lately are wanted again. */
void sheaves_note_return(struct slot_sheaves *sheaves, uint32_t nr);

/* Objects will be taken from slabs. Return: whether sheaves->limit has changed. */
bool sheaves_note_refill(struct slot_sheaves *sheaves);

/*
 * Objects have been taken from slabs of @node. Keeps the most that slabs have handed out of late: half of it and less
 * means that objects go for good, not to and fro between threads.
 */
void sheaves_note_inuse(struct kmem_cache_node *node);

/*
 * Whether a slot's sheaves may have @nr more objects: large ones only while it holds a quarter of its part, as a lock is
 * little beside their first touch.
 */
bool sheaves_may_hold(const struct slot *slot, const struct kmem_cache *cache, size_t nr);

/* Whether the main sheaf should have more room. */
bool sheaves_should_grow(struct slot *slot, struct kmem_cache *cache,
			 const struct kmem_cache_node *node);

/*
 * The same when it is swapped for the spare. Whoever goes to and fro over the edge between the two, as bulks of more than a
 * sheaf do, gets a larger one, up to what needs no justification.
 */
bool sheaves_should_grow_at_swap(struct slot *slot, struct kmem_cache *cache);

/* Whether both should have less room. */
bool sheaves_should_shrink(struct slot *slot, struct kmem_cache *cache,
			   const struct kmem_cache_node *node);

/* Whether both shall be small until the next refill. @node: not NULL. */
bool sheaves_should_let_go(struct slot *slot, struct kmem_cache *cache,
			   const struct kmem_cache_node *node);

/*
 * The slabs that would be empty if nothing of the cache lay in this slot's sheaves and the barn, as far as
 * numbers can tell: what is in use might lie in as few slabs as it needs. @node: not NULL. Return: whether they are too
 * many.
 */
bool sheaves_pin_too_much(struct slot *slot, struct kmem_cache *cache,
			  const struct kmem_cache_node *node);

/* Objects that a barn may hold: two sheaves like this slot's, more only by the objects in use. */
uint32_t sheaves_barn_limit(struct slot *slot, struct kmem_cache *cache,
			    const struct kmem_cache_node *node);

#endif
