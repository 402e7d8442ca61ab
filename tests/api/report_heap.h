/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_TESTS_API_REPORT_HEAP_H
#define SLABUDDY_TESTS_API_REPORT_HEAP_H

#include "slab/alloc.h"
#include "slab/boot.h"
#include "slab/fast.h"
#include "slab/geometry.h"
#include "page/meta.h"

static inline struct kmem_cache *make_cache(const char *name, size_t size)
{
	struct kmem_cache *cache;
	struct cache_params params = { .name = name, .size = size, .max_order = SLAB_MAX_ORDER };

	slab_boot();
	cache = meta_alloc(sizeof(*cache));
	return cache_setup(cache, &params) ? NULL : cache;
}

static inline void *take_object(struct kmem_cache *cache)
{
	void *object;

	return named_pop(this_slot, cache, &object) ? object : cache_alloc_slow(cache);
}

static inline void give_object(struct kmem_cache *cache, void *object)
{
	if (!named_push(this_slot, cache, object))
		cache_free_slow(cache, object);
}

#endif
