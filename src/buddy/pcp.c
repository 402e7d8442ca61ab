/* SPDX-License-Identifier: MIT */
#include "buddy/pcp.h"

#include "base/snapshot.h"
#include "buddy/free_area.h"
#include "buddy/migrate.h"
#include "buddy/purge.h"
#include "buddy/run.h"

/*
 * The kernel keeps some 250 KiB and more a CPU. There are more threads than CPUs, so less here.
 * Arbitrary: 128 KiB; a refill brings at most half of it.
 */
#define HIGH_PAGES 32U
#define MAX_REFILL_PAGES 16U

static void push(struct pcp *pcp, struct page *page, unsigned int order, enum migratetype mt)
{
	struct list_head *list = &pcp->lists[order][mt];

	if (!list->next)
		list_head_init(list);
	page_set_type(page, PAGE_PCP);
	page->order = (uint8_t)order;
	list_add(&page->lru, list);
	pcp->nr_pages += 1U << order;
}

static struct page *pop(struct pcp *pcp, struct list_head *list)
{
	struct page *page = list_first_entry(list, struct page, lru);

	list_del(&page->lru);
	pcp->nr_pages -= 1U << page->order;
	return page;
}

/* Blocks of exactly @order from what the zone has at hand. */
static void refill(struct pcp *pcp, struct zone *zone, unsigned int order, enum migratetype mt)
{
	unsigned int want = MIN(MAX(pcp->refill_pages * 2, 1U << order), MAX_REFILL_PAGES);

	pcp->refill_pages = want;
	zone_lock(zone);
	for (unsigned int got = 0; got < want; got += 1U << order) {
		struct free_block block = take_at_hand(zone, order, mt);

		if (!block.page)
			break;
		free_area_cut(zone, block.page, block.order, 1U << order, block.nr_dirty);
		if (unlikely(!zone_may_hold(zone))) {
			free_area_merge_range(zone, page_section(block.page), page_pfn(block.page),
					      1U << order);
			break;
		}
		zone->events.alloc++;
		push(pcp, block.page, order, mt);
	}
	zone_unlock(zone);
}

struct page *pcp_alloc(struct pcp *pcp, struct zone *zone, unsigned int order, enum migratetype mt)
{
	struct list_head *list = &pcp->lists[order][mt];
	struct page *page;

	if (list_empty(list)) {
		refill(pcp, zone, order, mt);
		if (list_empty(list))
			return zone_alloc_run(zone, 1U << order, order, mt, NULL);
	}
	page = pop(pcp, list);
	page_set_type(page, PAGE_USED);
	page->nr_pages = 1U << order;
	ADD_ONCE(pcp->pgalloc, 1UL << order);
	return page;
}

/* To the zone, from the cold end of each list, until @keep pages are left. */
static void drain_to(struct pcp *pcp, struct zone *zone, unsigned int keep)
{
	bool surplus;

	zone_lock(zone);
	for (int order = PCP_MAX_ORDER; order >= 0; order--) {
		for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
			struct list_head *list = &pcp->lists[order][mt];

			while (pcp->nr_pages > keep && !list_empty(list)) {
				struct page *page = list_entry(list->prev, struct page, lru);

				list_del(&page->lru);
				pcp->nr_pages -= 1U << order;
				page_set_type(page, PAGE_NONE);
				bitmap_set_range(page_section(page)->dirty, page_pfn(page),
						 1U << order);
				free_area_merge(zone, page, (unsigned int)order, 1U << order);
				zone->events.free++;
			}
		}
	}
	surplus = zone_is_above_high(zone);
	zone_unlock(zone);
	if (unlikely(surplus))
		zone_purge_to_low(zone);
}

void pcp_free(struct pcp *pcp, struct zone *zone, struct page *page, unsigned int order,
	      enum migratetype mt)
{
	pcp->refill_pages /= 2;
	ADD_ONCE(pcp->pgfree, 1UL << order);
	push(pcp, page, order, mt);
	if (pcp->nr_pages > HIGH_PAGES)
		drain_to(pcp, zone, HIGH_PAGES / 2);
}

void pcp_drain(struct pcp *pcp, struct zone *zone)
{
	run_sheaf_drain(&pcp->runs, zone);
	if (pcp->nr_pages)
		drain_to(pcp, zone, 0);
}

void pcp_snapshot(const struct pcp *pcp, struct pageset_snapshot *pageset)
{
	pageset->count = READ_ONCE(pcp->nr_pages) + run_sheaf_pages(&pcp->runs);
	pageset->high = HIGH_PAGES + MAX(READ_ONCE(pcp->runs.limit), BASE_RUN_PAGES);
	pageset->batch = pcp->refill_pages;
}
