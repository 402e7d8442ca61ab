/* SPDX-License-Identifier: MIT */
/*
 * Giving free pages back to the OS.
 *
 * The bound is one of space, not of time, so that it holds in an idle process too: a zone keeps at
 * most high_wmark_pages() free dirty pages, and whoever frees one too many gives back down to
 * low_wmark_pages(), what has been free the longest first. What goes is chosen under the zone's lock and given
 * back outside of it; meanwhile the blocks are PAGE_ISOLATED, on no list.
 */
#ifndef SLABUDDY_BUDDY_PURGE_H
#define SLABUDDY_BUDDY_PURGE_H

#include "buddy/zone.h"

/* Whether a zone should be purged to its low watermark. Under the zone's lock, after a free. */
bool zone_is_above_high(struct zone *zone);

/* Whether the OS might take any of its pages: not if they are locked in memory. Under the zone's lock. */
bool zone_can_purge(const struct zone *zone);

/* The OS has refused a purge with @error. Under the zone's lock. */
void zone_purge_failed(struct zone *zone, int error);

/* Purge to the low watermark. No lock but the caller's slot may be held. */
void zone_purge_to_low(struct zone *zone);

/**
 * zone_purge() - give dirty free pages back until at most @keep are left.
 *
 * Return: pages given back.
 */
unsigned long zone_purge(struct zone *zone, unsigned long keep);

#endif
