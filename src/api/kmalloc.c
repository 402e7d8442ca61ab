/* SPDX-License-Identifier: MIT */
/*
 * The kmalloc family: malloc's heap by the kernel's names and rules.
 *
 * With __GFP_ZERO all of a block reads as zero, up to what ksize() says of it, so that krealloc() can
 * make it larger in place.
 */
#include <slabuddy/slab.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/reclaim.h"
#include "base/check.h"
#include "base/fault.h"
#include "base/lock.h"
#include "base/option.h"
#include "buddy/gfp.h"
#include "malloc/heap.h"
#include "malloc/huge.h"
#include "page/limit.h"
#include "slab/alloc.h"
#include "slab/named.h"
#include "slab/slab.h"

#define SPECIAL_ZONES (__GFP_DMA | __GFP_DMA32)

/* Caches of objects in special memory: 16, 32 … 32768 bytes. */
#define MIN_SPECIAL_SHIFT 4
#define MAX_SPECIAL_SHIFT 15
#define NR_SPECIAL_SIZES  (MAX_SPECIAL_SHIFT - MIN_SPECIAL_SHIFT + 1)

_Static_assert((size_t)1 << MAX_SPECIAL_SHIFT == MAX_SLAB_BYTES, "up to where there are slabs");
_Static_assert(KMALLOC_MAX_CACHE_SIZE == MAX_SLAB_BYTES, "");

static struct lock special_lock;
static struct kmem_cache *special_caches[MAX_NR_ZONES][NR_SPECIAL_SIZES]; /* [special_lock; atomic] */

static void walk_special_lock(lock_visit *visit, void *arg)
{
	visit(&special_lock, arg);
}

static __attribute__((constructor)) void kmalloc_boot(void)
{
	lock_set_walker(LOCK_KMALLOC, walk_special_lock);
}

/* What an allocation is for, once it is clear that it is no everyday one. */
struct request {
	size_t size;
	size_t align;
	gfp_t gfp;
	int nid;   /* a node that there is, or NUMA_NO_NODE */
	bool only; /* no other node */
};

static struct kmem_cache *make_special(enum zone_type zone, unsigned int shift)
{
	size_t size = (size_t)1 << shift;
	struct kmem_cache_args args = { .align = (unsigned int)MIN(size, PAGE_SIZE) };
	slab_flags_t flags = zone == ZONE_DMA32 ? SLAB_CACHE_DMA32 : SLAB_CACHE_DMA;
	char name[CACHE_NAME_BYTES];

	/* red zones between larger objects would move them off their alignment, which is their size */
	if (size > PAGE_SIZE)
		flags |= SLAB_NO_USER_FLAGS;
	snprintf(name, sizeof(name), "dma%s-kmalloc-%zu", zone == ZONE_DMA32 ? "32" : "", size);
	return cache_create(name, (unsigned int)size, &args, flags | SLAB_NO_MERGE);
}

/* The cache for @size bytes of a zone, made at its first use; NULL: no memory for it. */
static struct kmem_cache *special_cache(enum zone_type zone, size_t size)
{
	unsigned int shift = MAX(size <= 1 ? 0 : fls64(size - 1), MIN_SPECIAL_SHIFT);
	struct kmem_cache **place = &special_caches[zone][shift - MIN_SPECIAL_SHIFT];
	struct kmem_cache *cache = load_acquire(place);

	if (likely(cache))
		return cache;
	lock_acquire(&special_lock, LOCK_KMALLOC);
	cache = *place;
	if (!cache) {
		cache = make_special(zone, shift);
		store_release(place, cache);
	}
	lock_release(&special_lock, LOCK_KMALLOC);
	return cache;
}

static int nid_of(const void *ptr)
{
	return page_zone(section_page(addr_to_section(ptr), addr_to_pfn(ptr)))->nid;
}

/* Return: the object; NULL, and it is free again, when it is not on the node that it has to be on. */
static void *on_wanted_node(const struct request *rq, struct kmem_cache *cache, void *object)
{
	if (object && rq->only && nid_of(object) != rq->nid) {
		cache_free_slow(cache, object);
		object = NULL;
	}
	return object;
}

static void *special_object(const struct request *rq)
{
	enum zone_type zone = gfp_zone(rq->gfp);
	struct kmem_cache *cache;
	void *object;

	if (zone == ZONE_NORMAL) {
		cache = size_class_cache(size_to_tag(rq->size));
		object = cache ? cache_alloc_node_slow(cache, (unsigned int)rq->nid) : NULL;
	} else {
		cache = special_cache(zone, rq->size);
		/* who tries again, and says that there is no memory, is our caller */
		object = cache ? kmem_cache_alloc_node(cache, __GFP_NOWARN, rq->nid) : NULL;
	}
	object = on_wanted_node(rq, cache, object);
	if (object && (rq->gfp & __GFP_ZERO))
		memset(object, 0, READ_ONCE(cache->object_size));
	return object;
}

/* Special memory, or another node's. */
static void *alloc_special(const struct request *rq)
{
	unsigned int nid = rq->nid == NUMA_NO_NODE ? node_here() : (unsigned int)rq->nid;
	void *ptr;

	if (rq->size <= MAX_SLAB_BYTES)
		return special_object(rq);
	ptr = heap_pages(nid, rq->gfp & (SPECIAL_ZONES | __GFP_THISNODE | __GFP_ZERO), rq->size,
			 rq->align);
	/* what is too large for that is a mapping */
	if (!ptr && !(rq->gfp & SPECIAL_ZONES) && !rq->only && !fault_answer.fail)
		ptr = heap_aligned_zeroed(rq->align, rq->size);
	return ptr;
}

static void *alloc_ordinary(const struct request *rq)
{
	bool zero = rq->gfp & __GFP_ZERO;
	void *ptr;

	if (rq->size > MAX_SLAB_BYTES) {
		ptr = zero ? heap_aligned_zeroed(rq->align, rq->size) :
			     heap_aligned(rq->align, rq->size);
		/* what is a mapping elsewhere may lie among the pages that are free */
		if (unlikely(!ptr) && !fault_answer.fail)
			ptr = heap_pages(node_here(), rq->gfp & __GFP_ZERO, rq->size, rq->align);
		return ptr;
	}
	ptr = heap_malloc(rq->size);
	if (ptr && zero)
		memset(ptr, 0, READ_ONCE(options.slab_debugged) ?
				       heap_usable_size(ptr) : tag_size[size_to_tag(rq->size)]);
	return ptr;
}

static void *alloc_with_retries(const struct request *rq)
{
	bool special = (rq->gfp & SPECIAL_ZONES) || rq->nid != NUMA_NO_NODE;
	unsigned int attempt = 0;
	int saved_errno = errno;
	void *ptr;

	do {
		limit_answer.quiet++;
		ptr = special ? alloc_special(rq) : alloc_ordinary(rq);
		limit_answer.quiet--;
	} while (unlikely(!ptr) && reclaim_and_retry(rq->gfp, rq->nid, &attempt));
	errno = saved_errno;
	return ptr;
}

/* @align: of what is larger than KMALLOC_MAX_CACHE_SIZE. */
static noinline void *alloc_any(size_t size, size_t align, gfp_t gfp, int nid)
{
	struct request rq = { .size = size, .align = align, .gfp = gfp, .nid = NUMA_NO_NODE };

	if (!size)
		return ZERO_SIZE_PTR;
	if (nid >= 0 && nid < (int)nr_nodes()) {
		rq.only = gfp & __GFP_THISNODE;
		/* a thread without a slot may get one of any node */
		if (rq.only || nid != this_slot->nid || !slot_is_real(this_slot))
			rq.nid = nid;
	}
	return alloc_with_retries(&rq);
}

static cold void *too_large(const char *function, size_t size, const char *limit, gfp_t gfp)
{
	if (!(gfp & __GFP_NOWARN))
		warn_once("%s(): %zu bytes are more than %s", function, size, limit);
	return NULL;
}

static noinline void *kmalloc_slow(size_t size, gfp_t gfp, int nid)
{
	if (unlikely(size > KMALLOC_MAX_SIZE))
		return too_large("kmalloc", size, "KMALLOC_MAX_SIZE", gfp);
	return alloc_any(size, size > MAX_SLAB_BYTES && is_power_of_2(size) ? size : 1, gfp, nid);
}

static always_inline bool is_everyday(size_t size, gfp_t gfp)
{
	return size - 1 < MAX_SLAB_BYTES && !(gfp & (__GFP_ZERO | SPECIAL_ZONES));
}

exported void *kmalloc(size_t size, gfp_t gfp)
{
	void *object;

	if (likely(is_everyday(size, gfp)) &&
	    likely(slot_pop(this_slot, size_to_tag(size), &object)))
		return object;
	return kmalloc_slow(size, gfp, NUMA_NO_NODE);
}

exported void *kmalloc_node(size_t size, gfp_t gfp, int nid)
{
	return nid < 0 ? kmalloc(size, gfp) : kmalloc_slow(size, gfp, nid);
}

exported void *kmalloc_array(size_t nr, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(nr, size, &bytes) ? NULL : kmalloc(bytes, gfp);
}

exported void kfree(const void *ptr)
{
	if (likely(!ZERO_OR_NULL_PTR(ptr)))
		heap_free((void *)(uintptr_t)ptr);
}

exported size_t ksize(const void *ptr)
{
	const struct section *section = addr_to_section(ptr);
	size_t tag = section ? section_tag(section, addr_to_pfn(ptr)) : TAG_NONE;
	struct kmem_cache *cache;

	if (ZERO_OR_NULL_PTR(ptr))
		return 0;
	if (tag == TAG_NONE)
		return huge_bytes(ptr);
	if (tag < NR_CLASS_TAGS)
		return heap_usable_size((void *)(uintptr_t)ptr);
	/* what lies behind an object of a named cache may be the cache's own */
	cache = tag_to_cache(tag);
	return cache && slab_is_object(cache, ptr) ? READ_ONCE(cache->object_size) : 0;
}

exported size_t kmalloc_size_roundup(size_t size)
{
	return size && size <= KMALLOC_MAX_SIZE ? heap_good_size(1, size) : size;
}

/* memset() that stays although the memory is freed next. */
static void wipe(const void *ptr, size_t bytes)
{
	memset((void *)(uintptr_t)ptr, 0, bytes);
	__asm__ volatile("" : : "r"(ptr) : "memory");
}

exported void kfree_sensitive(const void *ptr)
{
	if (ZERO_OR_NULL_PTR(ptr))
		return;
	wipe(ptr, ksize(ptr));
	kfree(ptr);
}

/* Another block, with the contents of the old one, which is freed. */
static void *move(const void *ptr, size_t old, size_t size, size_t align, gfp_t gfp)
{
	void *now = alloc_any(size, align, gfp, NUMA_NO_NODE);

	if (!now)
		return NULL;
	memcpy(now, ptr, MIN(old, size));
	kfree(ptr);
	return now;
}

/* Let the heap decide whether the block stays where it is. */
static void *resize(const void *ptr, size_t size, gfp_t gfp)
{
	unsigned int attempt = 0;
	int saved_errno = errno;
	void *now;

	do {
		limit_answer.quiet++;
		now = heap_realloc((void *)(uintptr_t)ptr, size);
		limit_answer.quiet--;
	} while (unlikely(!now) && reclaim_and_retry(gfp, NUMA_NO_NODE, &attempt));
	errno = saved_errno;
	return now;
}

/* @align: what a block that grows must have. */
static void *realloc_any(const void *ptr, size_t size, size_t align, gfp_t gfp)
{
	size_t old = ksize(ptr);
	void *now;

	if (!size) {
		kfree(ptr);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(ptr))
		return alloc_any(size, align, gfp, NUMA_NO_NODE);
	if (old && (gfp & SPECIAL_ZONES)) {
		now = move(ptr, old, size, align, gfp);
		return now || size > old ? now : (void *)(uintptr_t)ptr;
	}
	if (size > old && old && align > 1)
		return move(ptr, old, size, align, gfp);
	now = resize(ptr, size, gfp);
	if (now && (gfp & __GFP_ZERO)) {
		size_t kept = MIN(size, old);

		memset((char *)now + kept, 0, ksize(now) - kept);
	}
	return now;
}

exported void *krealloc(const void *ptr, size_t size, gfp_t gfp)
{
	if (unlikely(size > KMALLOC_MAX_SIZE))
		return too_large("krealloc", size, "KMALLOC_MAX_SIZE", gfp);
	return realloc_any(ptr, size, size > MAX_SLAB_BYTES && is_power_of_2(size) ? size : 1, gfp);
}

exported void *krealloc_array(void *ptr, size_t nr, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(nr, size, &bytes) ? NULL : krealloc(ptr, bytes, gfp);
}

exported void *kmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *copy = kmalloc(len, gfp);

	if (len && copy)
		memcpy(copy, src, len);
	return copy;
}

exported void *kmemdup_array(const void *src, size_t count, size_t element_size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(count, element_size, &bytes) ? NULL : kmemdup(src, bytes, gfp);
}

exported char *kmemdup_nul(const char *text, size_t len, gfp_t gfp)
{
	char *copy = text && len != SIZE_MAX ? kmalloc(len + 1, gfp) : NULL;

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

exported char *kstrdup(const char *text, gfp_t gfp)
{
	return text ? kmemdup(text, strlen(text) + 1, gfp) : NULL;
}

exported char *kstrndup(const char *text, size_t max, gfp_t gfp)
{
	return text ? kmemdup_nul(text, strnlen(text, max), gfp) : NULL;
}

exported char *kasprintf(gfp_t gfp, const char *fmt, ...)
{
	int saved_errno = errno;
	va_list args, again;
	char *text = NULL;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	if (len >= 0)
		text = kmalloc((size_t)len + 1, gfp);
	if (text)
		vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(args);
	errno = saved_errno;
	return text;
}

exported void *kvmalloc_node(size_t size, gfp_t gfp, int nid)
{
	if (unlikely(size > MAX_REQUEST_BYTES))
		return too_large("kvmalloc", size, "PTRDIFF_MAX", gfp);
	return alloc_any(size, 1, gfp, nid);
}

exported void *kvmalloc(size_t size, gfp_t gfp)
{
	void *object;

	if (likely(is_everyday(size, gfp)) &&
	    likely(slot_pop(this_slot, size_to_tag(size), &object)))
		return object;
	return kvmalloc_node(size, gfp, NUMA_NO_NODE);
}

exported void *kvmalloc_array(size_t nr, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(nr, size, &bytes) ? NULL : kvmalloc(bytes, gfp);
}

exported void *kvrealloc(const void *ptr, size_t size, gfp_t gfp)
{
	if (unlikely(size > MAX_REQUEST_BYTES))
		return too_large("kvrealloc", size, "PTRDIFF_MAX", gfp);
	return realloc_any(ptr, size, 1, gfp);
}

exported void kvfree(const void *ptr)
{
	kfree(ptr);
}

exported void kvfree_sensitive(const void *ptr, size_t len)
{
	if (ZERO_OR_NULL_PTR(ptr))
		return;
	wipe(ptr, len);
	kfree(ptr);
}
