/* SPDX-License-Identifier: MIT */
#include "buddy/run.h"

#include <string.h>

#include "buddy/free_area.h"
#include "buddy/grow.h"
#include "buddy/join.h"
#include "buddy/migrate.h"
#include "buddy/purge.h"

/* Make pages that are on no list a run that somebody owns. */
static struct page *hand_out(struct zone *zone, struct page *page, size_t nr_pages)
{
	page_set_type(page, PAGE_USED);
	page->nr_pages = (uint32_t)nr_pages;
	zone->events.alloc++;
	zone->events.pgalloc += nr_pages;
	return page;
}

/* The same within the memory limit. Return: NULL: that refused, and the pages are free again. */
static struct page *hand_out_within_limit(struct zone *zone, struct page *page, size_t nr_pages)
{
	if (likely(zone_may_hold(zone)))
		return hand_out(zone, page, nr_pages);
	free_area_merge_range(zone, page_section(page), page_pfn(page), (unsigned int)nr_pages);
	return NULL;
}

static struct page *cut_and_hand_out(struct zone *zone, struct free_block block, size_t nr_pages,
				     unsigned int *nr_dirty)
{
	*nr_dirty = free_area_cut(zone, block.page, block.order, (unsigned int)nr_pages,
				  block.nr_dirty);
	return hand_out_within_limit(zone, block.page, nr_pages);
}

/* Return: the run, or NULL: the OS refused, or the memory limit did, to which growing is no answer. */
static noinline struct page *alloc_by_growing(struct zone *zone, unsigned int order,
					      size_t nr_pages, enum migratetype mt,
					      unsigned int *nr_dirty)
{
	struct page *page = NULL;
	struct free_block block;
	bool grown;

	do {
		grown = zone_grow(zone, order, mt);
		zone_lock(zone);
		block = take_at_hand(zone, order, mt);
		if (!block.page && !grown)
			block = take_fallback(zone, order, mt);
		if (block.page)
			page = cut_and_hand_out(zone, block, nr_pages, nr_dirty);
		zone_unlock(zone);
	} while (!block.page && grown);
	return page;
}

/* From what the zone has at hand. *@found: whether there was something, even if the memory limit refused it. */
static struct page *alloc_at_hand(struct zone *zone, unsigned int order, size_t nr_pages,
				  unsigned int align_order, enum migratetype mt,
				  unsigned int *nr_dirty, bool *found)
{
	struct page *page;

	zone_lock(zone);
	page = align_order ? NULL : take_best_fit(zone, nr_pages, mt, nr_dirty);
	*found = page;
	if (page) {
		page = hand_out_within_limit(zone, page, nr_pages);
	} else {
		struct free_block block = take_at_hand(zone, order, mt);

		*found = block.page;
		if (block.page)
			page = cut_and_hand_out(zone, block, nr_pages, nr_dirty);
	}
	zone_unlock(zone);
	return page;
}

struct page *zone_alloc_run(struct zone *zone, size_t nr_pages, unsigned int align_order,
			    enum migratetype mt, unsigned int *nr_dirty)
{
	unsigned int order = MAX(pages_to_order(nr_pages), align_order);
	unsigned int unused;
	struct page *page;
	bool found;

	if (order > MAX_PAGE_ORDER)
		return NULL;
	if (!nr_dirty)
		nr_dirty = &unused;
	page = alloc_at_hand(zone, order, nr_pages, align_order, mt, nr_dirty, &found);
	return found ? page : alloc_by_growing(zone, order, nr_pages, mt, nr_dirty);
}

struct page *zone_try_alloc(struct zone *zone, unsigned int order, enum migratetype mt)
{
	struct free_block block = { .page = NULL };
	struct page *page = NULL;
	unsigned int nr_dirty;

	if (!lock_try(&zone->lock, LOCK_ZONE))
		return NULL;
	if (zone->ready)
		block = take_at_hand(zone, order, mt);
	if (block.page)
		page = cut_and_hand_out(zone, block, (size_t)1 << order, &nr_dirty);
	zone_unlock(zone);
	return page;
}

/* From blocks of MAX_PAGE_ORDER that lie side by side. *@found: as above. */
static struct page *take_long_run(struct zone *zone, size_t nr_pages, enum migratetype mt,
				  unsigned int *nr_dirty, bool *found)
{
	struct page *page;

	zone_lock(zone);
	page = take_neighbours(zone, nr_pages, mt, nr_dirty);
	*found = page;
	if (page)
		page = hand_out_within_limit(zone, page, nr_pages);
	zone_unlock(zone);
	return page;
}

struct page *zone_alloc_long_run(struct zone *zone, size_t nr_pages, enum migratetype mt,
				 unsigned int *nr_dirty)
{
	unsigned int order = pages_to_order(nr_pages);
	struct page *page;
	bool found;

	if (order > SECTION_SHIFT - PAGE_SHIFT)
		return NULL;
	page = take_long_run(zone, nr_pages, mt, nr_dirty, &found);
	while (!found && zone_grow(zone, order, mt))
		page = take_long_run(zone, nr_pages, mt, nr_dirty, &found);
	return page;
}

struct page *zone_alloc_run_at_hand(struct zone *zone, size_t nr_pages, unsigned int align_order,
				    enum migratetype mt, unsigned int *nr_dirty)
{
	unsigned int order = MAX(pages_to_order(nr_pages), align_order);
	unsigned int unused;
	bool found;

	/* racy peek: a zone that was never used has nothing */
	if (order > MAX_PAGE_ORDER || !READ_ONCE(zone->managed_pages))
		return NULL;
	return alloc_at_hand(zone, order, nr_pages, align_order, mt, nr_dirty ? nr_dirty : &unused,
			     &found);
}

/* Pages whose state is looked up at once. */
#define CLEAR_STEP_PAGES 1024U

static void clear_dirty_pages(struct page *page, unsigned int nr)
{
	uint64_t map[CLEAR_STEP_PAGES / BITS_PER_WORD];
	char *addr = page_start(page);

	for (unsigned int done = 0; done < nr; done += CLEAR_STEP_PAGES) {
		unsigned int step = MIN(nr - done, CLEAR_STEP_PAGES);

		zone_copy_dirty(page + done, step, map);
		for (unsigned int i = 0; i < step; i++) {
			if (bitmap_test(map, i))
				memset(addr + ((size_t)(done + i) << PAGE_SHIFT), 0, PAGE_SIZE);
		}
	}
}

void zone_clear_run(struct page *page, size_t nr_pages, unsigned int nr_dirty)
{
	if (nr_dirty == nr_pages)
		memset(page_start(page), 0, nr_pages << PAGE_SHIFT);
	else if (nr_dirty)
		clear_dirty_pages(page, (unsigned int)nr_pages);
}

/* @freed: how many of them were not counted as freed before. */
static void free_locked(struct zone *zone, struct page *page, unsigned int nr, unsigned int freed)
{
	struct section *section = page_section(page);
	unsigned int pfn = page_pfn(page);

	page_set_type(page, PAGE_NONE);
	zone->clock++;
	bitmap_set_range(section->dirty, pfn, nr);
	free_area_merge_range(zone, section, pfn, nr);
	zone->events.free++;
	zone->events.pgfree += freed;
}

static void free_run(struct page *page, unsigned int nr_pages, unsigned int freed)
{
	struct zone *zone = page_zone(page);
	bool surplus;

	zone_lock(zone);
	free_locked(zone, page, nr_pages, freed);
	surplus = zone_is_above_high(zone);
	zone_unlock(zone);
	if (unlikely(surplus))
		zone_purge_to_low(zone);
}

void zone_free_run(struct page *page, size_t nr_pages)
{
	free_run(page, (unsigned int)nr_pages, (unsigned int)nr_pages);
}

void zone_free_kept_run(struct page *page)
{
	free_run(page, page->nr_pages, 0);
}

bool zone_extend_run(struct page *page, size_t new_pages)
{
	struct section *section = page_section(page);
	struct zone *zone = section->zone;
	unsigned int end = page_pfn(page) + page->nr_pages;
	enum migratetype mt;
	unsigned int extra;

	if (new_pages > PAGES_PER_SECTION)
		return false;
	extra = (unsigned int)new_pages - page->nr_pages;
	zone_lock(zone);
	mt = pageblock_type(section_page(section, end - 1));
	if (free_pages_at(section, end, extra, mt) < extra) {
		zone_unlock(zone);
		return false;
	}
	take_free_pages(zone, section, end, extra, mt);
	if (unlikely(!zone_may_hold(zone))) {
		free_area_merge_range(zone, section, end, extra);
		zone_unlock(zone);
		return false;
	}
	page->nr_pages = (uint32_t)new_pages;
	zone->events.pgalloc += extra;
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
	free_locked(zone, page + new_pages, old_pages - (unsigned int)new_pages,
		    old_pages - (unsigned int)new_pages);
	surplus = zone_is_above_high(zone);
	zone_unlock(zone);
	if (unlikely(surplus))
		zone_purge_to_low(zone);
}

void zone_return_tail(struct page *page, size_t new_pages)
{
	struct section *section = page_section(page);
	unsigned int first = page_pfn(page) + (unsigned int)new_pages;
	unsigned int nr = page->nr_pages - (unsigned int)new_pages;

	if (!nr)
		return;
	zone_lock(section->zone);
	page->nr_pages = (uint32_t)new_pages;
	free_area_merge_range(section->zone, section, first, nr);
	section->zone->events.pgfree += nr;
	zone_unlock(section->zone);
}

void zone_return_kept_run(struct zone *zone, struct page *page)
{
	unsigned int nr = page->nr_pages;

	zone_lock(zone);
	page_set_type(page, PAGE_NONE);
	free_area_merge_range(zone, page_section(page), page_pfn(page), nr);
	zone_unlock(zone);
}

void zone_copy_dirty(struct page *page, size_t nr_pages, uint64_t *map)
{
	struct section *section = page_section(page);
	unsigned int pfn = page_pfn(page);
	struct zone *zone = section->zone;

	memset(map, 0, DIV_ROUND_UP(nr_pages, BITS_PER_WORD) * sizeof(*map));
	zone_lock(zone);
	for (unsigned int i = 0; i < nr_pages; i++) {
		if (bitmap_test(section->dirty, pfn + i))
			bitmap_set_range(map, i, 1);
	}
	zone_unlock(zone);
}
