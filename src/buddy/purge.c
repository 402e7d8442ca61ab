/* SPDX-License-Identifier: MIT */
#include "buddy/purge.h"

#include <errno.h>
#include <sys/uio.h>

#include "base/option.h"
#include "buddy/free_area.h"
#include "buddy/thp.h"
#include "buddy/wmark.h"
#include "os/info.h"
#include "os/mem.h"
#include "page/section.h"

/* arbitrary: enough to make a lock round trip cheap beside the system calls */
#define BATCH_BLOCKS 32

/* Blocks of which the oldest are chosen. Arbitrary: 1 KiB of stack. */
#define MAX_CANDIDATES 128

/* Blocks of lower orders go last. Arbitrary: 64 KiB, a system call for less is not worth it. */
#define LEAST_AGED_ORDER 4

/* A block is not cut for a purge below this. Arbitrary: 256 KiB. */
#define LEAST_CUT_ORDER 6

struct purge_batch {
	struct page *pages[BATCH_BLOCKS];
	unsigned int nr;
	uint32_t huge[BATCH_BLOCKS]; /* pageblocks that it takes the wish for a huge page from */
};

/* One OS page cannot be given back in parts. */
static unsigned int lowest_purgeable_order(void)
{
	return pages_to_order(os_page_size() >> PAGE_SHIFT);
}

/* Locked memory stays: the OS would refuse. */
bool zone_can_purge(const struct zone *zone)
{
	return !zone->purge_refused && zone->type != ZONE_DMA;
}

static void put_half(struct zone *zone, struct page *page, unsigned int order, unsigned int nr_dirty,
		     uint32_t freed_at)
{
	page->freed_at = freed_at;
	free_area_add(zone, page, order, nr_dirty);
}

/*
 * Halve a block that is on no list while half of it is enough. The lower half, which runs are cut from, stays, unless
 * all that is dirty is there. Return: what is to go.
 */
static struct page *cut_surplus(struct zone *zone, struct page *page, unsigned int *order,
				unsigned int nr_dirty, unsigned long keep)
{
	struct section *section = page_section(page);
	uint32_t freed_at = page->freed_at;

	while (*order > LEAST_CUT_ORDER) {
		unsigned int half = 1U << (*order - 1);
		unsigned int lower = half;

		if (nr_dirty < 2 * half)
			lower = bitmap_count_range(section->dirty, page_pfn(page), half);
		if (lower < nr_dirty && zone->nr_dirty + lower > keep)
			break;
		(*order)--;
		if (lower == nr_dirty) {
			put_half(zone, page + half, *order, 0, freed_at);
		} else {
			put_half(zone, page, *order, lower, freed_at);
			page += half;
			nr_dirty -= lower;
		}
	}
	return page;
}

static void isolate(struct zone *zone, struct page *page, unsigned long keep,
		    struct purge_batch *batch)
{
	unsigned int order = page->order;
	unsigned int nr_dirty = free_area_del(zone, page);

	page = cut_surplus(zone, page, &order, nr_dirty, keep);
	page_set_type(page, PAGE_ISOLATED);
	page->order = (uint8_t)order;
	zone->nr_isolated += 1UL << order;
	batch->huge[batch->nr] = thp_forget(page, order);
	batch->pages[batch->nr++] = page;
}

struct candidates {
	struct page *pages[MAX_CANDIDATES];
	unsigned int nr;
};

/* Dirty blocks come first on their lists, so a clean one ends the search of a list. */
static void add_candidates(struct list_head *list, struct candidates *candidates)
{
	struct list_head *pos;

	list_for_each (pos, list) {
		struct page *page = list_entry(pos, struct page, lru);

		if (!page->nr_dirty || candidates->nr == MAX_CANDIDATES)
			break;
		candidates->pages[candidates->nr++] = page;
	}
}

/* The larger blocks: with those that slabs need, time goes into the calls. They come when there is nothing else. */
static void find_candidates(struct zone *zone, struct candidates *candidates)
{
	int lowest = (int)lowest_purgeable_order();

	candidates->nr = 0;
	for (int order = MAX_PAGE_ORDER; order >= lowest; order--) {
		if (order < LEAST_AGED_ORDER && candidates->nr)
			break;
		for (int mt = 0; mt < MIGRATE_TYPES; mt++)
			add_candidates(&zone->free_area[order].free_list[mt], candidates);
	}
}

/*
 * How long a block has been free. One that is part of a huge page breaks it up: it counts as so much younger as it is smaller, so
 * that others go before it, and then the emptiest.
 */
static uint32_t age_of(const struct zone *zone, struct page *page)
{
	uint32_t age = zone->clock - page->freed_at;

	if (page->order < PAGEBLOCK_ORDER && thp_has_asked(page))
		age >>= PAGEBLOCK_ORDER - page->order;
	return age;
}

/* Take the one that has been free the longest, the largest of those. */
static struct page *take_oldest(const struct zone *zone, struct candidates *candidates)
{
	unsigned int oldest = 0;
	uint32_t most = 0;
	struct page *page;

	for (unsigned int i = 0; i < candidates->nr; i++) {
		uint32_t age = age_of(zone, candidates->pages[i]);

		if (age > most) {
			most = age;
			oldest = i;
		}
	}
	page = candidates->pages[oldest];
	candidates->nr--;
	/* the others stay in the order of their size */
	for (unsigned int i = oldest; i < candidates->nr; i++)
		candidates->pages[i] = candidates->pages[i + 1];
	return page;
}

static void collect(struct zone *zone, unsigned long keep, struct purge_batch *batch)
{
	struct candidates candidates;

	ASSERT_HELD(&zone->lock, LOCK_ZONE);
	batch->nr = 0;
	if (zone->nr_dirty <= keep)
		return;
	find_candidates(zone, &candidates);
	while (batch->nr < BATCH_BLOCKS && zone->nr_dirty > keep && candidates.nr)
		isolate(zone, take_oldest(zone, &candidates), keep, batch);
}

void zone_purge_failed(struct zone *zone, int error)
{
	ASSERT_HELD(&zone->lock, LOCK_ZONE);
	zone->events.purge_failed++;
	/* mlocked, for example: the next one would fail too, unless it is short of something */
	if (error != -EAGAIN && error != -ENOMEM)
		zone->purge_refused = true;
}

/* A block comes back: clean if the OS took its memory, as it was if not (@error). */
static unsigned int putback(struct zone *zone, struct page *page, int error)
{
	bool discarded = !error;
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
		zone_purge_failed(zone, error);
	}
	free_area_merge(zone, page, order, discarded ? 0 : dirty);
	return discarded ? dirty : 0;
}

static void discard(const struct purge_batch *batch, int *errors)
{
	struct iovec ranges[BATCH_BLOCKS];
	bool held[BATCH_BLOCKS];

	for (unsigned int i = 0; i < batch->nr; i++) {
		struct page *page = batch->pages[i];

		held[i] = batch->huge[i] && !thp_break_up(page_section(page), batch->huge[i]);
		ranges[i].iov_base = page_start(page);
		ranges[i].iov_len = PAGE_SIZE << page->order;
	}
	if (READ_ONCE(options.purge) == PURGE_BATCH) {
		os_discard_ranges(ranges, batch->nr, errors);
	} else {
		for (unsigned int i = 0; i < batch->nr; i++)
			errors[i] = os_discard(ranges[i].iov_base, ranges[i].iov_len);
	}
	/* a touch may bring back what went: it is as dirty as before */
	for (unsigned int i = 0; i < batch->nr; i++) {
		if (held[i] && !errors[i])
			errors[i] = -EAGAIN;
	}
}

/* Return: whether the OS took all of it. */
static bool purge_batch(struct zone *zone, struct purge_batch *batch, unsigned long *purged)
{
	int errors[BATCH_BLOCKS];
	bool all = true;

	discard(batch, errors);
	for (unsigned int i = 0; i < batch->nr; i++) {
		all &= !errors[i];
		if (!errors[i])
			section_forget_tails(batch->pages[i], 1U << batch->pages[i]->order);
	}
	zone_lock(zone);
	for (unsigned int i = 0; i < batch->nr; i++)
		*purged += putback(zone, batch->pages[i], errors[i]);
	zone_unlock(zone);
	return all;
}

unsigned long zone_purge(struct zone *zone, unsigned long keep)
{
	struct purge_batch batch;
	unsigned long purged = 0;
	bool taken = true;
	unsigned long surplus;

	for (;;) {
		zone_lock(zone);
		batch.nr = 0;
		/* what was refused just now would be the oldest again: it waits for another purge */
		if (taken && zone_can_purge(zone))
			collect(zone, keep, &batch);
		/* parts of larger OS pages, or refused: to try again at every free would not help */
		surplus = zone->nr_dirty > keep ? zone->nr_dirty - keep : 0;
		if (!batch.nr)
			zone->nr_stuck = taken ? surplus : 2 * surplus;
		zone_unlock(zone);
		if (!batch.nr)
			return purged;
		taken = purge_batch(zone, &batch, &purged);
	}
}

bool zone_is_above_high(struct zone *zone)
{
	unsigned long high;

	ASSERT_HELD(&zone->lock, LOCK_ZONE);
	floor_follow_use(zone);
	high = high_wmark_pages(zone);
	/* what was stuck has been used again */
	if (zone->nr_dirty <= high)
		zone->nr_stuck = 0;
	return zone->nr_dirty > high + zone->nr_stuck && READ_ONCE(options.purge) != PURGE_OFF &&
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
