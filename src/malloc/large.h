/* SPDX-License-Identifier: MIT */
/*
 * Blocks that are exact runs of pages: from 32 KiB to half a section.
 */
#ifndef SLABUDDY_MALLOC_LARGE_H
#define SLABUDDY_MALLOC_LARGE_H

#include <slabuddy/gfp.h>

#include "page/page.h"

/* Above half a section a block is a mapping of its own. */
#define MAX_LARGE_BYTES (SECTION_BYTES / 2)

struct slot;

/*
 * A run of pages for @size bytes at a multiple of @align, a power of two. @slot: the caller's, held
 * by slot_enter(). @nr_dirty: gets the number of pages that may not read as zero. Return: NULL when
 * the buddy has none; errno is left alone.
 */
void *large_alloc(struct slot *slot, size_t size, size_t align, unsigned int *nr_dirty);

/* The same from the zone that @gfp names on node @nid, of up to a section. */
struct page *large_alloc_on(struct slot *slot, unsigned int nid, gfp_t gfp, size_t size, size_t align,
			    unsigned int *nr_dirty);

/* Make a block just allocated read as zero. No lock need be held, so that nobody waits for it. */
void large_clear(void *ptr, unsigned int nr_dirty);

/* The large block that starts at @ptr, or NULL. */
struct page *large_page(const void *ptr);

/* @slot: as above. Return: false when @page is not allocated any more: somebody else freed it just
 * now. */
bool large_free(struct slot *slot, struct page *page);

/* Make a block @size bytes long where it stands. Return: false when it cannot be. */
bool large_resize(struct page *page, size_t size);

static inline size_t large_bytes(const struct page *page)
{
	return (size_t)page->nr_pages << PAGE_SHIFT;
}

/* Make a block that was just allocated, and not touched, @size bytes long: what is behind it is free
 * then, so that it can grow. @nr_dirty: as large_alloc() said. */
void large_leave_room(struct page *page, size_t size, unsigned int nr_dirty);

/* Bytes and number of large blocks. */
size_t large_total_bytes(void);
size_t large_count(void);

#endif
