/* SPDX-License-Identifier: MIT */
#include "malloc/large.h"

#include "buddy/page_alloc.h"
#include "buddy/run.h"
#include "slab/slot.h"

static size_t total_pages; /* [atomic] */
static size_t nr_blocks;   /* [atomic] */

static void account(size_t blocks, size_t pages)
{
	__atomic_fetch_add(&nr_blocks, blocks, __ATOMIC_RELAXED);
	__atomic_fetch_add(&total_pages, pages, __ATOMIC_RELAXED);
}

void large_clear(void *ptr, unsigned int nr_dirty)
{
	struct page *page = large_page(ptr);

	zone_clear_run(page, page->nr_pages, nr_dirty);
}

struct page *large_alloc_on(struct slot *slot, unsigned int nid, gfp_t gfp, size_t size, size_t align,
			    unsigned int *nr_dirty)
{
	unsigned int align_order = align > PAGE_SIZE ? ilog2(align) - PAGE_SHIFT : 0;
	struct page *page;

	page = page_alloc_exact(nid, gfp | __GFP_MOVABLE, bytes_to_pages(size), align_order,
				nr_dirty, slot->nid == nid ? &slot->pcp : NULL);
	if (!page)
		return NULL;
	page_set_type(page, PAGE_LARGE);
	account(1, page->nr_pages);
	return page;
}

void *large_alloc(struct slot *slot, size_t size, size_t align, unsigned int *nr_dirty)
{
	struct page *page = large_alloc_on(slot, slot->nid, 0, size, align, nr_dirty);

	return page ? page_start(page) : NULL;
}

struct page *large_page(const void *ptr)
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

bool large_free(struct slot *slot, struct page *page)
{
	uint8_t expected = PAGE_LARGE;
	unsigned int nr_pages = page->nr_pages;

	/* of two threads that free one block, only one gets past this */
	if (!__atomic_compare_exchange_n(&page->type, &expected, PAGE_USED, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	account((size_t)-1, -(size_t)nr_pages);
	page_free_exact(page, &slot->pcp, slot->nid);
	return true;
}

bool large_resize(struct page *page, size_t size)
{
	size_t old_pages = page->nr_pages;
	size_t new_pages = bytes_to_pages(size);

	if (new_pages > old_pages && !zone_extend_run(page, new_pages))
		return false;
	if (new_pages < old_pages)
		zone_shorten_run(page, new_pages);
	account(0, new_pages - old_pages);
	return true;
}

void large_leave_room(struct page *page, size_t size, unsigned int nr_dirty)
{
	size_t old_pages = page->nr_pages;
	size_t new_pages = bytes_to_pages(size);

	/* a run that a slot kept is dirty, whatever the zone knows of its pages */
	if (new_pages < old_pages && nr_dirty == old_pages)
		zone_shorten_run(page, new_pages);
	else if (new_pages < old_pages)
		zone_return_tail(page, new_pages);
	account(0, new_pages - old_pages);
}

size_t large_total_bytes(void)
{
	return READ_ONCE(total_pages) << PAGE_SHIFT;
}

size_t large_count(void)
{
	return READ_ONCE(nr_blocks);
}
