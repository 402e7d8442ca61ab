/* SPDX-License-Identifier: MIT */
/*
 * What a slot keeps of free pages, so that they come and go without the zone's lock: lists of blocks
 * of low order, for slabs, and a sheaf of exact runs, for large blocks that are freed and allocated in
 * turn.
 */
#ifndef SLABUDDY_BUDDY_PCP_H
#define SLABUDDY_BUDDY_PCP_H

#include "buddy/run_sheaf.h"

/* As in the kernel (PAGE_ALLOC_COSTLY_ORDER): what is larger is rare enough for the lock. */
#define PCP_MAX_ORDER 3

/* What fits into struct page's taker. */
#define PCP_MAX_OWNER 31

/*
 * Owned by one slot. All zero is an empty one. Its blocks are PAGE_PCP and count as dirty, since
 * most of them come from slabs that were in use.
 */
struct pcp {
	struct list_head lists[PCP_MAX_ORDER + 1][MIGRATE_TYPES];
	uint32_t nr_pages;
	uint32_t refill_pages; /* how much the next refill brings: doubles with each, halves on free */
	unsigned long pgalloc; /* [owner; atomic] pages handed out of the lists, ever */
	unsigned long pgfree;  /* [owner; atomic] pages taken into them, ever */
	struct run_sheaf runs;
	/* [const] the slot's number, which its slabs remember; 1 to PCP_MAX_OWNER, then from 1 again; 0: none */
	uint8_t owner;
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

/* The pages in it, and how many it may keep, for reports. @pageset: gets count, high and batch. */
struct pageset_snapshot;
void pcp_snapshot(const struct pcp *pcp, struct pageset_snapshot *pageset);

/* Give all blocks and runs to their zone. */
void pcp_drain(struct pcp *pcp, struct zone *zone);

#endif
