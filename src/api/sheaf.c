/* SPDX-License-Identifier: MIT */
/*
 * Prefilled sheaves: objects taken aside, so that later allocations cannot fail. The public struct
 * slab_sheaf is the sheaf that slots and barns use; its objects are marked as free, so that freeing one of
 * them is noticed.
 */
#include <slabuddy/slab.h>

#include <errno.h>
#include <string.h>

#include "api/reclaim.h"
#include "base/check.h"
#include "slab/alloc.h"
#include "slab/mark.h"
#include "slab/report.h"

static struct sheaf *internal(struct slab_sheaf *sheaf)
{
	return (struct sheaf *)sheaf;
}

static struct slab_sheaf *public(struct sheaf *sheaf)
{
	return (struct slab_sheaf *)sheaf;
}

/* Whether @sheaf is of @cache, or it has been reported that it is not. */
static bool is_of(const char *function, const struct kmem_cache *cache, const struct sheaf *sheaf)
{
	if (likely(sheaf->tag == cache->tag))
		return true;
	report_wrong_sheaf(function, cache, tag_to_cache(sheaf->tag));
	return false;
}

static struct sheaf *new_sheaf(const struct kmem_cache *cache, unsigned int size)
{
	struct sheaf *sheaf = sheaf_alloc_exact(size);

	if (sheaf)
		sheaf->tag = cache->tag;
	return sheaf;
}

/* Objects that nobody had yet are not marked; those of watched caches never are. */
static void mark_objects(const struct kmem_cache *cache, void **objects, uint32_t nr)
{
	for (uint32_t i = 0; !cache->debug && i < nr; i++)
		object_mark(objects[i], cache->mark_word);
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
	mark_objects(cache, sheaf->objects + before, sheaf->size - before);
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
	sheaf = new_sheaf(cache, size);
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
	if (!is_of("kmem_cache_refill_sheaf", cache, old))
		return -EINVAL;
	if (size <= old->size)
		return 0;
	if (size <= old->capacity)
		return fill(cache, gfp, old, size) ? 0 : -ENOMEM;
	larger = new_sheaf(cache, size);
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

	if (!cache || !prefilled || !prefilled->size ||
	    !is_of("kmem_cache_alloc_from_sheaf", cache, prefilled))
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
	if (!cache || !prefilled || !is_of("kmem_cache_return_sheaf", cache, prefilled))
		return;
	cache_give(cache, prefilled->objects, prefilled->size);
	sheaf_free(prefilled);
}

exported unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf)
{
	return sheaf ? internal(sheaf)->size : 0;
}
