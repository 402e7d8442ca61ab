/* SPDX-License-Identifier: MIT */
/*
 * The buddy algorithm proper: free blocks of 2^order pages, split on the way down and merged on
 * the way up (Knowlton 1965). Everything here runs under the zone's lock.
 *
 * A block's start is a multiple of its size, so its buddy's pfn is pfn ^ (1 << order). Blocks
 * carry how many of their pages are resident ("dirty"): the section's bitmap has a bit a page,
 * and a block that is all clean or all dirty is split without looking at it.
 */
#ifndef SLABUDDY_BUDDY_FREE_AREA_H
#define SLABUDDY_BUDDY_FREE_AREA_H

#include "buddy/zone.h"

/* The migrate type of the pageblock that @page lies in. */
enum migratetype pageblock_type(const struct page *page);

/* Put a block on its list as it is, without looking for its buddy. Its freed_at is the caller's to set. */
void free_area_add(struct zone *zone, struct page *page, unsigned int order,
		   unsigned int nr_dirty);

/* Take a block off its list. Return: its nr_dirty. The page's type is PAGE_NONE afterwards. */
unsigned int free_area_del(struct zone *zone, struct page *page);

/* Put a block on its list, merged with its buddies as far as that goes. */
void free_area_merge(struct zone *zone, struct page *page, unsigned int order,
		     unsigned int nr_dirty);

/* Merge the pages [pfn, pfn + nr) back as the largest aligned blocks that they make up; the section's
 * bitmap says which of them are dirty. */
void free_area_merge_range(struct zone *zone, struct section *section, unsigned int pfn,
			   unsigned int nr);

/*
 * Cut a block that is on no list down to its first @nr_pages pages; the rest goes back.
 * @order: the block's order.
 * @nr_dirty: the block's dirty pages.
 *
 * Return: how many of the pages that remain are dirty.
 */
unsigned int free_area_cut(struct zone *zone, struct page *page, unsigned int order,
			   unsigned int nr_pages, unsigned int nr_dirty);

/*
 * Halve the free block @page, and the half with @pfn in it, until a block starts at @pfn. All parts
 * are on their lists; the caller takes that one, which may be the buddy of the one before it.
 */
void free_area_split(struct zone *zone, struct page *page, unsigned int pfn);

#endif
