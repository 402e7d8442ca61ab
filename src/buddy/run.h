/* SPDX-License-Identifier: MIT */
/*
 * Blocks and exact runs of pages: what a zone hands out.
 *
 * A run of n pages, n not a power of two, is the front of the smallest block that holds it; the
 * rest goes back at once. The first page of what is handed out is PAGE_USED with nr_pages; its
 * owner may set a type of its own. Pages keep what is known of their contents while they are out:
 * a clean one read as zero when it was handed out.
 */
#ifndef SLABUDDY_BUDDY_RUN_H
#define SLABUDDY_BUDDY_RUN_H

#include "buddy/zone.h"

/**
 * zone_alloc_run() - take a run of pages out of a zone.
 * @zone: the zone.
 * @nr_pages: length, at least 1.
 * @align_order: its address is a multiple of PAGE_SIZE << @align_order.
 * @mt: what it will hold.
 * @nr_dirty: gets the number of pages that may not read as zero; may be NULL.
 *
 * Return: the first page, or NULL when the OS refused or the smallest block that would do is
 * larger than MAX_PAGE_ORDER.
 * Context: may make system calls; no lock but the caller's slot may be held.
 * Cost: O(orders) under the zone's lock.
 */
struct page *zone_alloc_run(struct zone *zone, size_t nr_pages, unsigned int align_order,
			    enum migratetype mt, unsigned int *nr_dirty);

/*
 * The same for a run that is longer than the largest block, up to a section: out of blocks that lie side by
 * side. Only builds with a MAX_PAGE_ORDER below a section's have such runs.
 */
struct page *zone_alloc_long_run(struct zone *zone, size_t nr_pages, enum migratetype mt,
				 unsigned int *nr_dirty);

/* The same from what the zone has: it does not grow for it. */
struct page *zone_alloc_run_at_hand(struct zone *zone, size_t nr_pages, unsigned int align_order,
				    enum migratetype mt, unsigned int *nr_dirty);

/**
 * zone_clear_run() - make a run read as zero that nobody has written to since it was handed out.
 * @nr_dirty: what the allocation said; clean pages are not touched.
 */
void zone_clear_run(struct page *page, size_t nr_pages, unsigned int nr_dirty);

/**
 * zone_try_alloc() - a block of 2^@order pages, if the zone has one at hand and its lock is free.
 *
 * Context: any, signal handlers included.
 */
struct page *zone_try_alloc(struct zone *zone, unsigned int order, enum migratetype mt);

/**
 * zone_free_run() - take back what zone_alloc_run() gave; its pages count as dirty.
 * @page: first page.
 * @nr_pages: its whole length.
 *
 * Context: may give memory back to the OS; no lock but the caller's slot may be held.
 */
void zone_free_run(struct page *page, size_t nr_pages);

/* Take back pages that a slot kept and nobody has touched since they were handed out: they stay as they were. */
void zone_return_kept_run(struct zone *zone, struct page *page);

/* The same as zone_free_run() for a whole run that a slot kept, and has counted as freed when it came. */
void zone_free_kept_run(struct page *page);

/**
 * zone_extend_run() - make a run longer where it stands.
 * @page: first page of a run.
 * @new_pages: length wanted, more than it has.
 *
 * Return: false when the pages behind it are not free; the run is as it was.
 */
bool zone_extend_run(struct page *page, size_t new_pages);

/* Make a run shorter: its last pages go back. @new_pages: at least 1. */
void zone_shorten_run(struct page *page, size_t new_pages);

/* The same for pages that nobody has touched since the run was handed out: they stay as they were. */
void zone_return_tail(struct page *page, size_t new_pages);

/**
 * zone_copy_dirty() - which pages of a run may not read as zero.
 * @map: gets a bit a page, from bit 0; room for @nr_pages bits rounded up to words.
 */
void zone_copy_dirty(struct page *page, size_t nr_pages, uint64_t *map);

#endif
