/* SPDX-License-Identifier: MIT */
/*
 * Snapshots as text, in the formats of the kernel's files in /proc and debugfs. Pure functions of
 * the snapshot: no heap, no lock, so a program that has the snapshot of another one's heap prints
 * it with the same.
 *
 * What may be of any number comes in rows, one call each.
 */
#ifndef SLABUDDY_BASE_PROCFS_H
#define SLABUDDY_BASE_PROCFS_H

#include "base/snapshot.h"
#include "base/text.h"

/* /proc/slabinfo, version 2.1: the head, then a row for each cache. */
void procfs_slabinfo_head(struct text *text);
void procfs_slabinfo_row(struct text *text, const struct cache_snapshot *cache);

void procfs_buddyinfo(struct text *text, const struct heap_snapshot *heap);
void procfs_pagetypeinfo(struct text *text, const struct heap_snapshot *heap);

/* extfrag_index and unusable_index of debugfs: how fragmented free pages are, by order. */
void procfs_extfrag_index(struct text *text, const struct heap_snapshot *heap);
void procfs_unusable_index(struct text *text, const struct heap_snapshot *heap);

/* /proc/zoneinfo: for each zone its head, its pagesets, its tail. */
void procfs_zoneinfo_head(struct text *text, const struct heap_snapshot *heap,
			  const struct zone_snapshot *zone);
void procfs_zoneinfo_pageset(struct text *text, const struct pageset_snapshot *pageset);
void procfs_zoneinfo_tail(struct text *text, const struct zone_snapshot *zone);

void procfs_vmstat(struct text *text, const struct heap_snapshot *heap);

/* What the links in /sys/kernel/slab tell: an alias, and the cache that it is a name of. */
void procfs_alias(struct text *text, const struct alias_snapshot *alias);

/* Whether a zone has any pages, if only reserved ones. */
static inline bool zone_is_populated(const struct zone_snapshot *zone)
{
	return zone->present != 0;
}

#endif
