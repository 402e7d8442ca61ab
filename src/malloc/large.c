/* SPDX-License-Identifier: MIT */
#include "malloc/large.h"

#include "buddy/page_alloc.h"
#include "buddy/run.h"
#include "buddy/thp.h"
#include "slab/slot.h"

void large_clear(void *ptr, unsigned int nr_dirty)
{
	struct page *page = large_page(ptr);

	zone_clear_run(page, page->nr_pages, nr_dirty);
}

void *large_alloc_kept(struct slot *slot, size_t size)
{
	void *ptr;

	if (!large_may_be_kept(size))
		return NULL;
	ptr = run_sheaf_pop(&slot->pcp.runs, (uint32_t)bytes_to_pages(size), PAGE_LARGE);
	if (ptr)
		ADD_ONCE(slot->large_blocks, 1);
	return ptr;
}

bool large_free_kept(struct slot *slot, void *ptr)
{
	struct page *page = large_page_to_keep(slot, ptr);

	if (!page || !run_sheaf_push(&slot->pcp.runs, page, ptr))
		return false;
	SUB_ONCE(slot->large_blocks, 1);
	return true;
}

struct page *large_alloc_on(struct slot *slot, unsigned int nid, gfp_t gfp, size_t size, size_t align,
			    unsigned int *nr_dirty)
{
	unsigned int align_order = align > PAGE_SIZE ? ilog2(align) - PAGE_SHIFT : 0;
	unsigned long pgalloc = slot->pcp.runs.pgalloc;
	struct page *page;

	page = page_alloc_exact(nid, gfp | __GFP_MOVABLE, bytes_to_pages(size), align_order,
				nr_dirty, slot->nid == nid ? &slot->pcp : NULL);
	if (!page)
		return NULL;
	page->nid = page_zone(page)->type == ZONE_NORMAL ? page_zone(page)->nid : NO_NODE;
	page_set_type(page, PAGE_LARGE);
	ADD_ONCE(slot->large_blocks, 1);
	if (slot->pcp.runs.pgalloc == pgalloc)
		ADD_ONCE(slot->large_pages, page->nr_pages);
	return page;
}

void *large_alloc(struct slot *slot, size_t size, size_t align, bool written, unsigned int *nr_dirty)
{
	struct page *page = large_alloc_on(slot, slot->nid, 0, size, align, nr_dirty);

	if (!page)
		return NULL;
	if (written)
		thp_ask_run(page, *nr_dirty);
	return page_start(page);
}

bool large_free(struct slot *slot, struct page *page)
{
	unsigned long pgfree = slot->pcp.runs.pgfree;
	uint8_t expected = PAGE_LARGE;
	unsigned int nr_pages;

	/* of two threads that free one block, only one gets past this */
	if (!__atomic_compare_exchange_n(&page->type, &expected, PAGE_USED, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	SUB_ONCE(slot->large_blocks, 1);
	if (run_has_room(&slot->pcp.runs, page))
		run_sheaf_absorb_room(&slot->pcp.runs, slot_zone(slot), page);
	nr_pages = page->nr_pages;
	page_free_exact(page, &slot->pcp, slot->nid);
	if (slot->pcp.runs.pgfree == pgfree)
		SUB_ONCE(slot->large_pages, nr_pages);
	return true;
}

bool large_resize(struct slot *slot, struct page *page, size_t size)
{
	size_t old_pages = page->nr_pages;
	size_t new_pages = bytes_to_pages(size);

	if (new_pages > old_pages &&
	    run_sheaf_grow_into_room(&slot->pcp.runs, slot_zone(slot), page, (uint32_t)new_pages))
		return true;
	if (new_pages > old_pages && !zone_extend_run(page, new_pages))
		return false;
	if (new_pages < old_pages)
		zone_shorten_run(page, new_pages);
	ADD_ONCE(slot->large_pages, new_pages - old_pages);
	return true;
}

static void return_tail(struct slot *slot, struct page *page, unsigned int new_pages,
			unsigned int nr_dirty)
{
	unsigned int old_pages = page->nr_pages;

	/* a run that a slot kept is dirty, whatever the zone knows of its pages */
	if (nr_dirty == old_pages)
		zone_shorten_run(page, new_pages);
	else
		zone_return_tail(page, new_pages);
	SUB_ONCE(slot->large_pages, old_pages - new_pages);
}

/* What the slot cannot keep becomes free, so that a block can still grow as long as nobody takes it. */
static void leave_room(struct slot *slot, struct page *page, unsigned int new_pages,
		       unsigned int nr_dirty)
{
	if (new_pages == page->nr_pages)
		return;
	if (page->nid != slot->nid ||
	    !run_sheaf_leave_room(&slot->pcp.runs, slot_zone(slot), page, new_pages, nr_dirty))
		return_tail(slot, page, new_pages, nr_dirty);
}

void *large_alloc_growing(struct slot *slot, size_t size)
{
	unsigned int nr_pages = (unsigned int)bytes_to_pages(size);
	unsigned int nr_dirty;
	void *ptr = NULL;

	if (gfp_is_fast(0))
		ptr = run_sheaf_pop_longest(&slot->pcp.runs, nr_pages, PAGE_LARGE);
	if (ptr) {
		nr_dirty = run_page(ptr)->nr_pages;
		ADD_ONCE(slot->large_blocks, 1);
	} else {
		ptr = large_alloc(slot, size * 2, 1, false, &nr_dirty);
	}
	if (!ptr)
		return NULL;
	leave_room(slot, run_page(ptr), nr_pages, nr_dirty);
	thp_ask_run(run_page(ptr), nr_dirty);
	return ptr;
}

size_t large_total_bytes(void)
{
	unsigned long pages = 0;

	for (struct slot *slot = slot_first(); slot; slot = slot->next)
		pages += READ_ONCE(slot->large_pages) + READ_ONCE(slot->pcp.runs.pgalloc) -
			 READ_ONCE(slot->pcp.runs.pgfree);
	/* racy: a block may have been seen where it was freed and not where it was allocated */
	return (long)pages > 0 ? pages << PAGE_SHIFT : 0;
}

size_t large_count(void)
{
	unsigned long blocks = 0;

	for (struct slot *slot = slot_first(); slot; slot = slot->next)
		blocks += READ_ONCE(slot->large_blocks);
	return (long)blocks > 0 ? blocks : 0;
}
