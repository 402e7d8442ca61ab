/* SPDX-License-Identifier: MIT */
/*
 * What refill.c and flush.c have in common: how pages become a slab and go back, and a node's lists of
 * partial slabs.
 */
#ifndef SLABUDDY_SLAB_SLAB_PAGE_H
#define SLABUDDY_SLAB_SLAB_PAGE_H

#include "slab/slab.h"

/* Who takes and gives with a slot's lists for pages. */
static inline uint8_t owner_of(const struct pcp *pcp)
{
	return pcp ? pcp->owner : 0;
}

/* Which partial list a slab with @inuse of its objects handed out belongs to. */
static inline unsigned int fullness_of(const struct kmem_cache *cache, unsigned int inuse)
{
	unsigned int fullness = (unsigned int)(cache->fullness * inuse >> 32);

	return MIN(fullness, NR_FULLNESS - 1);
}

/* Pages that can become a slab, and the table that goes with them. @where: 0, or __GFP_THISNODE. */
struct page *slab_pages(struct kmem_cache *cache, unsigned int nid, gfp_t where, struct pcp *pcp);

/* Make them a slab, all of whose objects are free. */
void slab_init(struct kmem_cache *cache, struct page *slab);

/* Both. Return: NULL: no memory. */
struct page *slab_new(struct kmem_cache *cache, unsigned int nid, gfp_t where, struct pcp *pcp);

/* Give the pages of a slab without objects in use back. */
void slab_release(struct kmem_cache *cache, struct page *slab, struct pcp *pcp,
		  unsigned int pcp_nid);

/* All under the node's list_lock. */
void partial_add(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab);
void partial_del(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab);

/* A slab, some of whose objects have come back: where does it belong now? @was_full: it is on no list. Empty ones
 * that the node need not keep go to @dead. */
void slab_settle(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab,
		 bool was_full, struct list_head *dead);

/* Give back the slabs that slab_settle() found dead. No lock but the caller's slot may be held. */
void slab_release_all(struct kmem_cache *cache, struct list_head *dead, struct pcp *pcp,
		      unsigned int pcp_nid);

#endif
