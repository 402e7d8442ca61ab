/* SPDX-License-Identifier: MIT */
#include <slabuddy/slab.h>

#include <string.h>

#include "malloc/nolock.h"

exported void *kmalloc_nolock(size_t size, gfp_t gfp, int nid)
{
	void *object;

	(void)nid;
	if (!size)
		return ZERO_SIZE_PTR;
	object = heap_malloc_nolock(size);
	return object && (gfp & __GFP_ZERO) ? memset(object, 0, size) : object;
}

exported void kfree_nolock(const void *ptr)
{
	if (!ZERO_OR_NULL_PTR(ptr))
		heap_free_nolock((void *)(uintptr_t)ptr);
}
