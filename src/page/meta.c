/* SPDX-License-Identifier: MIT */
#include "page/meta.h"

#include <string.h>

#include "base/bits.h"
#include "base/lock.h"
#include "base/root.h"
#include "os/info.h"
#include "page/limit.h"
#include "page/page.h"

/* arbitrary: 64 to 1024 sheaves; untouched until used */
#define CHUNK_BYTES KIB(256)
#define SMALLEST_SHIFT 6
#define LARGEST_SHIFT 20
_Static_assert(META_MAX_BYTES == (size_t)1 << LARGEST_SHIFT, "the largest piece");
#define NR_META_SIZES (LARGEST_SHIFT - SMALLEST_SHIFT + 1)

struct free_meta {
	struct free_meta *next;
};

static struct lock meta_lock;
static struct free_meta *free_lists[NR_META_SIZES]; /* [meta_lock] by log2 of the size */
static char *chunk;				    /* [meta_lock] the untouched rest of a mapping */
static size_t chunk_left;			    /* [meta_lock] */
static size_t mapped_bytes;			    /* [atomic] */
static size_t used_bytes;			    /* [meta_lock] */
static struct meta_mapping *meta_mappings;	    /* [meta_lock] newest first */

ROOT_PLACE(mapped_bytes);
ROOT_PLACE(used_bytes);
ROOT_PLACE(meta_mappings);

static unsigned int size_index(size_t bytes)
{
	size_t rounded = roundup_pow2(MAX(bytes, (size_t)1 << SMALLEST_SHIFT));

	return ilog2(rounded) - SMALLEST_SHIFT;
}

/* What is at hand for one size: a freed piece, or a piece of the chunk. */
static void *take_locked(unsigned int index)
{
	size_t bytes = (size_t)1 << (index + SMALLEST_SHIFT);
	size_t align = MIN(bytes, PAGE_SIZE);
	struct free_meta *piece = free_lists[index];
	size_t skip;

	ASSERT_HELD(&meta_lock, LOCK_META);
	if (piece) {
		free_lists[index] = piece->next;
		ADD_ONCE(used_bytes, bytes);
		/* only the link in it is not zero: meta_free() cleared the rest */
		piece->next = NULL;
		return piece;
	}
	skip = -(uintptr_t)chunk & (align - 1);
	if (chunk_left < skip + bytes)
		return NULL;
	piece = (void *)(chunk + skip);
	chunk += skip + bytes;
	chunk_left -= skip + bytes;
	ADD_ONCE(used_bytes, bytes);
	return piece;
}

void *meta_alloc_cached(size_t bytes)
{
	void *piece;

	lock_acquire(&meta_lock, LOCK_META);
	piece = take_locked(size_index(bytes));
	lock_release(&meta_lock, LOCK_META);
	return piece;
}

/* Cut what is left of a chunk into pieces for the free lists. */
static void keep_rest(char *rest, size_t bytes)
{
	ASSERT_HELD(&meta_lock, LOCK_META);
	while (bytes >= (size_t)1 << SMALLEST_SHIFT) {
		size_t piece = MIN((size_t)1 << first_bit((uintptr_t)rest), (size_t)1 << LARGEST_SHIFT);
		unsigned int index;

		while (piece > bytes)
			piece /= 2;
		index = size_index(piece);
		((struct free_meta *)(void *)rest)->next = free_lists[index];
		free_lists[index] = (void *)rest;
		rest += piece;
		bytes -= piece;
	}
}

/* Note a new mapping at its front. What is left has room for an aligned piece as before: map_chunk()
 * adds a page. */
static void enlist(struct meta_mapping *mapping, size_t bytes)
{
	ASSERT_HELD(&meta_lock, LOCK_META);
	mapping->bytes = bytes;
	mapping->next = meta_mappings;
	/* whole before others find it */
	store_release(&meta_mappings, mapping);
}

/* A new chunk; what is left of the old one is smaller than what was asked for. */
static bool map_chunk(size_t least)
{
	size_t bytes = ALIGN_UP(MAX(CHUNK_BYTES, least + PAGE_SIZE), os_page_size());
	char *fresh = limit_map(bytes, os_page_size());

	if (!fresh && bytes > CHUNK_BYTES / 8 && least < CHUNK_BYTES / 16) {
		bytes = ALIGN_UP(CHUNK_BYTES / 8, os_page_size());
		fresh = limit_map(bytes, os_page_size());
	}
	if (!fresh)
		return false;
	__atomic_fetch_add(&mapped_bytes, bytes, __ATOMIC_RELAXED);
	lock_acquire(&meta_lock, LOCK_META);
	enlist((void *)fresh, bytes);
	fresh += sizeof(struct meta_mapping);
	bytes -= sizeof(struct meta_mapping);
	/* another thread may have come with one at the same time */
	if (bytes > chunk_left) {
		char *rest = chunk;
		size_t rest_bytes = chunk_left;

		chunk = fresh;
		chunk_left = bytes;
		fresh = rest;
		bytes = rest_bytes;
	}
	keep_rest(fresh, bytes);
	lock_release(&meta_lock, LOCK_META);
	return true;
}

void *meta_alloc(size_t bytes)
{
	unsigned int index = size_index(bytes);
	void *piece;

	if (index >= NR_META_SIZES)
		return NULL;
	/* another thread may use up the chunk that this one mapped: then once more */
	while (!(piece = meta_alloc_cached(bytes))) {
		if (!map_chunk((size_t)1 << (index + SMALLEST_SHIFT)))
			return NULL;
	}
	return piece;
}

void meta_free(void *ptr, size_t bytes)
{
	struct free_meta *piece = ptr;
	unsigned int index = size_index(bytes);

	memset(ptr, 0, (size_t)1 << (index + SMALLEST_SHIFT));
	lock_acquire(&meta_lock, LOCK_META);
	piece->next = free_lists[index];
	free_lists[index] = piece;
	SUB_ONCE(used_bytes, (size_t)1 << (index + SMALLEST_SHIFT));
	lock_release(&meta_lock, LOCK_META);
}

size_t meta_mapped_bytes(void)
{
	return READ_ONCE(mapped_bytes);
}

size_t meta_used_bytes(void)
{
	return READ_ONCE(used_bytes);
}

void meta_walk_locks(lock_visit *visit, void *arg)
{
	visit(&meta_lock, arg);
}
