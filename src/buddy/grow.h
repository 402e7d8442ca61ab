/* SPDX-License-Identifier: MIT */
/*
 * More pages for a zone: addresses are reserved by sections and committed from the front of a
 * range, a pageblock at a time.
 */
#ifndef SLABUDDY_BUDDY_GROW_H
#define SLABUDDY_BUDDY_GROW_H

#include "buddy/zone.h"

/* The least that is committed where memory is not locked: the largest OS page, 64 KiB. */
#define COMMIT_GRAIN_PAGES 16U

/**
 * zone_grow() - commit enough pages for a block of @order.
 * @zone: the zone.
 * @order: 0 to MAX_PAGE_ORDER; or up to a section's, and then so many pages in sequence.
 * @mt: what the new pageblocks will hold.
 *
 * Return: true when pages were added to the zone's free areas (another thread may have taken them
 * before the caller looks), false when the OS refused.
 * Context: makes system calls; no lock may be held.
 */
bool zone_grow(struct zone *zone, unsigned int order, enum migratetype mt);

#endif
