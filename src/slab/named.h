/* SPDX-License-Identifier: MIT */
/*
 * Caches that a program makes and ends: what is checked, merged and reported on the way. The functions
 * are those of <slabuddy/slab.h>.
 */
#ifndef SLABUDDY_SLAB_NAMED_H
#define SLABUDDY_SLAB_NAMED_H

#include "slab/cache.h"

/* Make a cache, or give one that exists another name. Return: NULL with one line on stderr. */
struct kmem_cache *cache_create(const char *name, unsigned int object_size,
				const struct kmem_cache_args *args, slab_flags_t flags);

/* End a cache or one of its names; objects left are listed, and the cache stays. */
void cache_destroy(struct kmem_cache *cache);

/* Whether @cache is one at present: for a pointer to anything that was one once. */
bool cache_is_alive(const struct kmem_cache *cache);

#endif
