/* SPDX-License-Identifier: MIT */
#include "arena.h"

struct zone *zone = &node_data[0].zones[ZONE_NORMAL];

struct page *take_pages(size_t nr_pages)
{
	return zone_alloc_run(zone, nr_pages, 0, MIGRATE_MOVABLE, NULL);
}

struct page *take_block(unsigned int order)
{
	return zone_alloc_run(zone, (size_t)1 << order, order, MIGRATE_MOVABLE, NULL);
}

void give_pages(struct page *page, size_t nr_pages)
{
	zone_free_run(page, nr_pages);
}

void give_block(struct page *page, unsigned int order)
{
	zone_free_run(page, (size_t)1 << order);
}

void arena_one_pageblock(void)
{
	give_pages(take_pages(1), 1);
	ck_assert_uint_eq(zone->managed_pages, PAGEBLOCK_PAGES);
	ck_assert_uint_eq(zone->free_area[PAGEBLOCK_ORDER].nr_free, 1);
}

struct page *arena_of(unsigned int nr_pages)
{
	unsigned int all = 1U << MAX_PAGE_ORDER;
	struct page *page = take_block(MAX_PAGE_ORDER);

	ck_assert_ptr_nonnull(page);
	ck_assert_uint_le(nr_pages, all);
	if (nr_pages == all)
		give_pages(page, all);
	else
		zone_shorten_run(page, all - nr_pages);
	ck_assert_uint_eq(zone->nr_free_pages, nr_pages);
	return page + (all - nr_pages);
}

struct nr_free nr_free_now(void)
{
	struct nr_free now;

	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++)
		now.of[order] = zone->free_area[order].nr_free;
	return now;
}
