/* SPDX-License-Identifier: MIT */
#include "malloc/heap.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/option.h"
#include "buddy/kswapd.h"
#include "malloc/foreign.h"
#include "malloc/huge.h"
#include "malloc/kswapd.h"
#include "malloc/large.h"
#include "malloc/make_room.h"
#include "os/info.h"
#include "slab/alloc.h"
#include "slab/boot.h"
#include "slab/debug.h"
#include "slab/deferred.h"
#include "slab/hollow.h"
#include "slab/percpu.h"
#include "slab/report.h"
#include "slab/slab.h"
#include "slab/vacate.h"

static void *out_of_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

static void *try_block(size_t size, size_t align, bool zero, unsigned int *nr_dirty)
{
	struct slot *slot = slot_enter();
	void *ptr = NULL;

	if (size <= MAX_LARGE_BYTES && align <= MAX_LARGE_BYTES)
		ptr = large_alloc(slot, size, align, !zero, nr_dirty);
	else
		page_request_fails(0, bytes_to_pages(size));
	if (!ptr && !fault_answer.fail) {
		*nr_dirty = 0;
		ptr = huge_alloc(size, align, zero);
	}
	slot_leave(slot);
	return ptr;
}

/* Anything that is no slab object. @zero: it must read as zero. */
static void *alloc_block(size_t size, size_t align, bool zero)
{
	unsigned int nr_dirty = 0, attempt = 0;
	void *ptr;

	if (size > MAX_REQUEST_BYTES || align > MAX_REQUEST_BYTES)
		return out_of_memory();
	slab_boot();
	do
		ptr = try_block(size, align, zero, &nr_dirty);
	while (unlikely(!ptr) && make_room(&attempt));
	if (!ptr)
		return out_of_memory();
	if (zero && nr_dirty)
		large_clear(ptr, nr_dirty);
	return ptr;
}

void *heap_pages(unsigned int nid, gfp_t gfp, size_t size, size_t align)
{
	unsigned int nr_dirty = 0;
	struct page *page = NULL;
	struct slot *slot;

	slab_boot();
	slot = slot_enter();
	if (size <= SECTION_BYTES && align <= SECTION_BYTES)
		page = large_alloc_on(slot, nid, gfp, size, align, &nr_dirty);
	slot_leave(slot);
	if (!page)
		return out_of_memory();
	if ((gfp & __GFP_ZERO) && nr_dirty)
		large_clear(page_start(page), nr_dirty);
	return page_start(page);
}

/* @size: what of it the caller asked for. */
static void *alloc_object(size_t tag, size_t size)
{
	unsigned int attempt = 0;
	struct kmem_cache *cache;
	void *object;

	slab_boot();
	do {
		cache = size_class_cache(tag);
		object = cache ? cache_alloc_slow(cache) : NULL;
	} while (unlikely(!object) && make_room(&attempt));
	if (unlikely(object && cache->debug))
		debug_set_size(cache, object, size);
	return object ? object : out_of_memory();
}

/* What the layers below must know of this one. */
static __attribute__((constructor)) void heap_boot(void)
{
	lock_set_walker(LOCK_HUGE, huge_walk_locks);
	lock_set_walker(LOCK_KSWAPD, kswapd_walk_lock);
	kswapd_set_start(kswapd_start, kswapd_forget);
}

/* What is rare stays in functions of its own, so that the common cases of heap_malloc_slow() need no stack frame. */
static noinline void *malloc_large(size_t size)
{
	void *ptr = large_alloc_kept(this_slot, size);

	return ptr ? ptr : alloc_block(size, 1, false);
}

static noinline void *malloc_object(size_t size)
{
	void *object = percpu_is_mine() ? percpu_pop_class(size_to_tag(size)) : NULL;

	return likely(object) ? object : alloc_object(size_to_tag(size), size);
}

noinline void *heap_malloc_slow(size_t size)
{
	void *ptr;

	if (size <= MAX_SLAB_BYTES)
		return malloc_object(size);
	ptr = large_alloc_newest(this_slot, size);
	return likely(ptr) ? ptr : malloc_large(size);
}

void *heap_calloc(size_t nr, size_t size)
{
	size_t bytes;
	void *ptr;

	if (unlikely(__builtin_mul_overflow(nr, size, &bytes)))
		return out_of_memory();
	if (bytes > MAX_SLAB_BYTES)
		return alloc_block(bytes, 1, true);
	ptr = heap_malloc(bytes);
	return likely(ptr) ? memset(ptr, 0, bytes) : NULL;
}

void *heap_aligned(size_t align, size_t size)
{
	unsigned int tag;
	void *object;

	if (align <= MIN_OBJECT_BYTES)
		return heap_malloc(size);
	if (size > MAX_REQUEST_BYTES)
		return out_of_memory();
	tag = aligned_size_to_tag(size, align);
	if (!tag)
		return alloc_block(MAX(size, 1), align, false);
	return slot_pop(this_slot, tag, &object) ? object : alloc_object(tag, size);
}

void *heap_aligned_zeroed(size_t align, size_t size)
{
	void *ptr;

	if (size > MAX_SLAB_BYTES)
		return alloc_block(size, align, true);
	ptr = heap_aligned(align, size);
	return likely(ptr) ? memset(ptr, 0, size) : NULL;
}

/*
 * An address in one of our pages that is no object and no large block. Without a lock: only the words of
 * a message depend on what the page looks like.
 */
static cold void report_lost(const void *ptr)
{
	struct page *head = page_head(section_page(addr_to_section(ptr), addr_to_pfn(ptr)));

	if (hollow_report_free(ptr))
		return;
	switch (head ? page_type(head) : PAGE_NONE) {
	case PAGE_BUDDY:
	case PAGE_PCP:
	case PAGE_PCP_RUN:
	case PAGE_ISOLATED:
		report_bad_free(ptr, "this block is free already (double free)");
		break;
	case PAGE_BLOCK:
		report_bad_free(ptr, "a block of pages, which free_pages() takes");
		break;
	default:
		report_bad_free(ptr, "not the start of an allocated block");
	}
}

static bool is_page_of_ours(const void *ptr)
{
	struct section *section = addr_to_section(ptr);

	return section && section_tag(section, addr_to_pfn(ptr)) != TAG_NONE;
}

/* Return: whether @ptr was a large or huge block. */
static bool free_block(void *ptr)
{
	struct slot *slot = slot_enter();
	struct page *page = large_page(ptr);
	bool freed = (page && large_free(slot, page)) || huge_free(ptr);

	slot_leave(slot);
	return freed;
}

static noinline void free_any(void *ptr)
{
	struct kmem_cache *cache;

	if (large_free_kept(this_slot, ptr) || !ptr)
		return;
	slab_boot();
	cache = addr_to_cache(ptr);
	if (cache)
		cache_free_slow(cache, ptr);
	else if (free_block(ptr))
		return;
	else if (is_page_of_ours(ptr))
		report_lost(ptr);
	else
		foreign_free(ptr);
}

static noinline void free_on_processor(void *ptr)
{
	struct kmem_cache *cache = addr_to_cache(ptr);

	if (unlikely(!cache || !percpu_push(cache, ptr)))
		free_any(ptr);
}

noinline void heap_free_slow(void *ptr)
{
	if (percpu_is_mine())
		free_on_processor(ptr);
	else if (unlikely(!large_free_newest(this_slot, ptr)))
		free_any(ptr);
}

/* Bytes of the block that starts at @ptr; 0 when none does. */
static size_t block_bytes(const void *ptr)
{
	struct kmem_cache *cache = addr_to_cache(ptr);
	struct page *page;

	if (likely(cache))
		return slab_is_object(cache, ptr) ? cache_usable_bytes(cache, ptr) : 0;
	page = large_page(ptr);
	return page ? large_bytes(page) : huge_bytes(ptr);
}

size_t heap_usable_size(void *ptr)
{
	size_t bytes;

	if (!ptr)
		return 0;
	bytes = block_bytes(ptr);
	if (!bytes && !is_page_of_ours(ptr))
		bytes = foreign_usable_size(ptr);
	return bytes;
}

/*
 * Policy: a block may stay where it is, larger than needed, while it is at least half used, or of the
 * smallest class.
 */
static bool fits_well(size_t size, size_t bytes)
{
	return size <= bytes && (size >= bytes / 2 || bytes == MIN_OBJECT_BYTES);
}

/* Try to change a large or huge block without copying it. Return: where it is, or NULL. */
static void *resize_pages(void *ptr, size_t size, size_t bytes)
{
	struct slot *slot = slot_enter();
	struct page *page = large_page(ptr);
	void *now = NULL;

	if (page && size > MAX_SLAB_BYTES && size <= MAX_LARGE_BYTES)
		now = large_resize(slot, page, size) ? ptr : NULL;
	else if (!page && size > MAX_LARGE_BYTES)
		now = huge_resize(ptr, size);
	else if (!page && fits_well(size, bytes))
		now = ptr;
	slot_leave(slot);
	return now;
}

static void *resize_in_place(void *ptr, size_t size, size_t bytes)
{
	const struct kmem_cache *cache = addr_to_cache(ptr);

	/* a watched object moves, so that who still uses the old one is noticed */
	if (likely(cache))
		return fits_well(size, bytes) && !cache->debug ? ptr : NULL;
	return resize_pages(ptr, size, bytes);
}

/* An object that was freed may still look like one; its mark tells. Return: whether it was reported. */
static bool report_if_free(const void *ptr)
{
	struct kmem_cache *cache = addr_to_cache(ptr);

	if (likely(!cache || !object_is_marked(ptr, cache->mark_word)))
		return false;
	debug_report_bad_free(cache, ptr, "Object already free");
	report_double_free(cache, ptr);
	return true;
}

/*
 * A new place for a block. A large one that grew will grow again: it gets a place with room behind it, so that
 * it moves a few times and not at every step.
 */
static void *place_for(size_t size, size_t bytes)
{
	bool grows = size > bytes && size > MAX_SLAB_BYTES && size <= MAX_LARGE_BYTES / 2;
	struct slot *slot;
	void *now;

	if (!grows)
		return heap_malloc(size);
	slot = slot_enter();
	now = large_alloc_growing(slot, size);
	slot_leave(slot);
	return now || fault_answer.fail ? now : heap_malloc(size);
}

/* The same without making room, which the caller does: it may be that the block can stay then. */
static void *place_quietly(size_t size, size_t bytes)
{
	void *now;

	limit_answer.quiet++;
	now = place_for(size, bytes);
	limit_answer.quiet--;
	return now;
}

void *heap_realloc(void *ptr, size_t size)
{
	unsigned int attempt = 0;
	size_t bytes;
	void *now;

	if (!ptr)
		return heap_malloc(size);
	if (!size) {
		heap_free(ptr);
		return NULL;
	}
	if (size > MAX_REQUEST_BYTES)
		return out_of_memory();
	bytes = block_bytes(ptr);
	if (unlikely(!bytes)) {
		if (!is_page_of_ours(ptr))
			return foreign_realloc(ptr, size);
		report_lost(ptr);
		return out_of_memory();
	}
	if (unlikely(report_if_free(ptr)))
		return out_of_memory();
	now = resize_in_place(ptr, size, bytes);
	if (now)
		return now;
	now = place_quietly(size, bytes);
	while (unlikely(!now) && size > bytes && make_room(&attempt)) {
		now = resize_in_place(ptr, size, bytes);
		if (now)
			return now;
		now = place_quietly(size, bytes);
	}
	if (!now)
		return size <= bytes ? ptr : NULL; /* smaller and no memory: it may stay */
	memcpy(now, ptr, MIN(size, bytes));
	heap_free(ptr);
	return now;
}

size_t heap_good_size(size_t align, size_t size)
{
	unsigned int tag;

	if (size > MAX_REQUEST_BYTES || align > MAX_REQUEST_BYTES)
		return 0;
	tag = aligned_size_to_tag(size, MAX(align, MIN_OBJECT_BYTES));
	/* whose class is watched may have what he asked for and no more */
	if (tag)
		return READ_ONCE(options.slab_debugged) ? MAX(size, 1) : tag_size[tag];
	if (size > MAX_LARGE_BYTES || align > MAX_LARGE_BYTES)
		return ALIGN_UP(MAX(size, 1), os_page_size());
	return bytes_to_pages(MAX(size, 1)) << PAGE_SHIFT;
}

int heap_worth_vacating(const void *ptr)
{
	struct kmem_cache *cache = addr_to_cache(ptr);

	if (cache)
		return slab_worth_vacating(cache, ptr);
	/* a block of pages is nobody's neighbour */
	return !ptr || large_page(ptr) || huge_bytes(ptr) ? 0 : -EINVAL;
}

void *heap_move(void *ptr)
{
	struct kmem_cache *cache = addr_to_cache(ptr);

	return cache ? slab_move(cache, ptr) : NULL;
}

static void trim_cache(struct kmem_cache *cache, void *unused)
{
	(void)unused;
	cache_shrink(cache);
}

bool heap_trim(void)
{
	struct slot *slot;
	bool purged;

	slab_boot();
	deferred_drain();
	slot_drain_all();
	cache_for_each_alive(trim_cache, NULL);
	slot = slot_enter();
	purged = page_purge_all() > 0;
	slot_leave(slot);
	return purged;
}
