/* SPDX-License-Identifier: MIT */
/*
 * Blocks that are exact runs of pages: from 32 KiB to half a section, or the zones' largest block.
 */
#ifndef SLABUDDY_MALLOC_LARGE_H
#define SLABUDDY_MALLOC_LARGE_H

#include <slabuddy/gfp.h>

#include "page/page.h"
#include "slab/slot.h"

/*
 * Above it a block is a mapping of its own. What no zone can give, in builds with a small MAX_PAGE_ORDER, would be one
 * anyway, but one that is copied whenever it grows.
 */
#define MAX_LARGE_BYTES MIN(SECTION_BYTES / 2, PAGE_SIZE << MAX_PAGE_ORDER)

/* The large block that starts at @ptr, or NULL. */
static always_inline struct page *large_page(const void *ptr)
{
	struct section *section = addr_to_section(ptr);
	unsigned int pfn = addr_to_pfn(ptr);
	struct page *page;

	if (!section || !IS_ALIGNED((uintptr_t)ptr, PAGE_SIZE) ||
	    section_tag(section, pfn) != TAG_PLAIN)
		return NULL;
	page = section_page(section, pfn);
	return page_type(page) == PAGE_LARGE ? page : NULL;
}

/* Whether a request may be served from what the calling thread's slot keeps. */
static always_inline bool large_may_be_kept(size_t size)
{
	/* who wants to see each request sees this one in large_alloc() */
	return size <= MAX_RUN_PAGES * PAGE_SIZE && gfp_is_fast(0);
}

/* The block that was left last with the calling thread's slot, if it fits, without a lock; or NULL. */
static always_inline void *large_alloc_newest(struct slot *slot, size_t size)
{
	void *ptr;

	if (unlikely(!large_may_be_kept(size)))
		return NULL;
	ptr = run_sheaf_pop_newest(&slot->pcp.runs, (uint32_t)bytes_to_pages(size), PAGE_LARGE);
	if (likely(ptr))
		ADD_ONCE(slot->large_blocks, 1);
	return ptr;
}

/* Any that fits. */
void *large_alloc_kept(struct slot *slot, size_t size);

/*
 * A run of pages for @size bytes at a multiple of @align, a power of two. @slot: the caller's, held
 * by slot_enter(). @nr_dirty: gets the number of pages that may not read as zero. @written: its owner
 * will write to all of it, so that it may have huge pages. Return: NULL when the buddy has none; errno is left alone.
 */
void *large_alloc(struct slot *slot, size_t size, size_t align, bool written, unsigned int *nr_dirty);

/* The same from the zone that @gfp names on node @nid, of up to a section. */
struct page *large_alloc_on(struct slot *slot, unsigned int nid, gfp_t gfp, size_t size, size_t align,
			    unsigned int *nr_dirty);

/* Make a block just allocated read as zero. No lock need be held, so that nobody waits for it. */
void large_clear(void *ptr, unsigned int nr_dirty);

/* @slot: as above. Return: false when @page is not allocated any more: somebody else freed it just
 * now. */
bool large_free(struct slot *slot, struct page *page);

/* The large block that starts at @ptr, if @slot may keep it; or NULL. */
static always_inline struct page *large_page_to_keep(const struct slot *slot, const void *ptr)
{
	struct page *page = large_page(ptr);

	/* with room behind it there is more to do */
	return page && page->nid == slot->nid && !run_has_room(&slot->pcp.runs, page) ? page : NULL;
}

/*
 * Leave a block with the calling thread's slot, without a lock, where the last one that it gave away was. Return: false
 * when there is no room, or @ptr is no large block. Of two threads that free one block at the same moment, neither may
 * be found out.
 */
static always_inline bool large_free_newest(struct slot *slot, void *ptr)
{
	struct page *page = large_page_to_keep(slot, ptr);

	if (unlikely(!page || !run_sheaf_push_newest(&slot->pcp.runs, page, ptr)))
		return false;
	SUB_ONCE(slot->large_blocks, 1);
	return true;
}

/* The same wherever there is room. */
bool large_free_kept(struct slot *slot, void *ptr);

/* Make a block @size bytes long where it stands. Return: false when it cannot be. */
bool large_resize(struct slot *slot, struct page *page, size_t size);

static inline size_t large_bytes(const struct page *page)
{
	return (size_t)page->nr_pages << PAGE_SHIFT;
}

/*
 * A block of @size bytes that will grow: as much again is kept free behind it, or more out of what the slot has.
 * @slot: the caller's, held by slot_enter(). Return: NULL as for large_alloc().
 */
void *large_alloc_growing(struct slot *slot, size_t size);

/* Bytes and number of large blocks. */
size_t large_total_bytes(void);
size_t large_count(void);

#endif
