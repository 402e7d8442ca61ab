/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_BUDDY_SNAPSHOT_H
#define SLABUDDY_BUDDY_SNAPSHOT_H

#include "base/snapshot.h"

/**
 * zones_snapshot() - what the zones hold and have done.
 * @heap: all zero. Gets the zones of every node in use, and their share of vm.
 * @by_type: also the free blocks of each migrate type and the pageblocks, which are counted one by one.
 *
 * Context: takes LOCK_ZONE and LOCK_SECTIONS, neither for long. What happens meanwhile is in some figures
 * and not in others.
 */
void zones_snapshot(struct heap_snapshot *heap, bool by_type);

#endif
