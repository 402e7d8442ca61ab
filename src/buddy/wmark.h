/* SPDX-License-Identifier: MIT */
/*
 * How many free dirty pages a zone keeps: a floor, and a share of what is in use.
 *
 * The floor is dirty_min, less what was cut off it. It is cut while use falls far, as when a program gives up most of
 * what it had, so that what stays follows what is live; and each page that has to be faulted in afterwards is given back
 * to it, so that whoever goes on pays for a cut once. There is no clock here and no thread: use is looked at when
 * pages are freed.
 *
 *     floor == dirty_min - nr_kept - floor_cut >= dirty_min / 16 + nr_lent, unless dirty_min has become less
 */
#ifndef SLABUDDY_BUDDY_WMARK_H
#define SLABUDDY_BUDDY_WMARK_H

#include "buddy/zone.h"

unsigned long high_wmark_pages(const struct zone *zone);
unsigned long low_wmark_pages(const struct zone *zone);

/* What free dirty pages leave of the floor, for others that are as good against page faults. */
unsigned long floor_room_pages(const struct zone *zone);

/* Look at what is in use, and cut the floor if it fell far enough. After a free, under the zone's lock. */
void floor_follow_use(struct zone *zone);

/* @nr_pages were handed out that have no memory behind them: with a higher floor, there would have been others. */
void floor_refaulted(struct zone *zone, unsigned long nr_pages);

/*
 * Let a slot keep @nr_pages more. They count as free dirty pages of the zone, whether the slot has them or not, and are
 * together at most half of the floor that may stay in any case: so the bound holds whatever becomes
 * of the heap. Return: false when that is used up.
 */
bool zone_lend(struct zone *zone, unsigned long nr_pages);
void zone_take_back_lent(struct zone *zone, unsigned long nr_pages);

#endif
