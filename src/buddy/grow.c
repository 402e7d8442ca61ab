/* SPDX-License-Identifier: MIT */
#include "buddy/grow.h"

#include "buddy/free_area.h"
#include "buddy/migrate.h"
#include "buddy/thp.h"
#include "os/info.h"
#include "os/mem.h"
#include "page/limit.h"
#include "page/section.h"

/*
 * Steps in which a zone of locked memory grows. All of it is resident at once, and the limit is often only
 * 8 MiB. Arbitrary: 256 KiB; near the limit COMMIT_GRAIN_PAGES, then single OS pages.
 */
#define LOCK_GRAIN_PAGES 64U

static void uncommitted_add(struct zone *zone, struct section *section, unsigned int pfn,
			    unsigned int nr)
{
	struct page *page = section_page(section, pfn);
	struct page *next = section_page(section, pfn + nr);

	/* the rest of the same range, from which it was claimed */
	if (pfn + nr < PAGES_PER_SECTION && page_type(next) == PAGE_UNCOMMITTED) {
		list_del(&next->lru);
		page_set_type(next, PAGE_NONE);
		zone->uncommitted_pages -= next->nr_pages;
		nr += next->nr_pages;
	}
	ASSERT(page_type(page) == PAGE_NONE);
	page_set_type(page, PAGE_UNCOMMITTED);
	page->nr_pages = nr;
	list_add(&page->lru, &zone->uncommitted);
	zone->uncommitted_pages += nr;
}

/*
 * Take the front of an uncommitted range, so long that an aligned block of @order lies in it.
 * @grain: what the end is rounded up to, in pages.
 */
static struct page_range claim_front(struct zone *zone, unsigned int order, unsigned int grain)
{
	struct page_range claim = { .section = NULL };
	struct list_head *pos;

	ASSERT_HELD(&zone->lock, LOCK_ZONE);
	list_for_each (pos, &zone->uncommitted) {
		struct page *page = list_entry(pos, struct page, lru);
		unsigned int pfn = page_pfn(page);
		unsigned int end = ALIGN_UP(pfn, 1U << order) + (1U << order);
		unsigned int nr = page->nr_pages;

		if (end > pfn + nr)
			continue;
		claim.section = page_section(page);
		claim.pfn = pfn;
		claim.nr_pages = MIN(ALIGN_UP(end, grain) - pfn, nr);
		list_del(&page->lru);
		page_set_type(page, PAGE_NONE);
		zone->uncommitted_pages -= nr;
		if (claim.nr_pages < nr)
			uncommitted_add(zone, claim.section, pfn + claim.nr_pages,
					nr - claim.nr_pages);
		break;
	}
	return claim;
}

static void *range_address(const struct page_range *range)
{
	return page_start(section_page(range->section, range->pfn));
}

/*
 * The pageblocks under a range are for @mt from now on. Where addresses are scarce, a range may cover
 * a part of one only, and free blocks of another type may lie in the rest.
 */
static void set_types(struct zone *zone, const struct page_range *range, enum migratetype mt)
{
	struct section *section = range->section;
	unsigned int end = range->pfn + range->nr_pages;

	for (unsigned int first = ALIGN_DOWN(range->pfn, PAGEBLOCK_PAGES); first < end;
	     first += PAGEBLOCK_PAGES) {
		bool whole = first >= range->pfn && first + PAGEBLOCK_PAGES <= end;

		if (whole)
			section->pageblock_type[first >> PAGEBLOCK_ORDER] = (uint8_t)mt;
		else if (section->pageblock_type[first >> PAGEBLOCK_ORDER] != mt)
			claim_pageblock(zone, section, first, mt);
	}
}

/* Fresh pages for @mt, clean unless they have asked for a huge page. */
static void add_pages(struct zone *zone, const struct page_range *range, enum migratetype mt,
		      bool asked)
{
	struct section *section = range->section;

	set_types(zone, range, mt);
	page_set_tags(section_page(section, range->pfn), range->nr_pages, TAG_PLAIN);
	if (asked)
		thp_set_asked(range);
	free_area_merge_range(zone, section, range->pfn, range->nr_pages);
	ADD_ONCE(zone->managed_pages, range->nr_pages);
	if (zone->type == ZONE_DMA)
		zone->charged_pages += range->nr_pages;
	zone->events.grow++;
}

static bool commit_range(const struct zone *zone, const struct page_range *range)
{
	size_t bytes = (size_t)range->nr_pages << PAGE_SHIFT;
	void *addr = range_address(range);

	if (os_commit(addr, bytes))
		return false;
	if (zone->type != ZONE_DMA)
		return true;
	/* resident from now on, whoever uses it when */
	if (limit_charge(bytes)) {
		if (!os_lock(addr, bytes))
			return true;
		limit_uncharge(bytes);
	}
	/* if this fails too, there is memory behind addresses that are not handed out: no harm */
	os_uncommit(addr, bytes);
	return false;
}

enum commit_result { COMMITTED, REFUSED, NO_RANGE };

static enum commit_result commit_front(struct zone *zone, unsigned int order, unsigned int grain,
				       enum migratetype mt)
{
	struct page_range claim;
	bool committed, asks;

	zone_lock(zone);
	claim = claim_front(zone, order, grain);
	asks = claim.section && thp_growth_asks(zone, &claim, order);
	zone_unlock(zone);
	if (!claim.section)
		return NO_RANGE;

	/* before memory is there, which under mlockall() it is at once */
	asks = asks && thp_ask(&claim);

	committed = commit_range(zone, &claim);
	if (asks && committed)
		thp_try(&claim);
	else if (asks)
		thp_take_back(&claim);

	zone_lock(zone);
	if (committed)
		add_pages(zone, &claim, mt, asks);
	else
		uncommitted_add(zone, claim.section, claim.pfn, claim.nr_pages);
	zone_unlock(zone);
	return committed ? COMMITTED : REFUSED;
}

static enum commit_result reserve_and_commit(struct zone *zone, unsigned int order,
					     unsigned int grain, enum migratetype mt)
{
	struct section_place place = {
		.below_4g = zone->type == ZONE_DMA32,
		.prefer_node = nodes_are_real(),
		.os_node = node_to_os(zone->nid),
	};
	struct page_range fresh = section_reserve(zone, &place, order);

	if (!fresh.section)
		return REFUSED;
	thp_reserved(&fresh);
	zone_lock(zone);
	uncommitted_add(zone, fresh.section, fresh.pfn, fresh.nr_pages);
	zone_unlock(zone);
	return commit_front(zone, order, grain, mt);
}

bool zone_grow(struct zone *zone, unsigned int order, enum migratetype mt)
{
	bool locked = zone->type == ZONE_DMA;
	unsigned int grain = locked ? LOCK_GRAIN_PAGES : PAGEBLOCK_PAGES;
	enum commit_result result = commit_front(zone, order, grain, mt);

	if (result == NO_RANGE)
		result = reserve_and_commit(zone, order, grain, mt);
	/* near a limit a pageblock may be too much where a little is not */
	if (result != COMMITTED)
		result = commit_front(zone, order, COMMIT_GRAIN_PAGES, mt);
	if (result != COMMITTED && locked)
		result = commit_front(zone, order, (unsigned int)(os_page_size() >> PAGE_SHIFT),
				      mt);
	WRITE_ONCE(zone->cramped, result != COMMITTED);
	return result == COMMITTED;
}
