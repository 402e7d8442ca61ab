/* SPDX-License-Identifier: MIT */
#include "buddy/join.h"

#include "buddy/free_area.h"
#include "buddy/migrate.h"

/* Blocks of an order that are looked at. Measured (bench/replace 2 200 4096 1000000 10 2000, peak with
 * purge=off): none 317 MiB, 8 and the first that does 288, 16 and the lowest 261, 64 the same. */
#define MAX_CANDIDATES 16

/* Policy: a run stays within pageblocks of its own type, or takes others that are wholly free. */
static bool may_take(const struct page *page, enum migratetype mt)
{
	return page_type(page) == PAGE_BUDDY &&
	       (page->order >= PAGEBLOCK_ORDER || pageblock_type(page) == mt);
}

unsigned int free_pages_at(struct section *section, unsigned int pfn, unsigned int enough,
			   enum migratetype mt)
{
	unsigned int nr = 0;

	while (nr < enough && pfn + nr < PAGES_PER_SECTION) {
		struct page *page = section_page(section, pfn + nr);

		if (!may_take(page, mt))
			break;
		nr += 1U << page->order;
	}
	return nr;
}

unsigned int take_free_pages(struct zone *zone, struct section *section, unsigned int pfn,
			     unsigned int nr, enum migratetype mt)
{
	unsigned int nr_dirty = 0;

	while (nr) {
		struct page *page = section_page(section, pfn);
		unsigned int order = page->order;
		unsigned int here = MIN(nr, 1U << order);
		unsigned int dirty = free_area_del(zone, page);

		if (order >= PAGEBLOCK_ORDER)
			claim_whole_block(page, order, mt);
		nr_dirty += free_area_cut(zone, page, order, here, dirty);
		pfn += here;
		nr -= here;
	}
	return nr_dirty;
}

/* The head of the free block that ends where @pfn starts, if a run of @mt may have it; or NULL. */
static struct page *free_block_before(struct section *section, unsigned int pfn,
				      enum migratetype mt)
{
	if (!pfn)
		return NULL;
	/* a block is aligned to its size, so only these few can end here */
	for (unsigned int order = 0; order <= MIN(first_bit(pfn), MAX_PAGE_ORDER); order++) {
		struct page *page = section_page(section, pfn - (1U << order));

		if (may_take(page, mt) && page->order == order)
			return page;
	}
	return NULL;
}

/*
 * The span of free pages around a block, no longer than needed: first what is behind it, then what
 * is before it. Return: false when @nr pages are not to be had.
 */
static bool find_span(struct section *section, struct page *block, unsigned int nr,
		      enum migratetype mt, unsigned int *start)
{
	unsigned int size = 1U << block->order;
	unsigned int first = page_pfn(block);
	unsigned int length = size + free_pages_at(section, first + size, nr - size, mt);

	while (length < nr) {
		struct page *before = free_block_before(section, first, mt);

		if (!before)
			return false;
		first -= 1U << before->order;
		length += 1U << before->order;
	}
	*start = first;
	return true;
}

/* Of the first few blocks of one order, the span at the lowest address, so that what lies above can
 * become free altogether. Return: its first page, still on its list; or NULL. */
static struct page *lowest_span(struct zone *zone, unsigned int order, unsigned int nr,
				enum migratetype mt)
{
	struct list_head *list = &zone->free_area[order].free_list[mt];
	unsigned int candidates = MAX_CANDIDATES;
	struct page *lowest = NULL;
	struct list_head *pos;

	list_for_each (pos, list) {
		struct page *block = list_entry(pos, struct page, lru);
		struct page *first;
		unsigned int start;

		if (!candidates--)
			break;
		if (!find_span(page_section(block), block, nr, mt, &start))
			continue;
		first = section_page(page_section(block), start);
		if (!lowest || page_start(first) < page_start(lowest))
			lowest = first;
	}
	return lowest;
}

struct page *take_joined(struct zone *zone, size_t nr_pages, unsigned int align_order,
			 enum migratetype mt, unsigned int *nr_dirty)
{
	unsigned int order = pages_to_order(nr_pages);
	unsigned int nr = (unsigned int)nr_pages;
	struct page *page = NULL;

	if (is_power_of_2(nr_pages) || align_order)
		return NULL;
	for (unsigned int smaller = 1; !page && smaller <= MIN(order, 2); smaller++)
		page = lowest_span(zone, order - smaller, nr, mt);
	if (page)
		*nr_dirty = take_free_pages(zone, page_section(page), page_pfn(page), nr, mt);
	return page;
}

/* The largest block. */
#define BLOCK_PAGES (1U << MAX_PAGE_ORDER)

static bool is_free_block(const struct page *page, unsigned int order)
{
	return page_type(page) == PAGE_BUDDY && page->order == order;
}

struct page *take_neighbours(struct zone *zone, size_t nr_pages, enum migratetype mt,
			     unsigned int *nr_dirty)
{
	unsigned int nr_blocks = (unsigned int)DIV_ROUND_UP(nr_pages, BLOCK_PAGES);

	/* whatever their type, such blocks are whole pageblocks; the lists of all types are looked at */
	for (int type = 0; type < MIGRATE_TYPES; type++) {
		struct list_head *list = &zone->free_area[MAX_PAGE_ORDER].free_list[type];
		struct list_head *pos;

		list_for_each (pos, list) {
			struct page *page = list_entry(pos, struct page, lru);
			unsigned int pfn = page_pfn(page);
			unsigned int found = 1;

			if (pfn + nr_pages > PAGES_PER_SECTION)
				continue;
			while (found < nr_blocks &&
			       is_free_block(page + found * BLOCK_PAGES, MAX_PAGE_ORDER))
				found++;
			if (found < nr_blocks)
				continue;
			*nr_dirty = take_free_pages(zone, page_section(page), pfn,
						    (unsigned int)nr_pages, mt);
			return page;
		}
	}
	return NULL;
}
