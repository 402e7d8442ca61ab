/* SPDX-License-Identifier: MIT */
#include "buddy/page_sheaf.h"

#include <string.h>

#include "buddy/free_area.h"
#include "buddy/migrate.h"
#include "buddy/purge.h"

#define NORMAL_SLOW_GFP (__GFP_DMA | __GFP_DMA32)

gfp_t page_slow_gfp = NORMAL_SLOW_GFP;
bool page_api_used;

/* Arbitrary: about 240 KiB of each order. */
static const uint32_t capacities[PCP_MAX_ORDER + 1] = { PAGE_SHEAF_ROOM, 30, 15, 8 };

void page_sheaves_enable(bool on)
{
	WRITE_ONCE(page_slow_gfp, on ? NORMAL_SLOW_GFP : NORMAL_SLOW_GFP | GFP_EVERY);
}

void page_block_init(struct page *page, unsigned int order, enum migratetype mt,
		     enum block_contents contents)
{
	const struct zone *zone = page_zone(page);
	bool kept = order <= PCP_MAX_ORDER && zone->type == ZONE_NORMAL;

	page->order = (uint8_t)order;
	page->nid = kept ? zone->nid : NO_NODE;
	page->migratetype = (uint8_t)mt;
	page->contents = (uint8_t)contents;
	WRITE_ONCE(page->refcount, 1);
	if (unlikely(!READ_ONCE(page_api_used)))
		WRITE_ONCE(page_api_used, true);
}

/* A block for a sheaf. Return: NULL when the zone has none at hand, or the memory limit refuses it. */
static struct page *take_block(struct zone *zone, unsigned int order, enum migratetype mt)
{
	struct free_block block = take_at_hand(zone, order, mt);
	unsigned int nr_dirty;

	if (!block.page)
		return NULL;
	nr_dirty = free_area_cut(zone, block.page, block.order, 1U << order, block.nr_dirty);
	if (unlikely(!zone_may_hold(zone))) {
		free_area_merge_range(zone, page_section(block.page), page_pfn(block.page), 1U << order);
		return NULL;
	}
	zone->events.alloc++;
	page_block_init(block.page, order, mt, nr_dirty ? CONTENTS_MIXED : CONTENTS_ZERO);
	page_set_type(block.page, PAGE_PCP);
	return block.page;
}

bool page_sheaf_refill(struct page_sheaves *sheaves, struct zone *zone, unsigned int order,
		       enum migratetype mt)
{
	struct page_sheaf *sheaf = &sheaves->sheaf[order][mt];
	struct page *pages[PAGE_SHEAF_ROOM];
	unsigned int got = 0;

	WRITE_ONCE(sheaf->capacity, capacities[order]);
	/* one is an accident, more are a rate */
	sheaf->refill = MIN(MAX(sheaf->refill * 2, 1), sheaf->capacity / 2);
	zone_lock(zone);
	while (got < sheaf->refill && (pages[got] = take_block(zone, order, mt)))
		got++;
	zone_unlock(zone);
	/* the zone's first block is handed out first */
	for (unsigned int i = 0; i < got; i++)
		sheaf->pages[i] = pages[got - 1 - i];
	store_release(&sheaf->count, got);
	return got > 0;
}

static void give_block(struct zone *zone, struct page *page)
{
	uint64_t *dirty = page_section(page)->dirty;
	unsigned int pfn = page_pfn(page);
	unsigned int nr = 1U << page->order;

	ASSERT(page_type(page) == PAGE_PCP);
	page_set_type(page, PAGE_NONE);
	if (page->contents == CONTENTS_TOUCHED)
		bitmap_set_range(dirty, pfn, nr);
	free_area_merge(zone, page, page->order, bitmap_count_range(dirty, pfn, nr));
	zone->events.free++;
}

/* The @nr blocks that were put in first go to the zone. */
static void give_oldest(struct page_sheaf *sheaf, struct zone *zone, unsigned int nr)
{
	unsigned int left = sheaf->count - nr;
	struct page *pages[PAGE_SHEAF_ROOM];
	bool surplus;

	memcpy(pages, sheaf->pages, nr * sizeof(*pages));
	memmove(sheaf->pages, sheaf->pages + nr, left * sizeof(*pages));
	WRITE_ONCE(sheaf->count, left);
	zone_lock(zone);
	for (unsigned int i = 0; i < nr; i++)
		give_block(zone, pages[i]);
	surplus = zone_is_above_high(zone);
	zone_unlock(zone);
	if (unlikely(surplus))
		zone_purge_to_low(zone);
}

void page_sheaf_flush(struct page_sheaves *sheaves, struct zone *zone, unsigned int order,
		      enum migratetype mt)
{
	struct page_sheaf *sheaf = &sheaves->sheaf[order][mt];

	WRITE_ONCE(sheaf->capacity, capacities[order]);
	sheaf->refill /= 2;
	if (sheaf->count == sheaf->capacity)
		give_oldest(sheaf, zone, sheaf->capacity / 2);
}

void page_sheaves_drain(struct page_sheaves *sheaves, struct zone *zone)
{
	if (!sheaves)
		return;
	/* the largest first: less to merge */
	for (int order = PCP_MAX_ORDER; order >= 0; order--) {
		for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
			struct page_sheaf *sheaf = &sheaves->sheaf[order][mt];

			if (sheaf->count)
				give_oldest(sheaf, zone, sheaf->count);
			sheaf->refill = 0;
		}
	}
}

void page_sheaves_count(const struct page_sheaves *sheaves, struct page_sheaves_count *count)
{
	memset(count, 0, sizeof(*count));
	for (unsigned int order = 0; sheaves && order <= PCP_MAX_ORDER; order++) {
		for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
			const struct page_sheaf *sheaf = &sheaves->sheaf[order][mt];

			count->pages += (unsigned long)READ_ONCE(sheaf->count) << order;
			count->high += (unsigned long)READ_ONCE(sheaf->capacity) << order;
			count->pgalloc += READ_ONCE(sheaf->pgalloc) << order;
			count->pgfree += READ_ONCE(sheaf->pgfree) << order;
		}
	}
}

static void check_sheaf(struct audit *audit, const struct page_sheaf *sheaf,
			const struct zone *zone, unsigned int order, unsigned int mt)
{
	AUDIT(audit, sheaf->count <= sheaf->capacity, "%u blocks in a page sheaf for %u",
	      sheaf->count, sheaf->capacity);
	for (unsigned int i = 0; i < MIN(sheaf->count, PAGE_SHEAF_ROOM); i++) {
		const struct page *page = sheaf->pages[i];

		AUDIT(audit, page_type(page) == PAGE_PCP && page->order == order &&
				     page->migratetype == mt && page_zone(page) == zone,
		      "page %p in the sheaf of order %u, type %u, is of type %u, order %u",
		      page_start(page), order, mt, page->type, page->order);
		AUDIT(audit, READ_ONCE(page->refcount) == 1, "free page %p has %d references",
		      page_start(page), page->refcount);
	}
}

void page_sheaves_validate(struct audit *audit, const struct page_sheaves *sheaves,
			   const struct zone *zone)
{
	for (unsigned int order = 0; sheaves && order <= PCP_MAX_ORDER; order++) {
		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
			check_sheaf(audit, &sheaves->sheaf[order][mt], zone, order, mt);
	}
}
