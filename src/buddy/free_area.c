/* SPDX-License-Identifier: MIT */
#include "buddy/free_area.h"

enum migratetype pageblock_type(const struct page *page)
{
	unsigned int block = page_pfn(page) >> PAGEBLOCK_ORDER;

	return (enum migratetype)page_section(page)->pageblock_type[block];
}

/* Dirty pages among [pfn, pfn + nr) of a block of which @of pages, @dirty of them dirty, are known. */
static unsigned int count_dirty(const struct section *section, unsigned int pfn, unsigned int nr,
				unsigned int dirty, unsigned int of)
{
	if (!dirty)
		return 0;
	if (dirty == of)
		return nr;
	return bitmap_count_range(section->dirty, pfn, nr);
}

void free_area_add(struct zone *zone, struct page *page, unsigned int order, unsigned int nr_dirty)
{
	struct free_area *area = &zone->free_area[order];
	struct list_head *list = &area->free_list[pageblock_type(page)];

	ASSERT_HELD(&zone->lock, LOCK_ZONE);
	ASSERT(page_type(page) == PAGE_NONE);
	ASSERT(IS_ALIGNED(page_pfn(page), 1U << order));
	page_set_type(page, PAGE_BUDDY);
	page->order = (uint8_t)order;
	/* for who comes from behind, see join.c */
	page[(1U << order) - 1].order = (uint8_t)order;
	page->nr_dirty = nr_dirty;
	/* what is resident is used first, so that clean pages stay untouched */
	if (nr_dirty)
		list_add(&page->lru, list);
	else
		list_add_tail(&page->lru, list);
	area->nr_free++;
	ADD_ONCE(zone->nr_free_pages, 1UL << order);
	ADD_ONCE(zone->nr_dirty, nr_dirty);
}

unsigned int free_area_del(struct zone *zone, struct page *page)
{
	unsigned int nr_dirty = page->nr_dirty;

	ASSERT_HELD(&zone->lock, LOCK_ZONE);
	ASSERT(page_type(page) == PAGE_BUDDY);
	list_del(&page->lru);
	page_set_type(page, PAGE_NONE);
	zone->free_area[page->order].nr_free--;
	SUB_ONCE(zone->nr_free_pages, 1UL << page->order);
	SUB_ONCE(zone->nr_dirty, nr_dirty);
	return nr_dirty;
}

void free_area_merge(struct zone *zone, struct page *page, unsigned int order,
		     unsigned int nr_dirty)
{
	struct section *section = page_section(page);
	unsigned int pfn = page_pfn(page);
	/* clean pages have no age */
	uint32_t age = nr_dirty ? 0 : UINT32_MAX;

	while (order < MAX_PAGE_ORDER) {
		struct page *buddy = section_page(section, pfn ^ 1U << order);

		if (page_type(buddy) != PAGE_BUDDY || buddy->order != order)
			break;
		if (buddy->nr_dirty)
			age = MIN(age, zone->clock - buddy->freed_at);
		nr_dirty += free_area_del(zone, buddy);
		pfn &= ~(1U << order);
		order++;
		zone->events.merge++;
	}
	section_page(section, pfn)->freed_at = zone->clock - age;
	free_area_add(zone, section_page(section, pfn), order, nr_dirty);
}

/* The largest order of a block that starts at @pfn and does not reach beyond @nr pages. */
static unsigned int piece_order(unsigned int pfn, unsigned int nr)
{
	unsigned int order = ilog2(nr);

	if (pfn)
		order = MIN(order, first_bit(pfn));
	return MIN(order, MAX_PAGE_ORDER);
}

void free_area_merge_range(struct zone *zone, struct section *section, unsigned int pfn,
			   unsigned int nr)
{
	while (nr) {
		unsigned int order = piece_order(pfn, nr);
		unsigned int pages = 1U << order;

		free_area_merge(zone, section_page(section, pfn), order,
				bitmap_count_range(section->dirty, pfn, pages));
		pfn += pages;
		nr -= pages;
	}
}

/* A part of a block that is on no list. */
static void add_part(struct zone *zone, struct page *page, unsigned int order, unsigned int nr_dirty,
		     uint32_t freed_at)
{
	page->freed_at = freed_at;
	free_area_add(zone, page, order, nr_dirty);
}

unsigned int free_area_cut(struct zone *zone, struct page *page, unsigned int order,
			   unsigned int nr_pages, unsigned int nr_dirty)
{
	struct section *section = page_section(page);
	unsigned int pfn = page_pfn(page);
	uint32_t freed_at = page->freed_at;
	unsigned int kept_dirty = 0;

	ASSERT(nr_pages <= 1U << order);
	/*
	 * Halve while the lower half still holds the run. When it does not, the run needs the lower
	 * half whole and a part of the upper one, which is cut in its turn.
	 */
	while (nr_pages < 1U << order) {
		unsigned int half = 1U << (order - 1);
		unsigned int lower = count_dirty(section, pfn, half, nr_dirty, 2 * half);

		order--;
		zone->events.split++;
		if (nr_pages <= half) {
			add_part(zone, section_page(section, pfn + half), order, nr_dirty - lower,
				 freed_at);
			nr_dirty = lower;
		} else {
			kept_dirty += lower;
			nr_dirty -= lower;
			nr_pages -= half;
			pfn += half;
		}
	}
	return kept_dirty + nr_dirty;
}

void free_area_split(struct zone *zone, struct page *page, unsigned int pfn)
{
	struct section *section = page_section(page);
	unsigned int order = page->order;
	uint32_t freed_at = page->freed_at;
	unsigned int nr_dirty = free_area_del(zone, page);

	while (page_pfn(page) != pfn) {
		unsigned int half = 1U << --order;
		unsigned int lower = count_dirty(section, page_pfn(page), half, nr_dirty, 2 * half);

		zone->events.split++;
		if (pfn < page_pfn(page) + half) {
			add_part(zone, page + half, order, nr_dirty - lower, freed_at);
			nr_dirty = lower;
		} else {
			add_part(zone, page, order, lower, freed_at);
			page += half;
			nr_dirty -= lower;
		}
	}
	add_part(zone, page, order, nr_dirty, freed_at);
}
