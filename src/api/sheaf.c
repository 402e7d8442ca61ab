/* SPDX-License-Identifier: MIT */
/*
 * Prefilled sheaves: objects taken aside, so that later allocations cannot fail. The public struct
 * slab_sheaf is the sheaf that slots and barns use; its objects stay marked as free, so that freeing one
 * of them is noticed.
 */
#include <slabuddy/slab.h>

#include <errno.h>
#include <string.h>

#include "api/reclaim.h"
#include "base/check.h"
#include "slab/alloc.h"
#include "slab/mark.h"

static struct sheaf *internal(struct slab_sheaf *sheaf)
{
	return (struct sheaf *)sheaf;
}

static struct slab_sheaf *public(struct sheaf *sheaf)
{
	return (struct slab_sheaf *)sheaf;
}

/* Return: whether the sheaf has @size objects now; what it got meanwhile is given back if not. */
static bool fill(struct kmem_cache *cache, gfp_t gfp, struct sheaf *sheaf, unsigned int size)
{
	unsigned int attempt = 0;
	uint32_t before = sheaf->size;

	do
		sheaf->size += (uint32_t)cache_take(cache, sheaf->objects + sheaf->size,
						    size - sheaf->size);
	while (sheaf->size < size && reclaim_and_retry(gfp, NUMA_NO_NODE, &attempt));
	if (sheaf->size >= size)
		return true;
	cache_give(cache, sheaf->objects + before, sheaf->size - before);
	sheaf->size = before;
	return false;
}

exported struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *cache, gfp_t gfp,
						     unsigned int size)
{
	struct sheaf *sheaf;

	if (!cache) {
		warn_once("a sheaf of the cache NULL");
		return NULL;
	}
	sheaf = sheaf_alloc_exact(size);
	if (sheaf && !fill(cache, gfp, sheaf, size)) {
		sheaf_free(sheaf);
		sheaf = NULL;
	}
	return public(sheaf);
}

exported int kmem_cache_refill_sheaf(struct kmem_cache *cache, gfp_t gfp, struct slab_sheaf **sheaf,
				     unsigned int size)
{
	struct sheaf *old, *larger;

	if (!cache || !sheaf || !*sheaf)
		return -EINVAL;
	old = internal(*sheaf);
	if (size <= old->size)
		return 0;
	if (size <= old->capacity)
		return fill(cache, gfp, old, size) ? 0 : -ENOMEM;
	larger = sheaf_alloc_exact(size);
	if (!larger)
		return -ENOMEM;
	memcpy(larger->objects, old->objects, old->size * sizeof(void *));
	larger->size = old->size;
	if (!fill(cache, gfp, larger, size)) {
		sheaf_free(larger);
		return -ENOMEM;
	}
	sheaf_free(old);
	*sheaf = public(larger);
	return 0;
}

exported void *kmem_cache_alloc_from_sheaf(struct kmem_cache *cache, gfp_t gfp,
					   struct slab_sheaf *sheaf)
{
	struct sheaf *prefilled = internal(sheaf);
	void *object;

	if (!cache || !prefilled || !prefilled->size)
		return NULL;
	object = prefilled->objects[--prefilled->size];
	object_unmark(object, cache->mark_word);
	if ((gfp & __GFP_ZERO) && !cache->ctor)
		memset(object, 0, READ_ONCE(cache->object_size));
	return object;
}

exported void kmem_cache_return_sheaf(struct kmem_cache *cache, gfp_t gfp, struct slab_sheaf *sheaf)
{
	struct sheaf *prefilled = internal(sheaf);

	(void)gfp;
	if (!cache || !prefilled)
		return;
	cache_give(cache, prefilled->objects, prefilled->size);
	sheaf_free(prefilled);
}

exported unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf)
{
	return sheaf ? internal(sheaf)->size : 0;
}
