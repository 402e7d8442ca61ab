/* SPDX-License-Identifier: MIT */
#include "buddy/run_sheaf.h"

#include "arena.h"
#include "base/option.h"
#include "buddy/page_alloc.h"
#include "buddy/purge.h"
#include "buddy/wmark.h"

static struct pcp pcp;
static struct run_sheaf *const sheaf = &pcp.runs;

static struct page *take(size_t nr_pages)
{
	return page_alloc_exact(0, __GFP_MOVABLE, nr_pages, 0, NULL, &pcp);
}

static void give(struct page *page)
{
	page_free_exact(page, &pcp, 0);
}

static void sound(void)
{
	struct audit audit = { 0 };

	run_sheaf_validate(&audit, sheaf, zone);
	ck_assert_uint_eq(audit.faults, 0);
	assert_heap_sound();
}

/* Free and take runs of one length until the sheaf keeps them. */
static void have_lent(size_t nr_pages)
{
	for (int i = 0; i < 4; i++)
		give(take(nr_pages));
	ck_assert_uint_ge(sheaf->limit, nr_pages);
}

START_TEST(zero_is_empty_and_full)
{
	struct page *page = take_pages(9);

	ck_assert_ptr_null(run_sheaf_pop_newest(sheaf, 1, PAGE_USED));
	ck_assert_ptr_null(run_sheaf_pop(sheaf, 1, PAGE_USED));
	ck_assert(!run_sheaf_push(sheaf, page, page_start(page)));
	run_sheaf_drain(sheaf, zone);
	run_sheaf_settle(sheaf, zone);
	ck_assert_uint_eq(zone->nr_lent, 0);
	sound();
}
END_TEST

/* As if misses had brought the sheaf room for 64 pages. */
static void lend_some(void)
{
	ck_assert(zone_lend(zone, 64 - BASE_RUN_PAGES));
	sheaf->limit = 64;
}

START_TEST(a_run_that_fits)
{
	struct page *pages[3];

	lend_some();
	for (unsigned int i = 0; i < 3; i++)
		pages[i] = take_pages(16 + i);
	for (unsigned int i = 0; i < 3; i++) {
		give(pages[i]);
		ck_assert_int_eq(page_type(pages[i]), PAGE_PCP_RUN);
		ck_assert_ptr_eq(sheaf->runs[sheaf->newest], page_start(pages[i]));
	}
	sound();
	/* the newest only, an eighth longer at most; any of them, the closest first */
	ck_assert_ptr_null(run_sheaf_pop_newest(sheaf, 19, PAGE_USED));
	ck_assert_ptr_null(run_sheaf_pop_newest(sheaf, 15, PAGE_USED));
	ck_assert_ptr_null(run_sheaf_pop(sheaf, 19, PAGE_USED));
	ck_assert_ptr_null(run_sheaf_pop(sheaf, 14, PAGE_USED));
	ck_assert_ptr_eq(run_sheaf_pop(sheaf, 15, PAGE_LARGE), page_start(pages[0]));
	ck_assert_int_eq(page_type(pages[0]), PAGE_LARGE);
	ck_assert_uint_eq(pages[0]->nr_pages, 16);
	ck_assert_ptr_eq(run_sheaf_pop(sheaf, 16, PAGE_USED), page_start(pages[1]));
	ck_assert_ptr_eq(take(16), pages[2]);
	ck_assert_uint_eq(sheaf->nr_pages, 0);
	sound();
}
END_TEST

START_TEST(older_runs_make_room)
{
	struct page *pages[RUN_SHEAF_ROOM + 2];
	unsigned long free_before;

	lend_some();
	/* in pages */
	pages[0] = take_pages(40);
	pages[1] = take_pages(24);
	pages[2] = take_pages(25);
	free_before = zone->nr_free_pages;
	for (int i = 0; i < 3; i++)
		give(pages[i]);
	ck_assert_uint_eq(zone->nr_free_pages, free_before + 40);
	ck_assert_uint_eq(sheaf->nr_pages, 49);
	sound();
	/* what is longer than all of the room goes past it */
	give(take_pages(sheaf->limit + 1));
	ck_assert_uint_eq(sheaf->nr_pages, 49);
	run_sheaf_drain(sheaf, zone);
	ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages);

	/* in number */
	for (int i = 0; i < RUN_SHEAF_ROOM + 2; i++)
		pages[i] = take_pages(1);
	free_before = zone->nr_free_pages;
	for (int i = 0; i < RUN_SHEAF_ROOM + 2; i++)
		give(pages[i]);
	ck_assert_uint_eq(zone->nr_free_pages, free_before + 2);
	ck_assert_uint_eq(sheaf->nr_pages, RUN_SHEAF_ROOM);
	sound();
	run_sheaf_drain(sheaf, zone);
	ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages);
}
END_TEST

START_TEST(what_is_missed_is_lent)
{
	struct page *page = take(256);
	unsigned long used;

	/* freed and taken again by the zone, twice */
	for (int i = 0; i < 2; i++) {
		give(page);
		ck_assert_int_ne(page_type(page), PAGE_PCP_RUN);
		ck_assert_uint_eq(zone->nr_lent, 0);
		page = take(256);
	}
	give(page);
	ck_assert_int_eq(page_type(page), PAGE_PCP_RUN);
	ck_assert_uint_eq(sheaf->limit, BASE_RUN_PAGES + 256);
	ck_assert_uint_eq(zone->nr_lent, 256);
	ck_assert_ptr_eq(take(256), page);
	ck_assert(run_sheaf_push(sheaf, page, page_start(page)));
	sound();
	/* it counts as if it were free in the zone */
	used = zone->managed_pages - zone->nr_free_pages;
	ck_assert_uint_eq(high_wmark_pages(zone) + zone->nr_lent,
			  options.dirty_min_kib / 4 + used / 100 * options.dirty_percent);
	run_sheaf_settle(sheaf, zone);
	ck_assert_uint_eq(zone->nr_lent, 0);
	ck_assert_uint_eq(sheaf->limit, BASE_RUN_PAGES);
	ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages);
	sound();
}
END_TEST

START_TEST(who_borrows_not_has_what_all_have)
{
	sheaf->borrows_not = true;
	for (int i = 0; i < 10; i++)
		give(take(256));
	ck_assert_uint_eq(zone->nr_lent, 0);
	ck_assert_uint_eq(sheaf->limit, BASE_RUN_PAGES);
	give(take(BASE_RUN_PAGES));
	ck_assert_uint_eq(sheaf->nr_pages, BASE_RUN_PAGES);
	sound();
}
END_TEST

START_TEST(other_lengths_are_no_reason_to_lend)
{
	for (unsigned int i = 0; i < 100; i++)
		give(take(100 + 32 * (i % 8)));
	ck_assert_uint_eq(zone->nr_lent, 0);
	ck_assert_uint_eq(sheaf->limit, BASE_RUN_PAGES);
	sound();
}
END_TEST

START_TEST(useless_runs_go_back)
{
	struct page *page;

	have_lent(512);
	ck_assert_uint_gt(zone->nr_lent, 0);
	for (int i = 0; i < RUN_SHEAF_ROOM - 1; i++) {
		page = take(700);
		page_free_exact(page, NULL, 0);
	}
	ck_assert_uint_gt(zone->nr_lent, 0);
	/* a hit in between: it is worth it */
	give(take(512));
	for (int i = 0; i < RUN_SHEAF_ROOM; i++) {
		page = take(700);
		page_free_exact(page, NULL, 0);
		ck_assert_msg(zone->nr_lent || i == RUN_SHEAF_ROOM - 1, "taken back at miss %d", i);
	}
	ck_assert_uint_eq(zone->nr_lent, 0);
	ck_assert_uint_eq(sheaf->nr_pages, 0);
	ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages);
	sound();
}
END_TEST

START_TEST(a_slot_and_all_together_have_limits)
{
	static struct pcp others[4];
	unsigned long most = options.dirty_min_kib / 4 / 2;

	have_lent(900);
	ck_assert_uint_le(sheaf->limit, MAX_RUN_PAGES);
	/* one more of them would be over the slot's limit */
	for (int i = 0; i < 8; i++) {
		struct page *first = take(900), *second = take(900);

		give(first);
		give(second);
		ck_assert_uint_le(sheaf->nr_pages, MAX_RUN_PAGES);
	}
	run_sheaf_drain(sheaf, zone);
	for (int i = 0; i < 4; i++) {
		for (int k = 0; k < 4; k++)
			page_free_exact(page_alloc_exact(0, __GFP_MOVABLE, 900, 0, NULL, &others[i]),
					&others[i], 0);
		ck_assert_uint_le(zone->nr_lent, most);
	}
	ck_assert_uint_eq(others[0].runs.nr_pages, 900);
	ck_assert_uint_eq(others[3].runs.nr_pages, 0);
	for (int i = 0; i < 4; i++)
		run_sheaf_drain(&others[i].runs, zone);
	ck_assert_uint_eq(zone->nr_lent, 0);
	/* nothing may be kept: nothing is lent */
	options.dirty_min_kib = 0;
	for (int i = 0; i < 4; i++)
		give(take(256));
	ck_assert_uint_eq(zone->nr_lent, 0);
	sound();
}
END_TEST

/* A run out of the zone, and whether its pages may be resident. */
static struct page *take_to_grow(size_t nr_pages, unsigned int *nr_dirty)
{
	return page_alloc_exact(0, __GFP_MOVABLE, nr_pages, 0, nr_dirty, NULL);
}

START_TEST(room_behind_a_run)
{
	unsigned int nr_dirty;
	struct page *page = take_to_grow(100, &nr_dirty);
	unsigned long free_before = zone->nr_free_pages;

	ck_assert(run_sheaf_leave_room(sheaf, zone, page, 40, nr_dirty));
	ck_assert_ptr_eq(sheaf->room, page + 40);
	ck_assert_uint_eq(page->nr_pages, 40);
	ck_assert_uint_eq(run_sheaf_pages(sheaf), 60);
	/* never touched, so it counts for nothing */
	ck_assert_uint_eq(sheaf->nr_pages, 0);
	sound();
	ck_assert(run_sheaf_grow_into_room(sheaf, zone, page, 90));
	ck_assert_uint_eq(page->nr_pages, 90);
	ck_assert_uint_eq(run_sheaf_pages(sheaf), 10);
	sound();
	/* not enough: what there is goes to the zone, as clean as it was */
	ck_assert(!run_sheaf_grow_into_room(sheaf, zone, page, 101));
	ck_assert_uint_eq(page->nr_pages, 90);
	ck_assert_uint_eq(zone->nr_free_pages, free_before + 10);
	ck_assert_uint_eq(zone->nr_dirty, 0);
	ck_assert(!run_sheaf_grow_into_room(sheaf, zone, page, 91));
	sound();
}
END_TEST

START_TEST(room_to_the_last_page)
{
	unsigned int nr_dirty;
	struct page *page = take_to_grow(50, &nr_dirty), *other = take_pages(10);

	ck_assert(run_sheaf_leave_room(sheaf, zone, page, 40, nr_dirty));
	ck_assert(!run_sheaf_grow_into_room(sheaf, zone, other, 11));
	ck_assert(run_sheaf_grow_into_room(sheaf, zone, page, 50));
	ck_assert_ptr_null(sheaf->room);
	ck_assert_uint_eq(run_sheaf_pages(sheaf), 0);
	sound();
}
END_TEST

START_TEST(used_room_counts)
{
	unsigned int nr_dirty;
	struct page *page;

	give_pages(take_pages(300), 300);
	page = take_to_grow(300, &nr_dirty);
	ck_assert_uint_eq(nr_dirty, 300);
	ck_assert(run_sheaf_leave_room(sheaf, zone, page, 100, nr_dirty));
	ck_assert_uint_eq(sheaf->nr_pages, 200);
	ck_assert_uint_eq(zone->nr_lent, 200);
	sound();
	/* another's room takes its place */
	ck_assert(run_sheaf_leave_room(sheaf, zone, take_to_grow(20, &nr_dirty), 10, 0));
	ck_assert_uint_eq(sheaf->nr_pages, 0);
	ck_assert_uint_eq(zone->nr_dirty, 200);
	sound();
	/* more than a slot may keep, where a run can be as long */
	if (MAX_RUN_PAGES + 2 > 1UL << MAX_PAGE_ORDER)
		return;
	give_pages(take_pages(MAX_RUN_PAGES + 2), MAX_RUN_PAGES + 2);
	page = take_to_grow(MAX_RUN_PAGES + 2, &nr_dirty);
	ck_assert(!run_sheaf_leave_room(sheaf, zone, page, 1, nr_dirty));
	ck_assert_uint_eq(page->nr_pages, MAX_RUN_PAGES + 2);
	sound();
}
END_TEST

START_TEST(freed_with_its_room)
{
	unsigned int nr_dirty;
	struct page *page;

	give_pages(take_pages(60), 60);
	page = take_to_grow(60, &nr_dirty);
	ck_assert(run_sheaf_leave_room(sheaf, zone, page, 20, nr_dirty));
	ck_assert(run_has_room(sheaf, page));
	run_sheaf_absorb_room(sheaf, zone, page);
	ck_assert_uint_eq(page->nr_pages, 60);
	ck_assert_uint_eq(sheaf->nr_pages, 0);
	give(page);
	ck_assert_uint_eq(sheaf->nr_pages, 60);
	/* the longest is what the next one grows in */
	give(take_pages(4));
	ck_assert_ptr_null(run_sheaf_pop_longest(sheaf, 60, PAGE_USED));
	ck_assert_ptr_eq(run_sheaf_pop_longest(sheaf, 59, PAGE_USED), page_start(page));
	/* room that nobody touched stays clean */
	zone_free_run(page, 60);
	zone_purge(zone, 0);
	page = take_to_grow(60, &nr_dirty);
	ck_assert(run_sheaf_leave_room(sheaf, zone, page, 20, nr_dirty));
	run_sheaf_absorb_room(sheaf, zone, page);
	ck_assert_uint_eq(page->nr_pages, 20);
	zone_free_run(page, 20);
	ck_assert_uint_eq(zone->nr_dirty, 20);
	sound();
}
END_TEST

START_TEST(room_gives_way_to_a_run)
{
	unsigned int nr_dirty;
	struct page *page;

	give_pages(take_pages(60), 60);
	page = take_to_grow(60, &nr_dirty);
	ck_assert(run_sheaf_leave_room(sheaf, zone, page, 20, nr_dirty));
	give(take_pages(50));
	ck_assert_ptr_null(sheaf->room);
	ck_assert_uint_eq(sheaf->nr_pages, 50);
	sound();
	run_sheaf_drain(sheaf, zone);
	ck_assert_uint_eq(zone->nr_lent, 0);
	sound();
}
END_TEST

START_TEST(a_cut_pop_or_push_is_mended)
{
	struct page *pages[2];

	for (int i = 0; i < 2; i++)
		pages[i] = take_pages(10);
	for (int i = 0; i < 2; i++)
		give(pages[i]);
	/* a fork() after the entry was emptied and before it was counted */
	WRITE_ONCE(sheaf->length[sheaf->newest], 0);
	run_sheaf_recount(sheaf);
	ck_assert_uint_eq(sheaf->nr_pages, 10);
	ck_assert_ptr_eq(run_sheaf_pop(sheaf, 10, PAGE_USED), page_start(pages[0]));
	ck_assert_ptr_null(run_sheaf_pop(sheaf, 10, PAGE_USED));
	sound();
}
END_TEST

START_TEST(the_check_finds_faults)
{
	struct audit audit = { 0 };

	give(take_pages(20));
	sheaf->length[sheaf->newest] = 21;
	run_sheaf_validate(&audit, sheaf, zone);
	ck_assert_uint_eq(audit.faults, 2);
	sheaf->length[sheaf->newest] = 20;
	sound();
}
END_TEST

START_TEST(random_use)
{
	static struct page *pages[40];
	const unsigned int most = MIN(1200, 1U << MAX_PAGE_ORDER);
	uint64_t seed = test_seed();

	for (int step = 0; step < 20000; step++) {
		unsigned int i = random_below(&seed, 40);

		if (pages[i]) {
			give(pages[i]);
			pages[i] = NULL;
		} else {
			size_t nr = 1 + random_below(&seed, step % 2000 < 1000 ? 20 : most);

			pages[i] = take(nr);
			ck_assert_int_eq(page_type(pages[i]), PAGE_USED);
			ck_assert_uint_ge(pages[i]->nr_pages, nr);
			ck_assert_uint_le(pages[i]->nr_pages, nr + nr / 8);
		}
		ck_assert_uint_le(sheaf->nr_pages, sheaf->limit);
		ck_assert_uint_eq(zone->nr_lent,
				  sheaf->limit ? sheaf->limit - BASE_RUN_PAGES : 0);
		if (step % 500 == 0)
			sound();
	}
	for (int i = 0; i < 40; i++) {
		if (pages[i])
			give(pages[i]);
	}
	pcp_drain(&pcp, zone);
	ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages);
	sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/run_sheaf");

	tcase_add_test(tc, zero_is_empty_and_full);
	tcase_add_test(tc, a_run_that_fits);
	tcase_add_test(tc, older_runs_make_room);
	tcase_add_test(tc, what_is_missed_is_lent);
	tcase_add_test(tc, who_borrows_not_has_what_all_have);
	tcase_add_test(tc, other_lengths_are_no_reason_to_lend);
	tcase_add_test(tc, useless_runs_go_back);
	tcase_add_test(tc, a_slot_and_all_together_have_limits);
	tcase_add_test(tc, room_behind_a_run);
	tcase_add_test(tc, room_to_the_last_page);
	tcase_add_test(tc, used_room_counts);
	tcase_add_test(tc, freed_with_its_room);
	tcase_add_test(tc, room_gives_way_to_a_run);
	tcase_add_test(tc, a_cut_pop_or_push_is_mended);
	tcase_add_test(tc, the_check_finds_faults);
	tcase_add_test(tc, random_use);
	return test_run(tc);
}
