/* SPDX-License-Identifier: MIT */
/*
 * Slabs of a cache on one node: refill takes objects out of them in batches, flush puts objects
 * back.
 */
#ifndef SLABUDDY_SLAB_SLAB_H
#define SLABUDDY_SLAB_SLAB_H

#include "slab/cache.h"

/**
 * slab_refill() - take free objects out of a cache's slabs.
 * @cache: the cache.
 * @nid: node that is preferred.
 * @objects: gets them; the last is the one to hand out first.
 * @want: how many, at least 1.
 * @pcp: the caller's slot's page lists for @nid, or NULL.
 *
 * Partial slabs first, the fullest ones before the others; new slabs when there is none, unless the cache
 * has a constructor: then only slab_construct() makes them.
 *
 * Return: how many there are, 0 when the OS gives no memory.
 * Context: takes LOCK_NODE; no lock but the caller's slot may be held.
 */
unsigned int slab_refill(struct kmem_cache *cache, unsigned int nid, void **objects,
			 unsigned int want, struct pcp *pcp);

/* The same from a new slab of the slot's own, whatever there is in others; never for a cache with a
 * constructor. */
unsigned int slab_refill_apart(struct kmem_cache *cache, unsigned int nid, void **objects,
			       unsigned int want, struct pcp *pcp);

/**
 * slab_try_take() - one object, waiting for no lock and asking the OS for nothing.
 *
 * Return: NULL when what it needs is locked or used up; always for a cache with a constructor.
 * Context: any, signal handlers included.
 */
void *slab_try_take(struct kmem_cache *cache);

/**
 * slab_flush() - put objects back into their slabs.
 * @objects: objects of @cache, of any node, in any order.
 *
 * Slabs that become empty go back to the buddy, but for a few. An object whose bit says that it is
 * free already, and a pointer that is no object of @cache, is reported (see report.h).
 *
 * Return: how many of them lie in slabs that another slot than @pcp's took from last.
 */
size_t slab_flush(struct kmem_cache *cache, void **objects, size_t nr, struct pcp *pcp,
		  unsigned int pcp_nid);

/**
 * slab_construct() - a new slab, its objects constructed, among the node's partial slabs.
 * @nid: node that is preferred.
 *
 * Return: false when there is no memory.
 * Context: no lock at all, since the constructor may do what it likes.
 */
bool slab_construct(struct kmem_cache *cache, unsigned int nid);

/* Return the empty slabs of a node to the buddy. */
void slab_shrink_node(struct kmem_cache *cache, struct kmem_cache_node *node);

/**
 * slab_of() - the slab that an address lies in.
 *
 * Return: its head page, or NULL when the address is in no slab of @cache.
 */
struct page *slab_of(struct kmem_cache *cache, const void *addr);

/* Whether an address in a slab of @cache is where an object starts. */
bool slab_is_object(const struct kmem_cache *cache, const void *addr);

/* A valid object's address, and not free according to its slab. Without a lock. */
bool slab_object_in_use(struct kmem_cache *cache, const void *addr);

/* The number of the object that starts at @addr. */
static inline unsigned int slab_object_number(const struct kmem_cache *cache, const void *addr)
{
	return object_number(cache,
			     ((uint32_t)(uintptr_t)addr & cache->slab_mask) - cache->first_offset);
}

static inline uint64_t *slab_map_word(struct page *slab, unsigned int object)
{
	unsigned int word = object / BITS_PER_WORD;

	return &slab[word / SLAB_MAP_WORDS].free_map[word % SLAB_MAP_WORDS];
}

#endif
