/* SPDX-License-Identifier: MIT */
/*
 * Per-slot lists of free blocks of low order, so that slabs come and go without the zone's lock.
 */
#ifndef SLABUDDY_BUDDY_PCP_H
#define SLABUDDY_BUDDY_PCP_H

#include "buddy/zone.h"

/* As in the kernel (PAGE_ALLOC_COSTLY_ORDER): what is larger is rare enough for the lock. */
#define PCP_MAX_ORDER 3

/*
 * Owned by one slot. All zero is an empty one. Its blocks are PAGE_PCP and count as dirty, since
 * most of them come from slabs that were in use.
 */
struct pcp {
	struct list_head lists[PCP_MAX_ORDER + 1][MIGRATE_TYPES];
	uint32_t nr_pages;
	uint32_t refill_pages; /* how much the next refill brings: doubles with each, halves on free */
};

/**
 * pcp_alloc() - a block of low order for a slot.
 * @pcp: the slot's lists.
 * @zone: the zone of the slot's node.
 * @order: 0 to PCP_MAX_ORDER.
 *
 * Return: the block's first page, PAGE_USED, or NULL when the zone has none.
 */
struct page *pcp_alloc(struct pcp *pcp, struct zone *zone, unsigned int order,
		       enum migratetype mt);

/* Take a block of low order of zone @zone back; beyond a limit, half of the blocks go on to the zone. */
void pcp_free(struct pcp *pcp, struct zone *zone, struct page *page, unsigned int order,
	      enum migratetype mt);

/* Give all blocks to their zone. */
void pcp_drain(struct pcp *pcp, struct zone *zone);

#endif
