/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_SLAB_VALIDATE_H
#define SLABUDDY_SLAB_VALIDATE_H

#include "base/audit.h"

/**
 * slab_validate_all() - check every slab, node, sheaf and barn against what cache.h promises.
 *
 * Context: the world is frozen, or no other thread uses the heap.
 */
void slab_validate_all(struct audit *audit);

#endif
