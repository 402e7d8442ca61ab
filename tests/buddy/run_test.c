/* SPDX-License-Identifier: MIT */
/* Runs of any number of pages: what is not asked for goes back, and comes together again. */
#include <string.h>

#include "arena.h"

static void assert_run(struct page *page, size_t nr_pages)
{
	ck_assert_ptr_nonnull(page);
	ck_assert_int_eq(page_type(page), PAGE_USED);
	ck_assert_uint_eq(page->nr_pages, nr_pages);
}

START_TEST(exact_runs)
{
	struct nr_free before;

	arena_one_pageblock();
	before = nr_free_now();
	for (unsigned int n = 1; n <= PAGEBLOCK_PAGES; n += n < 64 ? 1 : 61) {
		struct page *page = take_pages(n);

		assert_run(page, n);
		ck_assert_uint_eq(zone->nr_free_pages, PAGEBLOCK_PAGES - n);
		/* the tail is the fewest blocks that make it up: a bit of its length each */
		for (unsigned int order = 0; order < PAGEBLOCK_ORDER; order++)
			ck_assert_uint_eq(zone->free_area[order].nr_free,
					  (PAGEBLOCK_PAGES - n) >> order & 1);
		assert_heap_sound();
		memset(page_start(page), 0xff, n * PAGE_SIZE);
		give_pages(page, n);
		assert_nr_free(before.of);
	}
}
END_TEST

START_TEST(large_exact_runs)
{
	static const unsigned int sizes[] = { 513,  600,  1023, 1024,  1025,
					      3000, 8191, 8193, 16383, 16384 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned int n = sizes[i];
		struct page *page = take_pages(n);

		if (n > 1U << MAX_PAGE_ORDER) {
			ck_assert_ptr_null(page);
			continue;
		}
		assert_run(page, n);
		ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages - n);
		assert_heap_sound();
		give_pages(page, n);
		ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages);
		assert_heap_sound();
	}
}
END_TEST

/* What 64 runs of 7 pages leave of a pageblock, 64 single pages, is of use to the last page. */
START_TEST(runs_leave_no_gaps)
{
	struct page *pages[128];
	struct nr_free before;

	arena_one_pageblock();
	before = nr_free_now();
	for (unsigned int i = 0; i < 64; i++)
		pages[i] = take_pages(7);
	ck_assert_uint_eq(zone->nr_free_pages, 64);
	for (unsigned int i = 64; i < 128; i++)
		pages[i] = take_pages(1);
	ck_assert_uint_eq(zone->nr_free_pages, 0);
	ck_assert_uint_eq(zone->managed_pages, PAGEBLOCK_PAGES);
	assert_heap_sound();
	for (unsigned int i = 0; i < 128; i++)
		give_pages(pages[i], pages[i]->nr_pages);
	assert_nr_free(before.of);
}
END_TEST

START_TEST(aligned_runs)
{
	static const unsigned int sizes[] = { 1, 3, 7, 8, 100, 513 };
	struct page *pages[ARRAY_SIZE(sizes)];
	unsigned int align_order = (unsigned int)_i;

	/* something odd in front */
	ck_assert_ptr_nonnull(take_pages(3));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		pages[i] = zone_alloc_run(zone, sizes[i], align_order, MIGRATE_MOVABLE, NULL);
		assert_run(pages[i], sizes[i]);
		ck_assert(IS_ALIGNED((uintptr_t)page_start(pages[i]), PAGE_SIZE << align_order));
	}
	assert_heap_sound();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		give_pages(pages[i], sizes[i]);
	ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages - 3);
	assert_heap_sound();
}
END_TEST

START_TEST(too_long_or_too_aligned)
{
	ck_assert_ptr_null(take_pages((1U << MAX_PAGE_ORDER) + 1));
	ck_assert_ptr_null(take_pages(SIZE_MAX));
	ck_assert_ptr_null(take_pages((size_t)1 << 32));
	ck_assert_ptr_null(zone_alloc_run(zone, 1, MAX_PAGE_ORDER + 1, MIGRATE_MOVABLE, NULL));
	ck_assert_uint_eq(zone->managed_pages, 0);
	assert_heap_sound();
}
END_TEST

START_TEST(extend_in_place)
{
	struct page *page, *wall;
	struct nr_free before;

	arena_one_pageblock();
	before = nr_free_now();
	page = take_pages(5);
	fill_bytes(page_start(page), 5 * PAGE_SIZE, 5);
	/* page by page, over the borders of free blocks of every order */
	for (unsigned int n = 6; n <= 300; n++) {
		ck_assert(zone_extend_run(page, n));
		assert_run(page, n);
		ck_assert_uint_eq(zone->nr_free_pages, PAGEBLOCK_PAGES - n);
		assert_heap_sound();
	}
	ck_assert(filled_with(page_start(page), 5 * PAGE_SIZE, 5));
	/* many blocks at once */
	ck_assert(zone_extend_run(page, 500));
	assert_heap_sound();
	/* up to a block in use and no further */
	wall = take_pages(1);
	ck_assert_ptr_eq(wall, page + 500);
	ck_assert(!zone_extend_run(page, 501));
	assert_run(page, 500);
	assert_heap_sound();
	give_pages(wall, 1);
	ck_assert(zone_extend_run(page, PAGEBLOCK_PAGES));
	/* beyond what is committed */
	ck_assert(!zone_extend_run(page, PAGEBLOCK_PAGES + 1));
	ck_assert(!zone_extend_run(page, PAGES_PER_SECTION + 1));
	ck_assert(!zone_extend_run(page, SIZE_MAX));
	assert_run(page, PAGEBLOCK_PAGES);
	give_pages(page, PAGEBLOCK_PAGES);
	assert_nr_free(before.of);
}
END_TEST

START_TEST(extend_stops_at_the_section)
{
	unsigned int nr = 1U << MAX_PAGE_ORDER;
	struct page *page = take_block(MAX_PAGE_ORDER);

	/* with the largest order below a section's, what follows may be free or not committed */
	if (nr == PAGES_PER_SECTION)
		ck_assert(!zone_extend_run(page, nr + 1));
	zone_shorten_run(page, nr - 1);
	ck_assert(zone_extend_run(page, nr));
	assert_heap_sound();
}
END_TEST

START_TEST(shorten)
{
	struct page *page;
	struct nr_free before;

	arena_one_pageblock();
	before = nr_free_now();
	page = take_pages(PAGEBLOCK_PAGES);
	for (unsigned int n = PAGEBLOCK_PAGES - 1; n >= 1; n--) {
		zone_shorten_run(page, n);
		assert_run(page, n);
		ck_assert_uint_eq(zone->nr_free_pages, PAGEBLOCK_PAGES - n);
		if (n % 16 == 1)
			assert_heap_sound();
	}
	ck_assert(zone_extend_run(page, 77));
	zone_shorten_run(page, 3);
	give_pages(page, 3);
	assert_nr_free(before.of);
}
END_TEST

/* A block of pages that is given back in parts, in any order, is whole again at the end. */
START_TEST(give_back_in_parts)
{
	unsigned long whole[NR_PAGE_ORDERS] = { [PAGEBLOCK_ORDER] = 1 };
	uint64_t seed = test_seed();

	arena_one_pageblock();
	for (int round = 0; round < 100; round++) {
		struct page *page = take_pages(PAGEBLOCK_PAGES);
		struct page *parts[PAGEBLOCK_PAGES];
		unsigned int lengths[PAGEBLOCK_PAGES], nr = 0;

		for (unsigned int done = 0; done < PAGEBLOCK_PAGES; done += lengths[nr++]) {
			unsigned int length = 1 + random_below(&seed, 100);

			lengths[nr] = MIN(length, PAGEBLOCK_PAGES - done);
			parts[nr] = page + done;
		}
		while (nr) {
			unsigned int i = random_below(&seed, nr);

			/* a part has a head of its own first, as its owner would see to */
			page_set_type(parts[i], PAGE_USED);
			parts[i]->nr_pages = lengths[i];
			give_pages(parts[i], lengths[i]);
			parts[i] = parts[--nr];
			lengths[i] = lengths[nr];
		}
		assert_nr_free(whole);
	}
}
END_TEST

/* What comes back untouched is as clean as it was. */
START_TEST(untouched_tail)
{
	struct nr_free before;
	struct page *page;

	arena_one_pageblock();
	before = nr_free_now();
	page = take_pages(200);
	zone_return_tail(page, 50);
	ck_assert_uint_eq(page->nr_pages, 50);
	ck_assert_uint_eq(zone->nr_dirty, 0);
	ck_assert_uint_eq(zone->nr_free_pages, PAGEBLOCK_PAGES - 50);
	assert_heap_sound();
	/* and right behind the run, which can have it again */
	ck_assert(zone_extend_run(page, 200));
	zone_return_tail(page, 200);
	ck_assert_uint_eq(page->nr_pages, 200);
	give_pages(page, 200);
	assert_nr_free(before.of);
	ck_assert_uint_eq(zone->nr_dirty, 200);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/run");

	tcase_add_test(tc, exact_runs);
	tcase_add_test(tc, large_exact_runs);
	tcase_add_test(tc, runs_leave_no_gaps);
	tcase_add_loop_test(tc, aligned_runs, 0, PAGEBLOCK_ORDER + 2);
	tcase_add_test(tc, too_long_or_too_aligned);
	tcase_add_test(tc, extend_in_place);
	tcase_add_test(tc, extend_stops_at_the_section);
	tcase_add_test(tc, shorten);
	tcase_add_test(tc, give_back_in_parts);
	tcase_add_test(tc, untouched_tail);
	return test_run(tc);
}
