/* SPDX-License-Identifier: MIT */
#include "buddy/hollow.h"

#include "buddy/free_area.h"
#include "buddy/purge.h"
#include "buddy/thp.h"
#include "buddy/wmark.h"
#include "os/info.h"
#include "os/mem.h"

/* Without those of which the OS would have to keep a part. */
static uint32_t whole_os_pages(uint32_t pages)
{
	unsigned int step = (unsigned int)(os_page_size() >> PAGE_SHIFT);
	uint32_t group, whole = 0;

	if (step <= 1)
		return pages;
	if (step > MAX_HOLLOW_PAGES)
		return 0;
	group = (uint32_t)low_bits(step);
	for (unsigned int i = 0; i < MAX_HOLLOW_PAGES; i += step) {
		if ((pages >> i & group) == group)
			whole |= group << i;
	}
	return whole;
}

/* What the zone's purge must know too. Return: whether there is anything to be tried. */
static bool may_hollow_out(struct zone *zone, struct page *page, uint32_t *huge)
{
	bool may;

	zone_lock(zone);
	may = zone_can_purge(zone);
	*huge = may ? thp_forget(page, 0) : 0;
	zone_unlock(zone);
	return may;
}

static void note_outcome(struct zone *zone, uint32_t gone, int error)
{
	unsigned int nr = (unsigned int)__builtin_popcount(gone);

	__atomic_fetch_add(&zone->nr_hollow, nr, __ATOMIC_RELAXED);
	zone_lock(zone);
	zone->events.purged += nr;
	if (error)
		zone_purge_failed(zone, error);
	zone_unlock(zone);
}

uint32_t zone_hollow_out(struct page *page, uint32_t pages)
{
	uint32_t left = whole_os_pages(pages), gone = 0, huge;
	struct zone *zone = page_zone(page);
	int error = 0;

	if (!left || !may_hollow_out(zone, page, &huge) ||
	    (huge && !thp_break_up(page_section(page), huge)))
		return 0;
	while (left && !error) {
		unsigned int first = first_bit(left);
		unsigned int nr = first_bit(~((uint64_t)left >> first));
		uint32_t run = (uint32_t)low_bits(nr) << first;

		error = os_discard((char *)page_start(page) + ((size_t)first << PAGE_SHIFT),
				   (size_t)nr << PAGE_SHIFT);
		if (!error)
			gone |= run;
		left &= ~run;
	}
	note_outcome(zone, gone, error);
	return gone;
}

void zone_fill_hollow(struct zone *zone, unsigned int nr)
{
	__atomic_fetch_add(&zone->nr_refilled, nr, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&zone->nr_hollow, nr, __ATOMIC_RELAXED);
}

unsigned long zone_sparse_to_keep(struct zone *zone)
{
	unsigned long refilled = __atomic_exchange_n(&zone->nr_refilled, 0, __ATOMIC_RELAXED);
	unsigned long room;

	zone_lock(zone);
	if (refilled && zone->floor_cut)
		floor_refaulted(zone, refilled);
	floor_follow_use(zone);
	room = floor_room_pages(zone);
	zone_unlock(zone);
	return room;
}

void zone_free_hollow_run(struct page *page, unsigned int nr_pages, uint32_t hollow)
{
	struct section *section = page_section(page);
	struct zone *zone = section->zone;
	unsigned int pfn = page_pfn(page);
	bool surplus;

	__atomic_fetch_sub(&zone->nr_hollow, (unsigned int)__builtin_popcount(hollow), __ATOMIC_RELAXED);
	zone_lock(zone);
	page_set_type(page, PAGE_NONE);
	zone->clock++;
	bitmap_set_range(section->dirty, pfn, nr_pages);
	for (; hollow; hollow &= hollow - 1)
		bitmap_clear_range(section->dirty, pfn + first_bit(hollow), 1);
	free_area_merge_range(zone, section, pfn, nr_pages);
	zone->events.free++;
	zone->events.pgfree += nr_pages;
	surplus = zone_is_above_high(zone);
	zone_unlock(zone);
	if (unlikely(surplus))
		zone_purge_to_low(zone);
}
