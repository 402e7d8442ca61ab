/* SPDX-License-Identifier: MIT */
/*
 * What every text-book says about the buddy system (Knowlton 1965; Knuth 1968, 2.5), step by step.
 */
#include <string.h>

#include "arena.h"
#include "buddy/page_alloc.h"

/* 28 KiB are 7 pages: as a block of pages order 3, as an exact run 7 pages and one left over. */
START_TEST(twenty_eight_kib)
{
	struct page *block, *run;

	arena_one_pageblock();
	ck_assert_uint_eq(pages_to_order(bytes_to_pages(KIB(28))), 3);
	block = page_alloc(0, __GFP_MOVABLE, 3, NULL);
	ck_assert_uint_eq(block->nr_pages, 8);
	ck_assert_uint_eq(zone->nr_free_pages, PAGEBLOCK_PAGES - 8);
	run = page_alloc_exact(0, __GFP_MOVABLE, 7, 0, NULL, NULL);
	ck_assert_uint_eq(run->nr_pages, 7);
	ck_assert_uint_eq(zone->nr_free_pages, PAGEBLOCK_PAGES - 15);
	/* the page left over is the very next one */
	ck_assert_uint_eq(zone->free_area[0].nr_free, 1);
	ck_assert_ptr_eq(page_alloc(0, __GFP_MOVABLE, 0, NULL), run + 7);
	assert_heap_sound();
}
END_TEST

/*
 * The classic drawing, with a unit of 32 pages and an arena of 16 units:
 *
 *	A asks for 1 unit, B for 2, C for 1, D for 2; then B, D, A and C are freed.
 *
 * The steps differ from a drawing in megabytes only by the unit.
 */
#define UNIT_ORDER 5
#define UNIT_PAGES (1U << UNIT_ORDER)

#define assert_units_free(of1, of2, of4, of8, of16)                          \
	do {                                                                 \
		unsigned long expected_[NR_PAGE_ORDERS] = {                  \
			[UNIT_ORDER] = (of1),	   [UNIT_ORDER + 1] = (of2), \
			[UNIT_ORDER + 2] = (of4),  [UNIT_ORDER + 3] = (of8), \
			[UNIT_ORDER + 4] = (of16),                           \
		};                                                           \
		assert_nr_free(expected_);                                   \
	} while (0)

START_TEST(classic_drawing)
{
	struct page *a, *b, *c, *d;

	arena_one_pageblock();
	assert_units_free(0, 0, 0, 0, 1);
	a = take_block(UNIT_ORDER); /* 16 = A + 1 + 2 + 4 + 8 */
	assert_units_free(1, 1, 1, 1, 0);
	b = take_block(UNIT_ORDER + 1); /* the 2 */
	assert_units_free(1, 0, 1, 1, 0);
	c = take_block(UNIT_ORDER); /* the 1, A's buddy */
	assert_units_free(0, 0, 1, 1, 0);
	d = take_block(UNIT_ORDER + 1); /* the 4 is split */
	assert_units_free(0, 1, 0, 1, 0);
	/* A C B D, then 2 and 8 free */
	ck_assert_ptr_eq(c, a + UNIT_PAGES);
	ck_assert_ptr_eq(b, a + 2 * UNIT_PAGES);
	ck_assert_ptr_eq(d, a + 4 * UNIT_PAGES);

	give_block(b, UNIT_ORDER + 1); /* its buddy is A and C: stays alone */
	assert_units_free(0, 2, 0, 1, 0);
	give_block(d, UNIT_ORDER + 1); /* 2 and 2 make 4, 4 with A, C, B does not */
	assert_units_free(0, 1, 1, 1, 0);
	give_block(a, UNIT_ORDER); /* C is in use */
	assert_units_free(1, 1, 1, 1, 0);
	give_block(c, UNIT_ORDER); /* all the way up */
	assert_units_free(0, 0, 0, 0, 1);
}
END_TEST

/*
 * Neighbours that are no buddies: of the four quarters B, B', C, C' of a block, B' and C lie side
 * by side, and both free do not make a half. B merges with B', C with C', and then the halves do.
 */
START_TEST(neighbours_are_not_buddies)
{
	const unsigned int quarter = PAGEBLOCK_ORDER - 2;
	unsigned long expected[NR_PAGE_ORDERS] = { 0 };
	struct page *b, *b2, *c, *c2;

	arena_one_pageblock();
	b = take_block(quarter);
	b2 = take_block(quarter);
	c = take_block(quarter);
	c2 = take_block(quarter);
	ck_assert_ptr_eq(c, b2 + (1U << quarter));
	assert_nr_free(expected);

	give_block(b2, quarter);
	give_block(c, quarter);
	expected[quarter] = 2;
	assert_nr_free(expected);
	give_block(b, quarter);
	expected[quarter] = 1;
	expected[quarter + 1] = 1;
	assert_nr_free(expected);
	give_block(c2, quarter);
	expected[quarter] = expected[quarter + 1] = 0;
	expected[quarter + 2] = 1;
	assert_nr_free(expected);
}
END_TEST

/* The nth block of an order starts n blocks behind the first, and is aligned to its own size. */
START_TEST(nth_block_of_each_order)
{
	unsigned int order = (unsigned int)_i;
	unsigned int nr = PAGEBLOCK_PAGES >> order;
	unsigned long none[NR_PAGE_ORDERS] = { 0 };
	struct page *first = NULL;

	arena_one_pageblock();
	for (unsigned int n = 0; n < nr; n++) {
		struct page *page = take_block(order);

		if (!first)
			first = page;
		ck_assert_ptr_eq(page, first + (n << order));
		ck_assert(IS_ALIGNED((uintptr_t)page_start(page), PAGE_SIZE << order));
		ck_assert_uint_eq(zone->nr_free_pages, PAGEBLOCK_PAGES - ((n + 1) << order));
	}
	assert_nr_free(none);
}
END_TEST

/* A buddy's number differs in one bit, the one of its order. */
START_TEST(buddies_of_each_order)
{
	unsigned int order = (unsigned int)_i;
	unsigned int nr = PAGEBLOCK_PAGES >> order;
	struct page *blocks[PAGEBLOCK_PAGES];

	arena_one_pageblock();
	for (unsigned int n = 0; n < nr; n++)
		blocks[n] = take_block(order);
	for (unsigned int n = 0; n < nr; n += 2) {
		unsigned int pfn = page_pfn(blocks[n]);

		ck_assert_uint_eq(page_pfn(blocks[n + 1]), pfn ^ 1U << order);
		give_block(blocks[n], order);
		ck_assert_uint_eq(zone->free_area[order].nr_free, 1);
		give_block(blocks[n + 1], order);
		/* they are one now */
		ck_assert_uint_eq(zone->free_area[order].nr_free, 0);
		ck_assert_uint_ge(blocks[n]->order, order + 1);
		blocks[n] = take_block(order + 1);
		ck_assert_uint_eq(page_pfn(blocks[n]), pfn);
	}
	assert_heap_sound();
}
END_TEST

START_TEST(every_order_up_to_the_largest)
{
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = page_alloc(0, __GFP_MOVABLE, order, NULL);

		ck_assert_ptr_nonnull(page);
		ck_assert_int_eq(page_type(page), PAGE_USED);
		ck_assert_uint_eq(page->nr_pages, 1U << order);
		ck_assert(IS_ALIGNED((uintptr_t)page_start(page), PAGE_SIZE << order));
		memset(page_start(page), 0xff, PAGE_SIZE);
		page_free(page, order, MIGRATE_MOVABLE, NULL, 0);
	}
	assert_heap_sound();
	ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages);
}
END_TEST

START_TEST(beyond_the_largest_order)
{
	const char *text;

	stderr_capture();
	ck_assert_ptr_null(page_alloc(0, __GFP_MOVABLE, MAX_PAGE_ORDER + 1, NULL));
	ck_assert_ptr_null(page_alloc(0, 0, MAX_PAGE_ORDER + 1, NULL));
	ck_assert_ptr_null(page_alloc(0, __GFP_MOVABLE, 63, NULL));
	ck_assert_ptr_null(page_alloc(0, __GFP_MOVABLE, UINT32_MAX, NULL));
	text = stderr_captured();
	/* one warning, whoever asks and how often */
	ck_assert_uint_eq(count_char(text, '\n'), 1);
	ck_assert_ptr_nonnull(strstr(text, "order"));
	assert_heap_sound();
}
END_TEST

/* Every second one, then the others: nothing merges at first, everything at last. */
START_TEST(alternating_frees)
{
	unsigned int order = (unsigned int)_i;
	unsigned int nr = PAGEBLOCK_PAGES >> order;
	unsigned long expected[NR_PAGE_ORDERS] = { 0 };
	struct page *blocks[PAGEBLOCK_PAGES];

	for (unsigned int parity = 0; parity < 2; parity++) {
		arena_one_pageblock();
		for (unsigned int n = 0; n < nr; n++)
			blocks[n] = take_block(order);
		for (unsigned int n = parity; n < nr; n += 2)
			give_block(blocks[n], order);
		memset(expected, 0, sizeof(expected));
		expected[order] = nr / 2;
		assert_nr_free(expected);
		for (unsigned int n = !parity; n < nr; n += 2)
			give_block(blocks[n], order);
		expected[order] = 0;
		expected[PAGEBLOCK_ORDER] = 1;
		assert_nr_free(expected);
	}
}
END_TEST

/* Freed in any order, the same blocks make the same whole. */
START_TEST(order_of_frees_does_not_matter)
{
	struct page *pages[PAGEBLOCK_PAGES];
	unsigned long whole[NR_PAGE_ORDERS] = { [PAGEBLOCK_ORDER] = 1 };
	uint64_t seed = test_seed();

	arena_one_pageblock();
	for (int round = 0; round < 50; round++) {
		for (unsigned int n = 0; n < PAGEBLOCK_PAGES; n++)
			pages[n] = take_block(0);
		for (unsigned int n = PAGEBLOCK_PAGES; n > 0; n--) {
			unsigned int i = random_below(&seed, n);

			give_block(pages[i], 0);
			pages[i] = pages[n - 1];
		}
		assert_nr_free(whole);
	}
	ck_assert_uint_eq(zone->events.alloc, zone->events.free);
	ck_assert_uint_eq(zone->events.split, zone->events.merge);
}
END_TEST

/* Blocks merge over the border of pageblocks up to the largest order. */
START_TEST(merge_to_the_largest_order)
{
	unsigned int nr = 1U << (MAX_PAGE_ORDER - PAGEBLOCK_ORDER);
	struct page *largest = take_block(MAX_PAGE_ORDER);
	unsigned long managed = zone->managed_pages;

	for (unsigned int n = 0; n < nr; n++)
		give_pages(largest + n * PAGEBLOCK_PAGES, PAGEBLOCK_PAGES);
	ck_assert_uint_eq(zone->free_area[MAX_PAGE_ORDER].nr_free, 1);
	ck_assert_ptr_eq(take_block(MAX_PAGE_ORDER), largest);
	ck_assert_uint_eq(zone->managed_pages, managed);
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/textbook");

	tcase_add_test(tc, twenty_eight_kib);
	tcase_add_test(tc, classic_drawing);
	tcase_add_test(tc, neighbours_are_not_buddies);
	tcase_add_loop_test(tc, nth_block_of_each_order, 0, PAGEBLOCK_ORDER + 1);
	tcase_add_loop_test(tc, buddies_of_each_order, 0, PAGEBLOCK_ORDER);
	tcase_add_test(tc, every_order_up_to_the_largest);
	tcase_add_test(tc, beyond_the_largest_order);
	tcase_add_loop_test(tc, alternating_frees, 0, PAGEBLOCK_ORDER);
	tcase_add_test(tc, order_of_frees_does_not_matter);
	tcase_add_test(tc, merge_to_the_largest_order);
	return test_run(tc);
}
