/* SPDX-License-Identifier: MIT */
/*
 * Caches by the kernel's names. Nothing is decided here: slab/ does the work.
 */
#include <slabuddy/slab.h>

#include "slab/cache.h"

exported unsigned int kmem_cache_size(struct kmem_cache *cache)
{
	return cache ? cache->object_size : 0;
}

exported const char *kmem_cache_name(struct kmem_cache *cache)
{
	return cache ? cache->name : NULL;
}
