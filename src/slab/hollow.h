/* SPDX-License-Identifier: MIT */
/*
 * Hollow slabs: pages of a slab that no object in use touches go back to the OS, while the slab stays.
 *
 * One object in use keeps a slab of eight pages or more; its memory need not be kept. A slab of which less than a
 * quarter is in use is "sparse". When a cache has more sparse slabs than it should, those that have been sparse the
 * longest are looked through, and what is free in them by whole pages goes. They are then the last that objects are
 * taken from, and are looked through again when half as much of them is in use.
 *
 * While a slab is looked through, whoever does it has taken all of its free objects, so it is full for everybody else.
 *
 * A hollow page has a tag of its own: what lies there is free, so a free() of it must not find its way into a sheaf, and the
 * marks of free objects (mark.h) are gone with the memory.
 *
 * Sparse slabs may have what free dirty pages leave of the zone's floor: they are as good as these against page faults.
 *
 * What must stay in free objects stays: caches with a constructor, with readers under RCU, or watched are never hollow.
 */
#ifndef SLABUDDY_SLAB_HOLLOW_H
#define SLABUDDY_SLAB_HOLLOW_H

#include "buddy/hollow.h"
#include "slab/cache.h"

/* Arbitrary: the maps of those that are looked through at once lie on the stack. No cache of malloc's has more. */
#define MAX_HOLLOW_OBJECTS 512U

/* Whether slabs of the cache may be hollow. */
static inline bool hollow_may(const struct kmem_cache *cache)
{
	return cache->hollow;
}

/* The same, worked out once when the cache is made. */
bool hollow_suits(const struct kmem_cache *cache);

/* Pages of a slab that have no memory, a bit each. Under its node's list_lock, or when nobody else knows it. */
static inline uint32_t hollow_pages(const struct page *slab)
{
	return unlikely(slab->looked) ? slab[1].hollow : 0;
}

static inline unsigned int hollow_count(const struct page *slab)
{
	return (unsigned int)__builtin_popcount(hollow_pages(slab));
}

/* A sparse slab of which nothing more can go as long as it is used as much as it is. */
static inline bool hollow_is_looked_through(const struct page *slab)
{
	return unlikely(slab->looked) && slab[1].looked_at;
}

/* One of those that is used only half as much by now. Those that are empty are no slabs for long. */
static inline bool hollow_wants_a_look(const struct page *slab)
{
	return hollow_is_looked_through(slab) && slab->inuse &&
	       slab->inuse <= slab[1].looked_at / 2;
}

static inline void hollow_look_again(struct page *slab)
{
	if (unlikely(slab->looked))
		slab[1].looked_at = 0;
}

/* Pages of a slab that objects in use touch, a bit each. @cache: one whose slabs may be hollow. */
uint32_t hollow_pages_in_use(const struct kmem_cache *cache, struct page *slab);

/* Objects were taken from a slab: the pages that they lie in are not hollow any more. Under the list_lock, the slab
 * being on no list. */
void hollow_fill(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab,
		 void **objects, unsigned int nr);

/* Sparse slabs that a node may have: as many bytes of them as this, and a part of the slabs that objects in use need.
 * Arbitrary: like what sheaves may pin. */
#define SPARSE_BYTES KIB(64)
#define SPARSE_SHARE 8

/* Whether there are too many. A racy peek, for after a flush. */
static inline bool hollow_is_due(const struct kmem_cache *cache, const struct kmem_cache_node *node)
{
	return READ_ONCE(node->nr_sparse) > SPARSE_BYTES / (cache->slab_mask + 1UL) &&
	       READ_ONCE(node->nr_sparse) * (unsigned long)cache->objects * SPARSE_SHARE >
		       READ_ONCE(node->nr_inuse);
}

/**
 * hollow_out() - look through sparse slabs until there are not too many.
 * @zone: that the node's slabs are of.
 *
 * As long as its zone may keep more, none is too many.
 *
 * Context: system calls; no lock but the caller's slot may be held.
 */
void hollow_out(struct kmem_cache *cache, struct kmem_cache_node *node, struct zone *zone,
		struct pcp *pcp, unsigned int pcp_nid);

/* All of them, also with purge=off: somebody has asked for it. */
void hollow_out_all(struct kmem_cache *cache, struct kmem_cache_node *node);

/* Report a double free, if @addr is where an object starts in a hollow page: nothing there is in use. Return: whether
 * it is. */
cold bool hollow_report_free(const void *addr);

#endif
