/* SPDX-License-Identifier: MIT */
/*
 * Size classes: multiples of 16 bytes to 128, then four to each doubling, to 32 KiB. What is larger
 * is a run of pages. A class whose size is a multiple of a power of two serves that alignment.
 */
#ifndef SLABUDDY_MALLOC_SIZE_CLASS_H
#define SLABUDDY_MALLOC_SIZE_CLASS_H

#include "slab/cache.h"

#define NR_SIZE_CLASSES 40
#define MAX_SLAB_BYTES KIB(32)
#define GRANULE_SHIFT 4

/* The tag of the class for n bytes is size_tag[(n + 15) >> 4]. */
extern const uint8_t size_tag[(MAX_SLAB_BYTES >> GRANULE_SHIFT) + 1];

/* Bytes of an object, by tag; 0 for tags that are no size class. */
extern const uint16_t tag_size[NR_CLASS_TAGS];

_Static_assert(TAG_FIRST_CACHE + NR_SIZE_CLASSES <= NR_CLASS_TAGS, "a tag for each class");
_Static_assert(MAX_SLAB_BYTES <= UINT16_MAX, "tag_size holds it");

static always_inline size_t size_to_tag(size_t size)
{
	return size_tag[(size + 15) >> GRANULE_SHIFT];
}

/* The smallest class for @size bytes of which every object is aligned to @align, up to PAGE_SIZE;
 * 0 when there is none. */
unsigned int aligned_size_to_tag(size_t size, size_t align);

/* The class's cache, set up at its first use; NULL when that fails. */
struct kmem_cache *size_class_cache(size_t tag);

/* The same without waiting for a lock: NULL also when setting it up would. */
struct kmem_cache *size_class_try_cache(size_t tag);

#endif
