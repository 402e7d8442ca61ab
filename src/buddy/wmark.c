/* SPDX-License-Identifier: MIT */
#include "buddy/wmark.h"

#include "base/option.h"
#include "page/limit.h"

/*
 * A purge goes below the watermark by one of so many parts, but by so many pages at least. Measured: with 8 parts the
 * workload middle-1 has 198,657 page faults instead of 173,131, by as many system calls, since what goes are blocks.
 * The pages are arbitrary: what a block is not cut below.
 */
#define LOW_PARTS 32
#define LEAST_SURPLUS_PAGES 64UL

/* What stays of the floor in any case: one of so many parts. Arbitrary: 576 KiB. */
#define LEAST_FLOOR_PARTS 16

/* It is cut by one of so many parts at least. Arbitrary: each cut is a purge. */
#define CUT_PARTS 8

/* Times dirty_min that use has to fall, after what is left. Arbitrary. */
#define LEAST_FALL 2

/*
 * A page that is faulted in because of a cut is paid for by so many by which use falls; the farther it has fallen already,
 * the more each of these counts: by one for each so many times dirty_min. So a heap that goes up and down for ever by
 * 28, 64, 100 or 200 MiB has 9, 4, 4 or 5 % more page faults than with a floor that stays; and one of 192 MiB that is emptied again
 * and again has all of the floor cut each time, of which there is need, as what else stays is the more the larger it was.
 */
#define REFAULT_PRICE 64
#define FALL_STEP 2

static unsigned long dirty_min_pages(void)
{
	return READ_ONCE(options.dirty_min_kib) / (PAGE_SIZE / 1024);
}

/* @a - @b, but not below 0 */
static unsigned long less(unsigned long a, unsigned long b)
{
	return a - MIN(a, b);
}

static unsigned long used_pages(const struct zone *zone)
{
	return less(zone->managed_pages - zone->nr_free_pages - zone->nr_isolated,
		    READ_ONCE(zone->nr_hollow));
}

/*
 * What many slots keep comes off the floor, and half of the struct pages there are, which stay around blocks in use: up to so
 * many eighths, as far as it is more than one of so many parts of what is in use. Arbitrary: 1.1 MiB are left, and with
 * 200 MiB in use eight threads change nothing.
 */
#define MOST_KEPT_EIGHTHS 7
#define KEPT_SHARE 32
#define STRUCT_PAGES_SHARE 128

static unsigned long whole_floor_pages(const struct zone *zone)
{
	unsigned long kept = READ_ONCE(zone->nr_kept) + zone->managed_pages / STRUCT_PAGES_SHARE;
	unsigned long pages = dirty_min_pages();

	kept = less(kept, used_pages(zone) / KEPT_SHARE);
	return pages - MIN(kept, pages / 8 * MOST_KEPT_EIGHTHS);
}

/* What of it stays in any case. */
static unsigned long least_floor_pages(const struct zone *zone)
{
	return dirty_min_pages() / LEAST_FLOOR_PARTS + zone->nr_lent;
}

static unsigned long floor_pages(const struct zone *zone)
{
	return MAX(less(whole_floor_pages(zone), zone->floor_cut), least_floor_pages(zone));
}

unsigned long high_wmark_pages(const struct zone *zone)
{
	/* what slots keep is no use */
	unsigned long used = less(used_pages(zone), READ_ONCE(zone->nr_kept));
	unsigned long share = used / 100 * READ_ONCE(options.dirty_percent);
	unsigned long excess, high;

	/* dirty_min may have become less meanwhile */
	high = less(floor_pages(zone) + share, zone->nr_lent);
	/* beyond the memory limit no more may stay than it leaves room for */
	excess = DIV_ROUND_UP(limit_excess_bytes(), PAGE_SIZE);
	if (unlikely(excess))
		high = MIN(high, less(zone->nr_dirty, excess));
	return high;
}

unsigned long floor_room_pages(const struct zone *zone)
{
	if (unlikely(limit_excess_bytes()))
		return 0;
	return less(floor_pages(zone), zone->nr_lent + zone->nr_dirty);
}

unsigned long low_wmark_pages(const struct zone *zone)
{
	unsigned long high = high_wmark_pages(zone);

	return less(high, MAX(high / LOW_PARTS, LEAST_SURPLUS_PAGES));
}

static noinline void pay_for_refaults(struct zone *zone, unsigned long pages)
{
	unsigned long steps = zone->fall / (FALL_STEP * dirty_min_pages() + 1);

	zone->refault_debt = less(zone->refault_debt, pages * MAX(steps, 1));
}

/*
 * How far use has fallen. A rise counts twice: where as much comes as goes there is no fall, however much goes to and fro.
 */
static void follow_fall(struct zone *zone, unsigned long used)
{
	if (used < zone->used_seen) {
		unsigned long pages = zone->used_seen - used;

		zone->fall += pages;
		if (unlikely(zone->refault_debt))
			pay_for_refaults(zone, pages);
	} else {
		zone->fall = less(zone->fall, 2 * (used - zone->used_seen));
	}
	zone->used_seen = used;
}

/* What of the floor is not lent, is no debt, and is not needed in any case. */
static unsigned long cuttable_pages(const struct zone *zone)
{
	return less(whole_floor_pages(zone),
		    least_floor_pages(zone) + zone->refault_debt / REFAULT_PRICE);
}

void floor_follow_use(struct zone *zone)
{
	unsigned long used = used_pages(zone);
	unsigned long floor = floor_pages(zone);
	unsigned long cut;

	ASSERT_HELD(&zone->lock, LOCK_ZONE);
	follow_fall(zone, used);
	/* the floor itself is no fall, and neither is what leaves more than half */
	cut = less(zone->fall, used + LEAST_FALL * dirty_min_pages());
	cut = MIN(cut, cuttable_pages(zone));
	/* what cannot go does not go sooner by it */
	if (cut > zone->floor_cut + floor / CUT_PARTS && !zone->nr_stuck)
		zone->floor_cut = cut;
}

void floor_refaulted(struct zone *zone, unsigned long nr_pages)
{
	unsigned long pages = MIN(nr_pages, zone->floor_cut);

	ASSERT_HELD(&zone->lock, LOCK_ZONE);
	zone->floor_cut -= pages;
	zone->refault_debt += pages * REFAULT_PRICE;
}

bool zone_lend(struct zone *zone, unsigned long nr_pages)
{
	bool lent;

	zone_lock(zone);
	lent = zone->nr_lent + nr_pages <= whole_floor_pages(zone) / 2;
	if (lent) {
		zone->nr_lent += nr_pages;
		/* what is lent has not been cut */
		zone->floor_cut = MIN(zone->floor_cut, cuttable_pages(zone));
	}
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
