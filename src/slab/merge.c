/* SPDX-License-Identifier: MIT */
#include "slab/merge.h"

#include "base/option.h"

/* What makes the slabs of a cache different from all others'. */
#define NEVER_MERGE                                                                            \
	(SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE | SLAB_CONSISTENCY_CHECKS | \
	 SLAB_FAILSLAB | SLAB_TYPESAFE_BY_RCU | SLAB_NO_MERGE)

/* What two caches must have alike. */
#define MERGE_SAME (SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_ACCOUNT)

bool cache_may_merge(const struct kmem_cache *cache)
{
	if (!READ_ONCE(options.slab_merge))
		return false;
	/* whoever asks for a number of objects a thread may keep means its own */
	if (cache->sheaf_capacity)
		return false;
	/* malloc's classes stay apart, so that their counts are malloc's */
	if (cache->tag && cache->tag < NR_CLASS_TAGS)
		return false;
	return !cache->ctor && !cache->debug && !(cache->flags & NEVER_MERGE);
}

bool cache_serves(const struct kmem_cache *there, const struct kmem_cache *wanted)
{
	if ((there->flags ^ wanted->flags) & MERGE_SAME)
		return false;
	/* a word or more is too much to waste on each object */
	if (there->size < wanted->size || there->size - wanted->size >= sizeof(void *))
		return false;
	return IS_ALIGNED(there->size, wanted->align);
}
