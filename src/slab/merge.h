/* SPDX-License-Identifier: MIT */
/*
 * Which caches may share slabs: the kernel's rule, mm/slab_common.c.
 */
#ifndef SLABUDDY_SLAB_MERGE_H
#define SLABUDDY_SLAB_MERGE_H

#include "slab/cache.h"

/* Whether a cache as @cache describes it is one that shares with others at all. */
bool cache_may_merge(const struct kmem_cache *cache);

/* Whether the objects of @there serve whoever asks for a cache like @wanted; both may merge. */
bool cache_serves(const struct kmem_cache *there, const struct kmem_cache *wanted);

#endif
