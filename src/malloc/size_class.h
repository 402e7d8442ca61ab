/* SPDX-License-Identifier: MIT */
/*
 * Size classes, to 32 KiB; what is larger is a run of pages. A class whose size is a multiple of a
 * power of two serves that alignment, and each power of two is one.
 *
 * Multiples of 16 to 256 bytes, then eight to a doubling, above 512 bytes six, and above 4 KiB
 * four. Those are multiples of 64: what is left over when a slab of 16 to 128 KiB is cut into equal
 * parts is less than a cache line each. Of 5/8, 6/8 and 7/8 of a power of two up to an eighth of a
 * slab would be. And of the sizes that would do, the larger ones are those of small slabs, since
 * each class has some that are hardly used.
 */
#ifndef SLABUDDY_MALLOC_SIZE_CLASS_H
#define SLABUDDY_MALLOC_SIZE_CLASS_H

#include "slab/cache.h"

/* clang-format off */
#define SIZE_CLASSES(X, arg) \
	X(16, arg) X(32, arg) X(48, arg) X(64, arg) X(80, arg) X(96, arg) X(112, arg) X(128, arg) \
	X(144, arg) X(160, arg) X(176, arg) X(192, arg) X(208, arg) X(224, arg) X(240, arg) X(256, arg) \
	X(288, arg) X(320, arg) X(352, arg) X(384, arg) X(416, arg) X(448, arg) X(480, arg) X(512, arg) \
	X(576, arg) X(640, arg) X(704, arg) X(768, arg) X(896, arg) X(1024, arg) \
	X(1152, arg) X(1344, arg) X(1472, arg) X(1600, arg) X(1792, arg) X(2048, arg) \
	X(2304, arg) X(2688, arg) X(2944, arg) X(3264, arg) X(3584, arg) X(4096, arg) \
	X(4672, arg) X(5440, arg) X(6528, arg) X(8192, arg) \
	X(9344, arg) X(10880, arg) X(13056, arg) X(16384, arg) \
	X(18688, arg) X(21824, arg) X(26176, arg) X(32768, arg)
/* clang-format on */

#define ONE_CLASS(size, unused) +1
#define NR_SIZE_CLASSES		(SIZE_CLASSES(ONE_CLASS, ))
#define MAX_SLAB_BYTES		KIB(32)
#define GRANULE_SHIFT		4

/* Slabs of the larger classes may be larger than the kernel's, which would waste up to a third. */
#define MAX_SLAB_ORDER 5

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

/* The smallest class for @size bytes of which every object is aligned to @align, up to PAGE_SIZE; 0
 * when there is none, or others would do but for the alignment, and a run of pages is shorter. */
unsigned int aligned_size_to_tag(size_t size, size_t align);

/* The class's cache, set up at its first use; NULL when that fails. */
struct kmem_cache *size_class_cache(size_t tag);

/* The same without waiting for a lock: NULL also when setting it up would. */
struct kmem_cache *size_class_try_cache(size_t tag);

#endif
