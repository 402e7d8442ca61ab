/* SPDX-License-Identifier: MIT */
/*
 * Where a block for one migrate type comes from when its own free lists are empty.
 *
 * In the kernel memory is given, so another type's pageblock must be claimed at once. Here more
 * addresses can be committed, which costs nothing until they are touched. So the order is: own
 * dirty blocks; when there is much dirty memory, a dirty pageblock of another type that is at least
 * half free; own clean blocks; whole free pageblocks of another type; growth (grow.c); and only when
 * the OS refuses, any pageblock that is at least half free, and last the smallest block that fits.
 */
#ifndef SLABUDDY_BUDDY_MIGRATE_H
#define SLABUDDY_BUDDY_MIGRATE_H

#include "buddy/zone.h"

/* A block of at least @order taken off its list, not cut. */
struct free_block {
	struct page *page; /* NULL: none */
	unsigned int order;
	unsigned int nr_dirty;
};

/* From what the zone has, in the order above up to growth. */
struct free_block take_at_hand(struct zone *zone, unsigned int order, enum migratetype mt);

/* From another type's pageblocks: claim one that is mostly free, or steal the smallest fit. */
struct free_block take_fallback(struct zone *zone, unsigned int order, enum migratetype mt);

/* Give the pageblocks under a free block of PAGEBLOCK_ORDER and more to @mt. */
void claim_whole_block(struct page *page, unsigned int order, enum migratetype mt);

/* Give the pageblock that starts at pfn @first to @mt: its free blocks move to the lists of @mt. */
void claim_pageblock(struct zone *zone, struct section *section, unsigned int first,
		     enum migratetype mt);

#endif
