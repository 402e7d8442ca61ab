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

/*
 * Free dirty pages above which another type's pageblock is claimed before a clean page of one's own
 * is touched. Arbitrary: 4 MiB, less is not worth the mixing. Measured, peak of bench/redis_load.py:
 * 144 MiB without, 137 with.
 */
#define WORTH_CLAIMING 1024

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
	unsigned int first = page_pfn(page) >> PAGEBLOCK_ORDER;
	unsigned int nr = order > PAGEBLOCK_ORDER ? 1U << (order - PAGEBLOCK_ORDER) : 1;

	for (unsigned int i = 0; i < nr; i++)
		section->pageblock_type[first + i] = (uint8_t)mt;
}

static unsigned int pageblock_free_pages(struct section *section, unsigned int first)
{
	unsigned int free = 0;

	for (unsigned int pfn = first; pfn < first + PAGEBLOCK_PAGES; pfn++) {
		struct page *page = section_page(section, pfn);

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
		struct page *page = section_page(section, pfn);

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
static struct page *claim_half_free(struct zone *zone, unsigned int order, enum migratetype mt,
				    bool dirty)
{
	for (unsigned int o = PAGEBLOCK_ORDER; o-- > order;) {
		for (int i = 0; i < MIGRATE_TYPES - 1; i++) {
			struct page *page = first_block(zone, o, fallbacks[mt][i]);
			struct section *section;
			unsigned int first;

			if (!page || (dirty && !page->nr_dirty))
				continue;
			section = page_section(page);
			first = ALIGN_DOWN(page_pfn(page), PAGEBLOCK_PAGES);
			if (pageblock_free_pages(section, first) < PAGEBLOCK_PAGES / 2)
				continue;
			claim_pageblock(zone, section, first, mt);
			return page;
		}
	}
	return NULL;
}

/*
 * A block that has memory behind it, out of another type's pageblock that is at least half free. When
 * there is none, half a pageblock more must become free before it makes sense to look again.
 */
static struct page *claim_dirty(struct zone *zone, unsigned int order, enum migratetype mt)
{
	struct page *page;

	if (zone->nr_dirty < WORTH_CLAIMING) {
		zone->claim_above = 0;
		return NULL;
	}
	if (zone->nr_dirty < zone->claim_above)
		return NULL;
	page = claim_half_free(zone, order, mt, true);
	zone->claim_above = page ? 0 : zone->nr_dirty + PAGEBLOCK_PAGES / 2;
	return page;
}

/* A whole pageblock or more of another type. */
static struct page *whole_block(struct zone *zone, unsigned int order, enum migratetype mt)
{
	struct page *page = NULL;

	for (int i = 0; !page && i < MIGRATE_TYPES - 1; i++)
		page = best_block(zone, MAX(order, PAGEBLOCK_ORDER), fallbacks[mt][i]);
	if (page)
		zone->events.claim++;
	return page;
}

struct free_block take_at_hand(struct zone *zone, unsigned int order, enum migratetype mt)
{
	struct page *page = best_block(zone, order, mt);
	struct page *dirty = page && page->nr_dirty ? NULL : claim_dirty(zone, order, mt);

	if (dirty)
		page = dirty;
	if (!page)
		page = whole_block(zone, order, mt);
	if (!page)
		return (struct free_block){ .page = NULL };
	/* pageblocks of several types may have merged to one block */
	if (page->order >= PAGEBLOCK_ORDER)
		claim_whole_block(page, page->order, mt);
	return take(zone, page);
}

struct free_block take_fallback(struct zone *zone, unsigned int order, enum migratetype mt)
{
	struct page *page = claim_half_free(zone, order, mt, false);

	for (int i = 0; !page && i < MIGRATE_TYPES - 1; i++) {
		page = best_block(zone, order, fallbacks[mt][i]);
		if (page)
			zone->events.steal++;
	}
	return page ? take(zone, page) : (struct free_block){ .page = NULL };
}
