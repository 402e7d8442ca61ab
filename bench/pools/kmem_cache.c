/* SPDX-License-Identifier: MIT */
/* slabuddy's named caches. */
#include <slabuddy/slab.h>

#include "pool.h"

static void *open_cache(size_t size, pool_ctor *ctor)
{
	/* A cache of its own, as a program's would be, not one of malloc's by merging. */
	return kmem_cache_create("bench", (unsigned int)size, 0, SLAB_NO_MERGE, ctor);
}

static void *alloc_object(void *cache)
{
	return kmem_cache_alloc(cache, GFP_KERNEL);
}

static void free_object(void *cache, void *object)
{
	kmem_cache_free(cache, object);
}

static bool alloc_objects(void *cache, void **objects)
{
	return kmem_cache_alloc_bulk(cache, GFP_KERNEL, POOL_BULK, objects) == POOL_BULK;
}

static void free_objects(void *cache, void **objects)
{
	kmem_cache_free_bulk(cache, POOL_BULK, objects);
}

static void close_cache(void *cache)
{
	kmem_cache_destroy(cache);
}

static const struct pool kmem_cache_pool = {
	.name = "kmem_cache",
	.objects = true,
	.keeps_constructed = true,
	.open = open_cache,
	.alloc = alloc_object,
	.free = free_object,
	.alloc_bulk = alloc_objects,
	.free_bulk = free_objects,
	.close = close_cache,
};
POOL(kmem_cache_pool);
