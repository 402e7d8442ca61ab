/* SPDX-License-Identifier: MIT */
#include "buddy/pcp.h"

#include "arena.h"
#include "buddy/page_alloc.h"

static struct pcp pcp;

START_TEST(zero_is_empty)
{
	pcp_drain(&pcp, zone);
	ck_assert_uint_eq(pcp.nr_pages, 0);
	assert_heap_sound();
}
END_TEST

START_TEST(refill_grows_and_frees_shrink_it)
{
	struct page *page;

	arena_one_pageblock();
	page = pcp_alloc(&pcp, zone, 0, MIGRATE_UNMOVABLE);
	ck_assert_int_eq(page_type(page), PAGE_USED);
	ck_assert_uint_eq(page->nr_pages, 1);
	ck_assert_uint_eq(pcp.refill_pages, 1);
	ck_assert_uint_eq(pcp.nr_pages, 0);
	for (unsigned int refill = 2; refill <= 16; refill *= 2) {
		for (unsigned int i = 0; i < refill; i++)
			ck_assert_ptr_nonnull(pcp_alloc(&pcp, zone, 0, MIGRATE_UNMOVABLE));
		ck_assert_uint_eq(pcp.refill_pages, refill);
		ck_assert_uint_eq(pcp.nr_pages, 0);
	}
	/* there is a limit */
	ck_assert_ptr_nonnull(pcp_alloc(&pcp, zone, 0, MIGRATE_UNMOVABLE));
	ck_assert_uint_eq(pcp.refill_pages, 16);
	ck_assert_uint_eq(pcp.nr_pages, 15);
	assert_heap_sound();
	pcp_free(&pcp, zone, page, 0, MIGRATE_UNMOVABLE);
	ck_assert_uint_eq(pcp.refill_pages, 8);
	ck_assert_uint_eq(pcp.nr_pages, 16);
	assert_heap_sound();
}
END_TEST

START_TEST(each_order_and_type_has_its_list)
{
	struct page *pages[PCP_MAX_ORDER + 1][MIGRATE_TYPES];

	for (unsigned int order = 0; order <= PCP_MAX_ORDER; order++) {
		for (int mt = 0; mt < MIGRATE_TYPES; mt++)
			pages[order][mt] = pcp_alloc(&pcp, zone, order, (enum migratetype)mt);
	}
	pcp_drain(&pcp, zone);
	for (unsigned int order = 0; order <= PCP_MAX_ORDER; order++) {
		/* last in, first out, and nothing else */
		for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
			pcp_free(&pcp, zone, pages[order][mt], order, (enum migratetype)mt);
			ck_assert_int_eq(page_type(pages[order][mt]), PAGE_PCP);
			ck_assert_uint_eq(pcp.nr_pages, 1U << order);
			ck_assert_ptr_eq(pcp_alloc(&pcp, zone, order, (enum migratetype)mt),
					 pages[order][mt]);
		}
	}
	assert_heap_sound();
}
END_TEST

START_TEST(too_much_goes_to_the_zone)
{
	struct page *pages[100];
	unsigned int most = 0;

	for (int i = 0; i < 100; i++)
		pages[i] = take_pages(1);
	for (int i = 0; i < 100; i++) {
		pcp_free(&pcp, zone, pages[i], 0, MIGRATE_MOVABLE);
		most = MAX(most, pcp.nr_pages);
		ck_assert_uint_eq(zone->nr_free_pages + pcp.nr_pages,
				  zone->managed_pages - 100 + (unsigned int)i + 1);
	}
	ck_assert_uint_eq(most, 32);
	ck_assert_uint_ge(pcp.nr_pages, 16);
	assert_heap_sound();
	/* what the slot keeps is what it freed last: that is warm */
	ck_assert_ptr_eq(pcp_alloc(&pcp, zone, 0, MIGRATE_MOVABLE), pages[99]);
	ck_assert_ptr_eq(pcp_alloc(&pcp, zone, 0, MIGRATE_MOVABLE), pages[98]);
}
END_TEST

START_TEST(drained_pages_merge)
{
	unsigned long whole[NR_PAGE_ORDERS] = { [PAGEBLOCK_ORDER] = 1 };
	struct page *pages[30];

	arena_one_pageblock();
	for (int i = 0; i < 30; i++)
		pages[i] = pcp_alloc(&pcp, zone, 0, MIGRATE_MOVABLE);
	for (int i = 0; i < 30; i++)
		pcp_free(&pcp, zone, pages[i], 0, MIGRATE_MOVABLE);
	ck_assert_uint_gt(pcp.nr_pages, 0);
	pcp_drain(&pcp, zone);
	ck_assert_uint_eq(pcp.nr_pages, 0);
	assert_nr_free(whole);
	ck_assert_uint_eq(zone->events.alloc, zone->events.free);
}
END_TEST

START_TEST(high_orders_bypass_it)
{
	struct page *page = page_alloc(0, __GFP_MOVABLE, PCP_MAX_ORDER + 1, &pcp);

	ck_assert_uint_eq(pcp.nr_pages, 0);
	page_free(page, PCP_MAX_ORDER + 1, MIGRATE_MOVABLE, &pcp, 0);
	ck_assert_uint_eq(pcp.nr_pages, 0);
	ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages);
	page = page_alloc(0, __GFP_MOVABLE, PCP_MAX_ORDER, &pcp);
	page_free(page, PCP_MAX_ORDER, MIGRATE_MOVABLE, &pcp, 0);
	ck_assert_uint_ge(pcp.nr_pages, 1U << PCP_MAX_ORDER);
	/* pages of another node go to their own zone */
	page = page_alloc(0, __GFP_MOVABLE, 0, NULL);
	page_free(page, 0, MIGRATE_MOVABLE, &pcp, 1);
	ck_assert_int_ne(page_type(page), PAGE_PCP);
	assert_heap_sound();
}
END_TEST

START_TEST(random_use)
{
	static struct page *pages[200];
	static unsigned int orders[200];
	uint64_t seed = test_seed();

	for (int step = 0; step < 20000; step++) {
		unsigned int i = random_below(&seed, 200);

		if (pages[i]) {
			page_free(pages[i], orders[i], (enum migratetype)(i % 3), &pcp, 0);
			pages[i] = NULL;
		} else {
			orders[i] = random_below(&seed, PCP_MAX_ORDER + 2);
			pages[i] = page_alloc(0, migratetype_to_gfp((enum migratetype)(i % 3)), orders[i],
					      &pcp);
			ck_assert_int_eq(page_type(pages[i]), PAGE_USED);
			ck_assert(IS_ALIGNED(page_pfn(pages[i]), 1U << orders[i]));
		}
		/* what a free leaves, and a refill of each list */
		ck_assert_uint_le(pcp.nr_pages, 32 + (PCP_MAX_ORDER + 1) * MIGRATE_TYPES * 16);
		if (step % 1000 == 0)
			assert_heap_sound();
	}
	pcp_drain(&pcp, zone);
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/pcp");

	tcase_add_test(tc, zero_is_empty);
	tcase_add_test(tc, refill_grows_and_frees_shrink_it);
	tcase_add_test(tc, each_order_and_type_has_its_list);
	tcase_add_test(tc, too_much_goes_to_the_zone);
	tcase_add_test(tc, drained_pages_merge);
	tcase_add_test(tc, high_orders_bypass_it);
	tcase_add_test(tc, random_use);
	return test_run(tc);
}
