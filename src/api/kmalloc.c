/* SPDX-License-Identifier: MIT */
/*
 * The kmalloc family: malloc's heap by the kernel's names and rules.
 */
#include <slabuddy/slab.h>

#include <string.h>

#include "api/reclaim.h"
#include "malloc/heap.h"

static noinline void *kmalloc_slow(size_t size, gfp_t gfp)
{
	unsigned int attempt = 0;
	void *ptr;

	if (!size)
		return ZERO_SIZE_PTR;
	do
		ptr = heap_malloc(size);
	while (!ptr && reclaim_and_retry(gfp, NUMA_NO_NODE, &attempt));
	return ptr && (gfp & __GFP_ZERO) ? memset(ptr, 0, size) : ptr;
}

exported void *kmalloc(size_t size, gfp_t gfp)
{
	void *object;

	if (likely(size - 1 < MAX_SLAB_BYTES && !(gfp & __GFP_ZERO)) &&
	    likely(slot_pop(this_slot, size_to_tag(size), &object)))
		return object;
	return kmalloc_slow(size, gfp);
}

exported void kfree(const void *ptr)
{
	if (likely(!ZERO_OR_NULL_PTR(ptr)))
		heap_free((void *)(uintptr_t)ptr);
}
