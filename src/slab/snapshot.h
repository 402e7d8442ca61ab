/* SPDX-License-Identifier: MIT */
/*
 * What caches and slots hold. Where threads run, what they take and give meanwhile is in some figures and
 * not in others; in a heap at rest every figure is exact.
 */
#ifndef SLABUDDY_SLAB_SNAPSHOT_H
#define SLABUDDY_SLAB_SNAPSHOT_H

#include "base/snapshot.h"
#include "page/rows.h"

/*
 * All of them: no lock may be held. Return: false when there is no memory for the rows, which are then to
 * be freed all the same.
 */

/* @rows: of struct cache_snapshot; gets one for each cache, in the order of their making. */
bool caches_snapshot(struct rows *rows);

/* @rows: of struct alias_snapshot; gets one for each alias. */
bool aliases_snapshot(struct rows *rows);

/* @rows: of struct pageset_snapshot; gets one for each slot, in the order of their making. */
bool pagesets_snapshot(struct rows *rows);

/* @heap: its nodes get their pages in slabs; vm gets that, and what slots count. */
void slots_snapshot(struct heap_snapshot *heap);

#endif
