// SPDX-License-Identifier: MIT
// All public headers together, as C++, with what is inline or a macro in them used once.
#include <slabuddy/gfp.h>
#include <slabuddy/limits.h>
#include <slabuddy/mempool.h>
#include <slabuddy/rcupdate.h>
#include <slabuddy/report.h>
#include <slabuddy/shrinker.h>
#include <slabuddy/slab.h>
#include <slabuddy/slabuddy.h>
#include <slabuddy/version.h>

namespace {

struct object {
	long words[4];
};

} // namespace

struct kmem_cache *caches_of_all_forms(struct kmem_cache_args *args);
struct kmem_cache *caches_of_all_forms(struct kmem_cache_args *args)
{
	kmem_cache_destroy(kmem_cache_create("with-args", 32, args, 0));
	kmem_cache_destroy(kmem_cache_create("older-form", 32, 8, SLAB_HWCACHE_ALIGN, nullptr));
	kmem_cache_destroy(KMEM_CACHE(object, SLAB_NO_MERGE));
	return KMEM_CACHE_USERCOPY(object, 0, words);
}

bool blocks_of_all_forms(struct kmem_cache *cache);
bool blocks_of_all_forms(struct kmem_cache *cache)
{
	kmem_cache_free(cache, kmem_cache_zalloc(cache, GFP_KERNEL));
	kfree(kzalloc(sizeof(object), GFP_KERNEL | __GFP_NOWARN));
	kfree(kcalloc(2, sizeof(object), GFP_KERNEL));
	kvfree(kvcalloc(2, sizeof(object), GFP_KERNEL));
	mempool_destroy(mempool_create_slab_pool(1, cache));
	mempool_destroy(mempool_create_kmalloc_pool(1, sizeof(object)));
	mempool_destroy(mempool_create_page_pool(1, get_order(PAGE_SIZE)));
	return ZERO_OR_NULL_PTR(ZERO_SIZE_PTR);
}
