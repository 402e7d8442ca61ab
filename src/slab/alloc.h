/* SPDX-License-Identifier: MIT */
/*
 * What happens when a sheaf is empty or full.
 */
#ifndef SLABUDDY_SLAB_ALLOC_H
#define SLABUDDY_SLAB_ALLOC_H

#include "base/fault.h"
#include "slab/slot.h"

/* Whether the option failslab wants an allocation from @cache to fail. */
static inline bool cache_refuses(const struct kmem_cache *cache)
{
	return unlikely(cache->flags & SLAB_FAILSLAB) && fault_is_on(&failslab) &&
	       should_fail(&failslab, cache->object_size);
}

/**
 * cache_alloc_slow() - an object when the main sheaf had none.
 *
 * The spare sheaf, a full sheaf of the barn, the partial slabs, new slabs: in this order.
 *
 * Return: an object, or NULL when there is no memory.
 * Context: no lock held. May make system calls.
 */
void *cache_alloc_slow(struct kmem_cache *cache);

/* The same from the slabs of node @nid, past the sheaves. Another node's when that has none. */
void *cache_alloc_node_slow(struct kmem_cache *cache, unsigned int nid);

/**
 * cache_take() - several objects, which stay marked as free.
 *
 * Return: how many; fewer than @want only when there is no memory.
 */
size_t cache_take(struct kmem_cache *cache, void **objects, size_t want);

/* Put marked objects, known to be @cache's, into sheaves and slabs. */
void cache_give(struct kmem_cache *cache, void **objects, size_t nr);

/**
 * cache_free_slow() - free an object when the main sheaf did not take it.
 * @cache: the cache that the page's tag names.
 * @object: any address in a page with that tag; what is no object, or free already, is reported.
 *
 * Context: as above.
 */
void cache_free_slow(struct kmem_cache *cache, void *object);

#endif
