/* SPDX-License-Identifier: MIT */
#include "malloc/nolock.h"

#include "malloc/heap.h"
#include "malloc/large.h"
#include "slab/boot.h"
#include "slab/debug.h"
#include "slab/deferred.h"
#include "slab/report.h"
#include "slab/slab.h"

/*
 * The thread's own sheaf is out of bounds: the signal may have come in the middle of a push or pop. The
 * slabs are not: their lock's word says whether the interrupted code holds it.
 */
void *heap_malloc_nolock(size_t size)
{
	struct kmem_cache *cache;
	void *object;

	/* set-up waits for locks; the library's constructor has done it long ago */
	if (size > MAX_SLAB_BYTES || !load_acquire(&slab_booted))
		return NULL;
	cache = size_class_try_cache(size_to_tag(size));
	object = cache ? slab_try_take(cache) : NULL;
	if (object)
		object_unmark(object, MARK_WORD);
	return object;
}

/* Where a free one is marked. */
static size_t mark_word_of(const void *ptr)
{
	const struct kmem_cache *cache = addr_to_cache(ptr);

	return cache ? cache->mark_word : MARK_WORD;
}

static bool is_block(const void *ptr)
{
	struct kmem_cache *cache = addr_to_cache(ptr);

	if (cache)
		return cache->tag < NR_CLASS_TAGS && slab_is_object(cache, ptr);
	return large_page(ptr);
}

/* The list of deferred blocks is linked by their first words, of which its owner may have had less. */
static void lend_link(struct kmem_cache *cache, void *ptr)
{
	if (cache && cache->debug)
		debug_lend_bytes(cache, ptr, sizeof(void *));
}

void heap_free_nolock(void *ptr)
{
	if (!is_block(ptr)) {
		report_bad_free(ptr, "not a block that kfree_nolock() can free");
		return;
	}
	/* marked as free from now on, so that a second time is noticed */
	if (object_is_marked(ptr, mark_word_of(ptr))) {
		report_bad_free(ptr, "this block is free already (double free)");
		return;
	}
	object_mark(ptr, mark_word_of(ptr));
	lend_link(addr_to_cache(ptr), ptr);
	deferred_push(ptr);
}

static void free_deferred(void *block)
{
	object_unmark(block, mark_word_of(block));
	heap_free(block);
}

static __attribute__((constructor)) void nolock_boot(void)
{
	deferred_set_free(free_deferred);
}
