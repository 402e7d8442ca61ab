/* SPDX-License-Identifier: MIT */
/*
 * What happens when a sheaf is empty or full.
 */
#ifndef SLABUDDY_SLAB_ALLOC_H
#define SLABUDDY_SLAB_ALLOC_H

#include "slab/slot.h"

/**
 * cache_alloc_slow() - an object when the main sheaf had none.
 *
 * The spare sheaf, a full sheaf of the barn, the partial slabs, new slabs: in this order.
 *
 * Return: an object, or NULL when there is no memory.
 * Context: no lock held. May make system calls.
 */
void *cache_alloc_slow(struct kmem_cache *cache);

/**
 * cache_free_slow() - free an object when the main sheaf did not take it.
 * @cache: the cache that the page's tag names.
 * @object: any address in a page with that tag; what is no object, or free already, is reported.
 *
 * Context: as above.
 */
void cache_free_slow(struct kmem_cache *cache, void *object);

#endif
