/* SPDX-License-Identifier: MIT */
#include "buddy/migrate.h"

#include "buddy/free_area.h"

/* Whom to ask next; slabs stay together before they mix with large blocks. */
static const enum migratetype fallbacks[MIGRATE_TYPES][MIGRATE_TYPES - 1] = {
	[MIGRATE_UNMOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE },
	[MIGRATE_MOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE },
	[MIGRATE_RECLAIMABLE] = { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE },
};

static struct free_block take(struct zone *zone, struct page *page)
{
	struct free_block block = { .page = page, .order = page->order };

	block.nr_dirty = free_area_del(zone, page);
	return block;
}

static struct page *first_block(struct zone *zone, unsigned int order, enum migratetype mt)
{
	struct list_head *list = &zone->free_area[order].free_list[mt];

	return list_empty(list) ? NULL : list_first_entry(list, struct page, lru);
}

/*
 * The smallest block that has memory behind it; a clean one only when there is none. So a fresh page
 * is not touched while a larger block of pages that were paid for lies idle.
 */
static struct page *best_block(struct zone *zone, unsigned int order, enum migratetype mt)
{
	struct page *clean = NULL;

	for (; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = first_block(zone, order, mt);

		if (page && page->nr_dirty)
			return page;
		if (page && !clean)
			clean = page;
	}
	return clean;
}

void claim_whole_block(struct page *page, unsigned int order, enum migratetype mt)
{
	struct section *section = page_section(page);
	unsigned int first = page_to_pfn(page) >> PAGEBLOCK_ORDER;
	unsigned int nr = order > PAGEBLOCK_ORDER ? 1U << (order - PAGEBLOCK_ORDER) : 1;

	for (unsigned int i = 0; i < nr; i++)
		section->pageblock_type[first + i] = (uint8_t)mt;
}

struct free_block take_pure(struct zone *zone, unsigned int order, enum migratetype mt)
{
	struct page *page = best_block(zone, order, mt);

	for (int i = 0; !page && i < MIGRATE_TYPES - 1; i++) {
		page = best_block(zone, MAX(order, PAGEBLOCK_ORDER), fallbacks[mt][i]);
		if (page) {
			struct free_block block = take(zone, page);

			claim_whole_block(page, block.order, mt);
			zone->events.claim++;
			return block;
		}
	}
	if (!page)
		return (struct free_block){ .page = NULL };
	/* pageblocks of several types may have merged to one block */
	if (page->order > PAGEBLOCK_ORDER)
		claim_whole_block(page, page->order, mt);
	return take(zone, page);
}

static unsigned int pageblock_free_pages(struct section *section, unsigned int first)
{
	unsigned int free = 0;

	for (unsigned int pfn = first; pfn < first + PAGEBLOCK_PAGES; pfn++) {
		struct page *page = pfn_to_page(section, pfn);

		if (page_type(page) == PAGE_BUDDY)
			free += 1U << page->order;
	}
	return free;
}

void claim_pageblock(struct zone *zone, struct section *section, unsigned int first,
		     enum migratetype mt)
{
	section->pageblock_type[first >> PAGEBLOCK_ORDER] = (uint8_t)mt;
	for (unsigned int pfn = first; pfn < first + PAGEBLOCK_PAGES; pfn++) {
		struct page *page = pfn_to_page(section, pfn);

		if (page_type(page) == PAGE_BUDDY) {
			unsigned int order = page->order;

			free_area_add(zone, page, order, free_area_del(zone, page));
		}
	}
	zone->events.claim++;
}

/*
 * Largest blocks first, since their pageblocks are the emptiest. A pageblock changes its type
 * when at least half of it is free: then what moves in outweighs what is left of the old type.
 */
static struct page *claim_half_free(struct zone *zone, unsigned int order, enum migratetype mt)
{
	for (unsigned int o = PAGEBLOCK_ORDER; o-- > order;) {
		for (int i = 0; i < MIGRATE_TYPES - 1; i++) {
			struct page *page = first_block(zone, o, fallbacks[mt][i]);
			struct section *section;
			unsigned int first;

			if (!page)
				continue;
			section = page_section(page);
			first = ALIGN_DOWN(page_to_pfn(page), PAGEBLOCK_PAGES);
			if (pageblock_free_pages(section, first) < PAGEBLOCK_PAGES / 2)
				continue;
			claim_pageblock(zone, section, first, mt);
			return page;
		}
	}
	return NULL;
}

struct free_block take_fallback(struct zone *zone, unsigned int order, enum migratetype mt)
{
	struct page *page = claim_half_free(zone, order, mt);

	for (int i = 0; !page && i < MIGRATE_TYPES - 1; i++) {
		page = best_block(zone, order, fallbacks[mt][i]);
		if (page)
			zone->events.steal++;
	}
	return page ? take(zone, page) : (struct free_block){ .page = NULL };
}
