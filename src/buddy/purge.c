/* SPDX-License-Identifier: MIT */
#include "buddy/purge.h"

#include "base/option.h"
#include "buddy/free_area.h"
#include "os/info.h"
#include "os/mem.h"

/* arbitrary: enough to make a lock round trip cheap beside the system calls */
#define BATCH_BLOCKS 32

struct purge_batch {
	struct page *pages[BATCH_BLOCKS];
	unsigned int nr;
};

static unsigned long dirty_min_pages(void)
{
	return READ_ONCE(options.dirty_min_kib) / (PAGE_SIZE / 1024);
}

unsigned long high_wmark_pages(const struct zone *zone)
{
	unsigned long used = zone->managed_pages - zone->nr_free_pages - zone->nr_isolated;
	unsigned long high = dirty_min_pages() + used / 100 * READ_ONCE(options.dirty_percent);

	/* dirty_min may have become less meanwhile */
	return high - MIN(high, zone->nr_lent);
}

bool zone_lend(struct zone *zone, unsigned long nr_pages)
{
	bool lent;

	zone_lock(zone);
	lent = zone->nr_lent + nr_pages <= dirty_min_pages() / 2;
	if (lent)
		zone->nr_lent += nr_pages;
	zone_unlock(zone);
	return lent;
}

void zone_take_back_lent(struct zone *zone, unsigned long nr_pages)
{
	zone_lock(zone);
	ASSERT(zone->nr_lent >= nr_pages);
	zone->nr_lent -= nr_pages;
	zone_unlock(zone);
}

unsigned long low_wmark_pages(const struct zone *zone)
{
	return high_wmark_pages(zone) / 8 * 7;
}

/* One OS page cannot be given back in parts. */
static unsigned int lowest_purgeable_order(void)
{
	return pages_to_order(os_page_size() >> PAGE_SHIFT);
}

/* Locked memory stays: the OS would refuse. */
static bool zone_can_purge(const struct zone *zone)
{
	return !zone->purge_refused && zone->type != ZONE_DMA;
}

static void isolate(struct zone *zone, struct page *page, struct purge_batch *batch)
{
	unsigned int order = page->order;

	free_area_del(zone, page);
	page_set_type(page, PAGE_ISOLATED);
	page->order = (uint8_t)order;
	zone->nr_isolated += 1UL << order;
	batch->pages[batch->nr++] = page;
}

/* Dirty blocks come first on their lists, so a clean one ends the search of a list. */
static void isolate_from_list(struct zone *zone, struct list_head *list, unsigned long keep,
			      struct purge_batch *batch)
{
	while (batch->nr < BATCH_BLOCKS && zone->nr_dirty > keep && !list_empty(list)) {
		struct page *page = list_first_entry(list, struct page, lru);

		if (!page->nr_dirty)
			break;
		isolate(zone, page, batch);
	}
}

static void collect(struct zone *zone, unsigned long keep, struct purge_batch *batch)
{
	int lowest = (int)lowest_purgeable_order();

	ASSERT_HELD(&zone->lock, LOCK_ZONE);
	batch->nr = 0;
	for (int order = MAX_PAGE_ORDER; order >= lowest; order--) {
		for (int mt = 0; mt < MIGRATE_TYPES; mt++)
			isolate_from_list(zone, &zone->free_area[order].free_list[mt], keep, batch);
	}
}

/* A block comes back: clean if the OS took its memory, as it was if not. */
static unsigned int putback(struct zone *zone, struct page *page, bool discarded)
{
	struct section *section = page_section(page);
	unsigned int pfn = page_pfn(page);
	unsigned int order = page->order;
	unsigned int dirty = bitmap_count_range(section->dirty, pfn, 1U << order);

	page_set_type(page, PAGE_NONE);
	zone->nr_isolated -= 1UL << order;
	if (discarded) {
		bitmap_clear_range(section->dirty, pfn, 1U << order);
		zone->events.purged += dirty;
	} else {
		/* mlocked, for example: the next one would fail too */
		zone->events.purge_failed++;
		zone->purge_refused = true;
	}
	free_area_merge(zone, page, order, discarded ? 0 : dirty);
	return discarded ? dirty : 0;
}

static unsigned long purge_batch(struct zone *zone, struct purge_batch *batch)
{
	bool discarded[BATCH_BLOCKS];
	unsigned long purged = 0;

	for (unsigned int i = 0; i < batch->nr; i++) {
		struct page *page = batch->pages[i];

		discarded[i] = !os_discard(page_start(page), PAGE_SIZE << page->order);
	}
	zone_lock(zone);
	for (unsigned int i = 0; i < batch->nr; i++)
		purged += putback(zone, batch->pages[i], discarded[i]);
	zone_unlock(zone);
	return purged;
}

unsigned long zone_purge(struct zone *zone, unsigned long keep)
{
	struct purge_batch batch;
	unsigned long purged = 0;

	for (;;) {
		zone_lock(zone);
		batch.nr = 0;
		if (zone_can_purge(zone))
			collect(zone, keep, &batch);
		/* parts of larger OS pages: to try again at every free would not help */
		if (!batch.nr)
			zone->nr_stuck = zone->nr_dirty > keep ? zone->nr_dirty - keep : 0;
		zone_unlock(zone);
		if (!batch.nr)
			return purged;
		purged += purge_batch(zone, &batch);
	}
}

bool zone_is_above_high(struct zone *zone)
{
	unsigned long high = high_wmark_pages(zone);

	ASSERT_HELD(&zone->lock, LOCK_ZONE);
	/* what was stuck has been used again */
	if (zone->nr_dirty <= high)
		zone->nr_stuck = 0;
	return zone->nr_dirty > high + zone->nr_stuck && READ_ONCE(options.purge) &&
	       zone_can_purge(zone);
}

noinline void zone_purge_to_low(struct zone *zone)
{
	unsigned long keep;

	zone_lock(zone);
	keep = low_wmark_pages(zone);
	zone_unlock(zone);
	zone_purge(zone, keep);
}
