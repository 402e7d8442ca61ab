/* SPDX-License-Identifier: MIT */
#include "slab/debug_layout.h"

#include <string.h>

#include "base/option.h"
#include "base/slab_debug.h"
#include "slab/mark.h"

#define WORD sizeof(uintptr_t)

#define WATCHED                                                                              \
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE | \
	 SLAB_FAILSLAB)

/* No more objects to a page than leave the last word of each struct page's free map alone. */
#define MIN_WATCHED_BYTES 32
_Static_assert(PAGE_SIZE / MIN_WATCHED_BYTES <= (SLAB_MAP_WORDS - 1) * BITS_PER_WORD,
	       "the word that leads to a slab's table is not the free map's");

/* What slab_debug says of O is no flag of a cache. */
#define NO_HIGHER_ORDER ((slab_flags_t)SLAB_DEBUG_O)

slab_flags_t debug_cache_flags(const char *name, slab_flags_t flags)
{
	unsigned int more;

	if (!READ_ONCE(options.slab_debugged) || (flags & SLAB_NO_USER_FLAGS))
		return flags;
	more = slab_debug_flags(options.slab_debug, name);
	return flags | (slab_flags_t)more;
}

static void lay_out(struct kmem_cache *cache, bool contents_stay)
{
	struct cache_debug *debug = &cache->debug_data;
	bool outside = contents_stay || (cache->flags & (SLAB_RED_ZONE | SLAB_POISON));
	size_t size;

	debug->red_left = cache->flags & SLAB_RED_ZONE ? (uint32_t)ALIGN_UP(WORD, cache->align) : 0;
	debug->inuse = (uint32_t)ALIGN_UP(cache->object_size, WORD);
	if ((cache->flags & SLAB_RED_ZONE) && debug->inuse == cache->object_size)
		debug->inuse += (uint32_t)WORD;
	/* a mark in the object would spoil the poison, or what must stay */
	cache->mark_word = outside ? debug->inuse / (uint32_t)WORD : MARK_WORD;
	debug->padding = MAX(debug->inuse, (cache->mark_word + 1) * (uint32_t)WORD);
	debug->poison = (cache->flags & SLAB_POISON) && !contents_stay;
	cache->first_offset = debug->red_left;
	size = MAX((size_t)debug->padding + debug->red_left, MIN_WATCHED_BYTES);
	cache->size = (uint32_t)ALIGN_UP(size, (size_t)cache->align);
}

static unsigned int order_of(size_t bytes)
{
	return pages_to_order(bytes_to_pages(bytes));
}

void debug_set_layout(struct kmem_cache *cache, const struct cache_params *params,
		      bool contents_stay)
{
	unsigned int order = order_of(cache->object_size);
	bool no_higher = cache->flags & NO_HIGHER_ORDER;

	cache->flags &= ~NO_HIGHER_ORDER;
	cache->debug = NULL;
	if (!(cache->flags & WATCHED))
		return;
	lay_out(cache, contents_stay);
	/* a cache that could be made unwatched can be made */
	if ((no_higher && order_of(cache->size) > order) || order_of(cache->size) > MAX_PAGE_ORDER) {
		cache->flags &= ~(SLAB_RED_ZONE | SLAB_POISON);
		lay_out(cache, contents_stay);
	}
	cache->debug_data.sized = params->tag && (cache->flags & SLAB_RED_ZONE);
	if (cache->flags & WATCHED)
		cache->debug = &cache->debug_data;
}

static unsigned char *slab_end(struct kmem_cache *cache, struct page *slab)
{
	return (unsigned char *)page_start(slab) + cache->slab_mask + 1;
}

void debug_fill_slab(struct kmem_cache *cache, struct page *slab)
{
	char *object = (char *)page_start(slab) + cache->first_offset;

	if (cache->flags & SLAB_POISON)
		memset(page_start(slab), POISON_INUSE, (size_t)cache->slab_mask + 1);
	for (unsigned int i = 0; i < cache->objects; i++, object += cache->size)
		debug_fill_object(cache, object, false, cache->object_size);
}

void debug_fill_object(struct kmem_cache *cache, char *object, bool in_use, size_t size)
{
	const struct cache_debug *debug = cache->debug;
	size_t object_size = cache->object_size;
	int red = in_use ? RED_ACTIVE : RED_INACTIVE;

	if (debug->poison) {
		memset(object, POISON_FREE, object_size - 1);
		object[object_size - 1] = (char)POISON_END;
	}
	if (cache->flags & SLAB_RED_ZONE) {
		size_t right = in_use ? size : object_size;

		memset(object - debug->red_left, red, debug->red_left);
		memset(object + right, red, debug->inuse - right);
	}
}

/* A range of bytes that should all be the same. */
struct range {
	const char *what;
	char *start, *end;
	int value;
};

static bool check_range(const struct range *range, struct debug_fault *fault)
{
	unsigned char *first = (unsigned char *)range->start;
	unsigned char *last = (unsigned char *)range->end;
	unsigned char value = (unsigned char)range->value;

	if (first >= last || (*first == value && !memcmp(first, first + 1, (size_t)(last - first) - 1)))
		return false;
	*fault = (struct debug_fault){
		.what = range->what,
		.start = first,
		.end = last,
		.value = value,
	};
	while (*first == value)
		first++;
	while (last[-1] == value)
		last--;
	fault->first = first;
	fault->last = last;
	fault->found = *first;
	return true;
}

bool debug_check_object(struct kmem_cache *cache, char *object, bool in_use, size_t size,
			struct debug_fault *fault)
{
	const struct cache_debug *debug = cache->debug;
	char *end = object + cache->object_size;
	char *next = object + cache->size - debug->red_left;
	bool zones = cache->flags & SLAB_RED_ZONE;
	bool poison = cache->flags & SLAB_POISON;
	int red = in_use ? RED_ACTIVE : RED_INACTIVE;
	const struct range ranges[] = {
		{ "Left Redzone", object - debug->red_left, object, red },
		{ "kmalloc Redzone", in_use && zones ? object + size : end, end, RED_ACTIVE },
		{ zones ? "Right Redzone" : "Alignment padding", end,
		  zones || poison ? object + debug->inuse : end, zones ? red : POISON_INUSE },
		{ "Poison", object, debug->poison && !in_use ? end - 1 : object, POISON_FREE },
		{ "End Poison", end - 1, debug->poison && !in_use ? end : end - 1, POISON_END },
		{ "Object padding", object + debug->padding,
		  poison ? next : object + debug->padding, POISON_INUSE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (unlikely(check_range(&ranges[i], fault)))
			return true;
	}
	return false;
}

bool debug_check_padding(struct kmem_cache *cache, struct page *slab, struct debug_fault *fault)
{
	struct range range = {
		.what = "Padding",
		.start = (char *)page_start(slab) + cache->object_end,
		.end = (char *)slab_end(cache, slab),
		.value = POISON_INUSE,
	};

	return (cache->flags & SLAB_POISON) && check_range(&range, fault);
}

void debug_restore(const struct debug_fault *fault)
{
	memset(fault->start, fault->value, (size_t)(fault->end - fault->start));
}
