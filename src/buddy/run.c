/* SPDX-License-Identifier: MIT */
#include "buddy/run.h"

#include <string.h>

#include "buddy/free_area.h"
#include "buddy/grow.h"
#include "buddy/migrate.h"
#include "buddy/purge.h"

/* Make @block, off its list, a run of @nr_pages that somebody owns. */
static struct page *hand_out(struct zone *zone, struct free_block block, size_t nr_pages,
			     unsigned int *nr_dirty)
{
	unsigned int dirty = free_area_cut(zone, block.page, block.order, (unsigned int)nr_pages,
					   block.nr_dirty);

	page_set_type(block.page, PAGE_USED);
	block.page->nr_pages = (uint32_t)nr_pages;
	zone->events.alloc++;
	if (nr_dirty)
		*nr_dirty = dirty;
	return block.page;
}

/* Return: the run, or NULL with *@grown saying that it makes sense to look again. */
static noinline struct page *alloc_by_growing(struct zone *zone, unsigned int order,
					      size_t nr_pages, enum migratetype mt,
					      unsigned int *nr_dirty)
{
	struct page *page = NULL;
	bool grown;

	do {
		struct free_block block;

		grown = zone_grow(zone, order, mt);
		zone_lock(zone);
		block = take_pure(zone, order, mt);
		if (!block.page && !grown)
			block = take_fallback(zone, order, mt);
		if (block.page)
			page = hand_out(zone, block, nr_pages, nr_dirty);
		zone_unlock(zone);
	} while (!page && grown);
	return page;
}

struct page *zone_alloc_run(struct zone *zone, size_t nr_pages, unsigned int align_order,
			    enum migratetype mt, unsigned int *nr_dirty)
{
	unsigned int order = MAX(pages_to_order(nr_pages), align_order);
	struct free_block block;
	struct page *page = NULL;

	if (order > MAX_PAGE_ORDER)
		return NULL;
	zone_lock(zone);
	block = take_pure(zone, order, mt);
	if (block.page)
		page = hand_out(zone, block, nr_pages, nr_dirty);
	zone_unlock(zone);
	return page ? page : alloc_by_growing(zone, order, nr_pages, mt, nr_dirty);
}

static void free_locked(struct zone *zone, struct page *page, unsigned int nr)
{
	struct section *section = page_section(page);
	unsigned int pfn = page_to_pfn(page);

	page_set_type(page, PAGE_NONE);
	bitmap_set_range(section->dirty, pfn, nr);
	free_area_merge_range(zone, section, pfn, nr, true);
	zone->events.free++;
}

void zone_free_run(struct page *page, size_t nr_pages)
{
	struct zone *zone = page_zone(page);
	bool surplus;

	zone_lock(zone);
	free_locked(zone, page, (unsigned int)nr_pages);
	surplus = zone_is_above_high(zone);
	zone_unlock(zone);
	if (unlikely(surplus))
		zone_purge_to_low(zone);
}

/* Policy: a run grows within pageblocks of its own type, and into those that are wholly free. */
static bool may_extend_into(const struct page *page, enum migratetype mt)
{
	return page_type(page) == PAGE_BUDDY &&
	       (page->order >= PAGEBLOCK_ORDER || pageblock_type(page) == mt);
}

/* The pages for a run of @mt that follow @pfn without a gap, counted no further than @enough. */
static unsigned int free_pages_behind(struct section *section, unsigned int pfn,
				      unsigned int enough, enum migratetype mt)
{
	unsigned int nr = 0;

	while (nr < enough && pfn + nr < PAGES_PER_SECTION) {
		struct page *page = pfn_to_page(section, pfn + nr);

		if (!may_extend_into(page, mt))
			break;
		nr += 1U << page->order;
	}
	return nr;
}

bool zone_extend_run(struct page *page, size_t new_pages)
{
	struct section *section = page_section(page);
	struct zone *zone = section->zone;
	unsigned int end = page_to_pfn(page) + page->nr_pages;
	enum migratetype mt;
	unsigned int extra;

	if (new_pages > PAGES_PER_SECTION)
		return false;
	extra = (unsigned int)new_pages - page->nr_pages;
	zone_lock(zone);
	mt = pageblock_type(pfn_to_page(section, end - 1));
	if (free_pages_behind(section, end, extra, mt) < extra) {
		zone_unlock(zone);
		return false;
	}
	while (extra) {
		struct page *next = pfn_to_page(section, end);
		unsigned int order = next->order;
		unsigned int nr = MIN(extra, 1U << order);

		if (order >= PAGEBLOCK_ORDER)
			claim_whole_block(next, order, mt);
		free_area_cut(zone, next, order, nr, free_area_del(zone, next));
		end += nr;
		extra -= nr;
	}
	page->nr_pages = (uint32_t)new_pages;
	zone_unlock(zone);
	return true;
}

void zone_shorten_run(struct page *page, size_t new_pages)
{
	struct zone *zone = page_zone(page);
	unsigned int old_pages = page->nr_pages;
	bool surplus;

	zone_lock(zone);
	page->nr_pages = (uint32_t)new_pages;
	free_locked(zone, page + new_pages, old_pages - (unsigned int)new_pages);
	surplus = zone_is_above_high(zone);
	zone_unlock(zone);
	if (unlikely(surplus))
		zone_purge_to_low(zone);
}

void zone_copy_dirty(struct page *page, size_t nr_pages, uint64_t *map)
{
	struct section *section = page_section(page);
	unsigned int pfn = page_to_pfn(page);
	struct zone *zone = section->zone;

	memset(map, 0, DIV_ROUND_UP(nr_pages, BITS_PER_WORD) * sizeof(*map));
	zone_lock(zone);
	for (unsigned int i = 0; i < nr_pages; i++) {
		if (bitmap_test(section->dirty, pfn + i))
			bitmap_set_range(map, i, 1);
	}
	zone_unlock(zone);
}
