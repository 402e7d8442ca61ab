/* SPDX-License-Identifier: MIT */
#include "buddy/join.h"

#include "buddy/free_area.h"
#include "buddy/migrate.h"

/*
 * Blocks of an order that are looked at. Measured (bench/replace 2 200 4096 1000000 10 2000, peak with purge=off):
 * 16 250 MiB, 32 and 64 246, all of them 242; the lowest of 16 blocks of two orders 272.
 */
#define MAX_CANDIDATES 32

/* A fit that is so close ends the search. Measured: a 64th costs more time and saves nothing. */
#define GOOD_FIT_FRACTION 16

/*
 * What a page costs that has to be faulted in, that is left over with memory behind it, and without.
 * Measured in a simulation of blocks of 64 KiB to 4 MiB and of bench/replace, page faults to those of
 * purge=off: 4 4 1 2.64 and 1.32, 8 4 1 2.23 and 1.23, 32 4 4 2.15 and 1.16, 32 4 1 1.95 and 1.13,
 * 32 4 0 1.91 and 1.42, 256 4 1 2.03 and 1.13.
 */
#define FAULT_COST 32
#define DIRTY_LEFT_COST 4
#define CLEAN_LEFT_COST 1

/*
 * What it costs in a zone that cannot grow, where runs are at the front of their spans. Measured: a process that takes
 * all there is in blocks of 40 to 300 KB, under 40 to 96 MB of addresses, has 98 % of it the second time, and 90 % without
 * the difference.
 */
#define CRAMPED_FAULT_COST 16

/* Shorter runs fit anywhere. Arbitrary: what is as short comes from a slot's lists, mostly. */
#define MIN_FITTED_PAGES 8U

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
	unsigned int order;
	struct page *page;

	if (!pfn)
		return NULL;
	/* a block's last page knows its order; what is no block's may have anything left in it */
	order = section_page(section, pfn - 1)->order;
	if (order > MAX_PAGE_ORDER || pfn < 1U << order)
		return NULL;
	page = section_page(section, pfn - (1U << order));
	return may_take(page, mt) && page->order == order ? page : NULL;
}

/* The head of the free block that @pfn lies in. */
static struct page *free_block_of(struct section *section, unsigned int pfn)
{
	struct page *page = section_page(section, pfn);

	for (unsigned int order = 1; page_type(page) != PAGE_BUDDY ||
				     page_pfn(page) + (1U << page->order) <= pfn;
	     order++)
		page = section_page(section, ALIGN_DOWN(pfn, 1U << order));
	return page;
}

/* Halve a free block that a run of @mt may have, until one of its parts starts at @pfn. */
static void split_at(struct zone *zone, struct section *section, unsigned int pfn,
		     enum migratetype mt)
{
	struct page *page = free_block_of(section, pfn);

	if (page_pfn(page) == pfn)
		return;
	/* its parts may be less than a pageblock */
	if (page->order >= PAGEBLOCK_ORDER)
		claim_whole_block(page, page->order, mt);
	free_area_split(zone, page, pfn);
}

/* Neighbouring free blocks that a run may have. */
struct span {
	struct section *section;
	unsigned int pfn;
	unsigned int length;
	unsigned int nr_dirty;
};

/* @enough: pages after which it is long. */
static struct span span_around(struct page *block, unsigned int enough, enum migratetype mt)
{
	struct span span = { .section = page_section(block), .pfn = page_pfn(block) };
	unsigned int end = span.pfn;
	struct page *page;

	while (span.length < enough && end < PAGES_PER_SECTION &&
	       may_take(page = section_page(span.section, end), mt)) {
		span.length += 1U << page->order;
		span.nr_dirty += page->nr_dirty;
		end += 1U << page->order;
	}
	while (span.length < enough && (page = free_block_before(span.section, span.pfn, mt))) {
		span.pfn -= 1U << page->order;
		span.length += 1U << page->order;
		span.nr_dirty += page->nr_dirty;
	}
	return span;
}

/* Where in a span a run may start. */
struct place {
	struct section *section;
	unsigned int pfn;
	unsigned int cost;
};

/* Policy: a zone that cannot grow is short of room, and page faults are its least care. */
static bool is_cramped(const struct span *span)
{
	return READ_ONCE(span->section->zone->cramped);
}

/* Policy: what was given back costs a page fault each; what is left over is a pity, above all if dirty. */
static unsigned int cost_of(const struct span *span, unsigned int nr, unsigned int nr_dirty)
{
	unsigned int dirty_left = span->nr_dirty - nr_dirty;
	unsigned int clean_left = span->length - nr - dirty_left;

	if (unlikely(is_cramped(span)))
		return (nr - nr_dirty) * CRAMPED_FAULT_COST +
		       (span->length - nr) * DIRTY_LEFT_COST;
	return (nr - nr_dirty) * FAULT_COST + dirty_left * DIRTY_LEFT_COST +
	       clean_left * CLEAN_LEFT_COST;
}

/* Policy: of equals the one at the lower address, so that what lies above can become free altogether. */
static bool is_better(const struct place *place, const struct place *best)
{
	if (!best->section || place->cost != best->cost)
		return !best->section || place->cost < best->cost;
	return place->section->base < best->section->base ||
	       (place->section == best->section && place->pfn < best->pfn);
}

static bool is_mixed(const struct span *span)
{
	return span->nr_dirty && span->nr_dirty < span->length;
}

/* With @nr_dirty of the run's pages dirty. */
static void try_place(const struct span *span, unsigned int pfn, unsigned int nr,
		      unsigned int nr_dirty, struct place *best)
{
	struct place place = { .section = span->section, .pfn = pfn };

	place.cost = cost_of(span, nr, nr_dirty);
	if (is_better(&place, best))
		*best = place;
}

static void count_and_try(const struct span *span, unsigned int pfn, unsigned int nr,
			  struct place *best)
{
	try_place(span, pfn, nr, bitmap_count_range(span->section->dirty, pfn, nr), best);
}

/*
 * Policy: at the front. Unless there is no room to waste, where only some pages are dirty, at the end as well, and so that it starts
 * or ends with @block: the ends of what is dirty are mostly among these.
 */
static void try_span(const struct span *span, const struct page *block, unsigned int nr,
		     struct place *best)
{
	unsigned int end = span->pfn + span->length;
	unsigned int first = page_pfn(block);
	unsigned int behind = first + (1U << block->order);
	unsigned int most_dirty = MIN(nr, span->nr_dirty);

	/* nothing in it can be better: most spans end here */
	if (best->section && cost_of(span, nr, most_dirty) > best->cost)
		return;
	if (!is_mixed(span) || is_cramped(span)) {
		try_place(span, span->pfn, nr, most_dirty, best);
		return;
	}
	count_and_try(span, span->pfn, nr, best);
	count_and_try(span, end - nr, nr, best);
	if (first + nr <= end)
		count_and_try(span, first, nr, best);
	if (behind >= span->pfn + nr)
		count_and_try(span, behind - nr, nr, best);
}

/* Look at the first few blocks of one order. Return: false when *@best will do. */
static bool look_at_order(struct zone *zone, unsigned int order, unsigned int nr,
			  enum migratetype mt, struct place *best)
{
	struct list_head *list = &zone->free_area[order].free_list[mt];
	unsigned int candidates = MAX_CANDIDATES;
	bool whole = nr <= 1U << order;
	struct list_head *pos;

	list_for_each (pos, list) {
		struct page *block = list_entry(pos, struct page, lru);
		struct span span;

		/* whether to use what was never touched is take_at_hand()'s question */
		if (!candidates-- || (whole && !block->nr_dirty))
			break;
		span = span_around(block, 2 * nr, mt);
		if (span.length < nr)
			continue;
		try_span(&span, block, nr, best);
		if (best->cost <= nr * DIRTY_LEFT_COST / GOOD_FIT_FRACTION)
			return false;
	}
	return true;
}

struct page *take_best_fit(struct zone *zone, size_t nr_pages, enum migratetype mt,
			   unsigned int *nr_dirty)
{
	unsigned int order = pages_to_order(nr_pages);
	unsigned int nr = (unsigned int)nr_pages;
	struct place best = { .section = NULL };

	if (nr < MIN_FITTED_PAGES)
		return NULL;
	/* n pages in a row always hold a block of a quarter of the order that they would need */
	for (unsigned int o = order - 2; o <= MIN(order + 2, MAX_PAGE_ORDER); o++) {
		if (!look_at_order(zone, o, nr, mt, &best))
			break;
	}
	if (!best.section)
		return NULL;
	split_at(zone, best.section, best.pfn, mt);
	*nr_dirty = take_free_pages(zone, best.section, best.pfn, nr, mt);
	return section_page(best.section, best.pfn);
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
