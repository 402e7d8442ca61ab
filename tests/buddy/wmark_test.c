/* SPDX-License-Identifier: MIT */
/* The floor of the watermark: cut while use falls far, given back by refaults. */
#include "buddy/wmark.h"

#include "arena.h"
#include "base/option.h"
#include "buddy/page_alloc.h"
#include "buddy/purge.h"

#define MIN_PAGES 4096U /* dirty_min */
#define LEAST	  (MIN_PAGES / 16)
#define RUN	  256U
#define MAX_RUNS  1000U

static struct page *runs[MAX_RUNS];
static unsigned int nr_runs;

static void set_floor(void)
{
	options.dirty_min_kib = MIN_PAGES * 4;
	options.dirty_percent = 0;
}

/* The floor before anything is cut: struct pages come off it, and not where much is in use. */
static unsigned long whole(void)
{
	unsigned long used = zone->managed_pages - zone->nr_free_pages;
	unsigned long kept = zone->managed_pages / 128;

	return MIN_PAGES - (kept - MIN(kept, used / 32));
}

static void rise(unsigned int nr)
{
	while (nr--)
		runs[nr_runs++] = take_pages(RUN);
}

/* From the last one on, so that what is left lies together. */
static void fall(unsigned int nr)
{
	while (nr--) {
		give_pages(runs[--nr_runs], RUN);
		ck_assert_uint_le(zone->nr_dirty, high_wmark_pages(zone));
	}
}

START_TEST(small_falls_do_nothing)
{
	set_floor();
	for (int turn = 0; turn < 20; turn++) {
		rise(2 * MIN_PAGES / RUN);
		fall(2 * MIN_PAGES / RUN);
		ck_assert_uint_eq(high_wmark_pages(zone), whole());
		ck_assert_uint_lt(whole(), MIN_PAGES);
	}
	ck_assert_uint_eq(zone->floor_cut, 0);
}
END_TEST

/* Half of it may go without anything. */
START_TEST(what_is_left_counts)
{
	set_floor();
	rise(800);
	fall(400);
	ck_assert_uint_eq(high_wmark_pages(zone), MIN_PAGES);
	fall(100);
	ck_assert_uint_lt(high_wmark_pages(zone), MIN_PAGES);
	assert_heap_sound();
}
END_TEST

START_TEST(far_falls_leave_little)
{
	unsigned long high = MIN_PAGES;

	set_floor();
	rise(200);
	for (int i = 0; i < 200; i++) {
		fall(1);
		ck_assert_uint_le(high_wmark_pages(zone), high);
		high = high_wmark_pages(zone);
	}
	/* never less than the least; by parts, of which the last may be to come */
	ck_assert_uint_ge(high, LEAST);
	ck_assert_uint_le(high, LEAST * 8 / 7 + 1);
	ck_assert_uint_le(zone->nr_dirty, high);
	assert_heap_sound();
}
END_TEST

/* As many go out and come back, in any order: that is no fall. */
START_TEST(replaced_runs)
{
	uint64_t seed = test_seed();

	set_floor();
	rise(200);
	for (int step = 0; step < 20000; step++) {
		unsigned int i = random_below(&seed, 200);

		give_pages(runs[i], runs[i]->nr_pages);
		runs[i] = take_pages(1 + random_below(&seed, 2 * RUN));
		ck_assert_uint_eq(zone->floor_cut, 0);
	}
}
END_TEST

/* Pages that are clean because the floor was cut give it back; dirty ones do not. */
START_TEST(refaults_give_back)
{
	unsigned long cut;

	set_floor();
	rise(300);
	fall(300);
	zone_purge(zone, 0);
	cut = zone->floor_cut;
	ck_assert_uint_gt(cut, MIN_PAGES * 3 / 4);
	rise(1);
	ck_assert_uint_eq(zone->floor_cut, cut - RUN);
	ck_assert_uint_eq(high_wmark_pages(zone),
			  MAX(whole() - MIN(whole(), cut - RUN), LEAST));
	fall(1);
	rise(1);
	ck_assert_uint_eq(zone->floor_cut, cut - RUN);
	for (unsigned long left = cut; left; left -= MIN(left, RUN))
		ck_assert_ptr_nonnull(take_pages(MIN(left, RUN)));
	ck_assert_uint_eq(high_wmark_pages(zone), whole());
}
END_TEST

/* What a fall by @pages pays for: each page counts once, and once more for each further 2 * dirty_min it lies down. */
static unsigned long worth_of_fall(unsigned long pages)
{
	unsigned long worth = 0;

	for (unsigned long done = 0; done < pages; done += RUN)
		worth += RUN * MAX((done + RUN) / (2 * MIN_PAGES), 1);
	return worth;
}

/* Up and down for ever: what cuts cost is bounded by what use falls by. */
START_TEST(up_and_down)
{
	static const unsigned int depths[] = { 64, 100, 300 };
	enum { TURNS = 40, FLOOR = MIN_PAGES };
	const unsigned int nr = depths[_i];
	unsigned long before, refaults, without = nr * RUN - FLOOR;

	set_floor();
	rise(nr);
	fall(nr);
	rise(nr);
	before = zone->events.purged;
	for (int turn = 0; turn < TURNS; turn++) {
		fall(nr);
		rise(nr);
	}
	refaults = zone->events.purged - before - TURNS * without;
	/* a purge goes some way below the watermark, which may double the 64th */
	ck_assert_uint_le(refaults, TURNS * worth_of_fall(nr * RUN) / 32);
	/* the cut comes back in time: there is some */
	ck_assert_uint_gt(refaults, 0);
}
END_TEST

/* What slots keep comes off it, but for seven eighths, and as far as it is not little beside what is in use. */
START_TEST(many_slots)
{
	set_floor();
	rise(1);
	zone->nr_kept = 100;
	ck_assert_uint_eq(high_wmark_pages(zone),
			  MIN_PAGES - (100 + zone->managed_pages / 128 - RUN / 32));
	zone->nr_kept = 2 * MIN_PAGES;
	ck_assert_uint_eq(high_wmark_pages(zone), MIN_PAGES / 8);
	rise(MAX_RUNS - 1);
	ck_assert_uint_eq(high_wmark_pages(zone),
			  MIN_PAGES - (2 * MIN_PAGES + zone->managed_pages / 128 -
				       MAX_RUNS * RUN / 32));
	zone->nr_kept = 100;
	ck_assert_uint_eq(high_wmark_pages(zone), MIN_PAGES);
}
END_TEST

/* The deeper it goes, the more of the cut it pays for: what is emptied again and again keeps as little each time. */
START_TEST(far_falls_again)
{
	set_floor();
	for (int round = 0; round < 4; round++) {
		rise(500);
		fall(500);
		ck_assert_uint_le(high_wmark_pages(zone), MIN_PAGES / 4);
	}
}
END_TEST

/* What slots have been lent is no part of what can be cut. */
START_TEST(lent_pages_stay)
{
	unsigned long lent;

	set_floor();
	lent = whole() / 2;
	ck_assert(zone_lend(zone, lent));
	ck_assert(!zone_lend(zone, 1));
	rise(300);
	fall(300);
	ck_assert_uint_gt(zone->floor_cut, 0);
	ck_assert_uint_ge(high_wmark_pages(zone), LEAST);
	zone_take_back_lent(zone, lent);
	rise(300);
	fall(300);
	/* lent when it was cut already */
	ck_assert(zone_lend(zone, whole() / 2));
	ck_assert_uint_ge(high_wmark_pages(zone), LEAST);
}
END_TEST

START_TEST(nothing_to_cut)
{
	options.dirty_min_kib = 0;
	options.dirty_percent = 10;
	rise(300);
	fall(300);
	ck_assert_uint_eq(zone->floor_cut, 0);
	ck_assert_uint_eq(high_wmark_pages(zone), 0);
	/* less than was cut off already */
	set_floor();
	rise(300);
	fall(300);
	ck_assert_uint_gt(zone->floor_cut, 100);
	options.dirty_min_kib = 4 * 160;
	ck_assert_uint_eq(high_wmark_pages(zone), 160 / 16);
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/wmark");

	tcase_add_test(tc, small_falls_do_nothing);
	tcase_add_test(tc, what_is_left_counts);
	tcase_add_test(tc, far_falls_leave_little);
	tcase_add_test(tc, replaced_runs);
	tcase_add_test(tc, refaults_give_back);
	tcase_add_test(tc, many_slots);
	tcase_add_test(tc, far_falls_again);
	tcase_add_loop_test(tc, up_and_down, 0, 3);
	tcase_add_test(tc, lent_pages_stay);
	tcase_add_test(tc, nothing_to_cut);
	return test_run(tc);
}
