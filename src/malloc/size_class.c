/* SPDX-License-Identifier: MIT */
#include "malloc/size_class.h"

#include <string.h>

/*
 * The tables are constant expressions, so that they lie in the file's read-only pages and nothing
 * has to fill them in. The class for n bytes is the number of those that are too small.
 */
#define TOO_SMALL(size, n) +((n) > (size))
#define TAG(i)		   (TAG_FIRST_CACHE SIZE_CLASSES(TOO_SMALL, (i) << GRANULE_SHIFT))

#define TAG4(i)	  TAG(i), TAG((i) + 1), TAG((i) + 2), TAG((i) + 3)
#define TAG16(i)  TAG4(i), TAG4((i) + 4), TAG4((i) + 8), TAG4((i) + 12)
#define TAG64(i)  TAG16(i), TAG16((i) + 16), TAG16((i) + 32), TAG16((i) + 48)
#define TAG256(i) TAG64(i), TAG64((i) + 64), TAG64((i) + 128), TAG64((i) + 192)

const uint8_t size_tag[(MAX_SLAB_BYTES >> GRANULE_SHIFT) + 1] = {
	TAG256(0),    TAG256(256),  TAG256(512),  TAG256(768), TAG256(1024),
	TAG256(1280), TAG256(1536), TAG256(1792), TAG(2048),
};

#define ENTRY(size, unused) size,

const uint16_t tag_size[NR_CLASS_TAGS] = { [TAG_FIRST_CACHE] = SIZE_CLASSES(ENTRY, ) };

static struct kmem_cache class_caches[NR_SIZE_CLASSES];

unsigned int aligned_size_to_tag(size_t size, size_t align)
{
	size_t rounded = ALIGN_UP(MAX(size, 1), align);

	if (rounded > MAX_SLAB_BYTES || align > PAGE_SIZE)
		return 0;
	for (size_t tag = size_to_tag(rounded); tag < TAG_FIRST_CACHE + NR_SIZE_CLASSES; tag++) {
		bool passed_over = tag > size_to_tag(rounded);

		if (!IS_ALIGNED(tag_size[tag], align))
			continue;
		return passed_over && tag_size[tag] - rounded >= PAGE_SIZE ? 0 : (unsigned int)tag;
	}
	return 0;
}

/* What the class's objects are aligned to, by their size: they must be also where bytes lie between
 * them. */
static size_t class_align(size_t tag)
{
	return (size_t)1 << first_bit(tag_size[tag]);
}

/*
 * "kmalloc-" and the size. Not by snprintf(): of a small program's memory, what printf touches in
 * libc is the largest part that is ours, 100 KiB and more.
 */
static void name_class(char name[CACHE_NAME_BYTES], unsigned int size)
{
	static const char begin[] = "kmalloc-";
	char *end = name + sizeof(begin) - 1;

	memcpy(name, begin, sizeof(begin) - 1);
	for (unsigned int left = size; left; left /= 10)
		end++;
	*end = '\0';
	for (; size; size /= 10)
		*--end = (char)('0' + size % 10);
}

static cold bool set_up(struct kmem_cache *cache, size_t tag, cache_setup_fn *setup)
{
	char name[CACHE_NAME_BYTES];

	name_class(name, tag_size[tag]);
	return !setup(cache, &(struct cache_params){
				     .name = name,
				     .size = tag_size[tag],
				     .align = class_align(tag),
				     .max_order = MAX_SLAB_ORDER,
				     .tag = (unsigned int)tag,
			     });
}

static always_inline struct kmem_cache *ready_cache(size_t tag, cache_setup_fn *setup)
{
	struct kmem_cache *cache = &class_caches[tag - TAG_FIRST_CACHE];

	if (unlikely(!load_acquire(&cache->ready)) && !set_up(cache, tag, setup))
		return NULL;
	return cache;
}

struct kmem_cache *size_class_cache(size_t tag)
{
	return ready_cache(tag, cache_setup);
}

struct kmem_cache *size_class_try_cache(size_t tag)
{
	return ready_cache(tag, cache_try_setup);
}
