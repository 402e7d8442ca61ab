/* SPDX-License-Identifier: MIT */
/*
 * The zone that the tests of the buddy use, and what they want to know of it.
 */
#ifndef SLABUDDY_TESTS_BUDDY_ARENA_H
#define SLABUDDY_TESTS_BUDDY_ARENA_H

#include "../testing.h"
#include "buddy/run.h"
#include "buddy/zone.h"

/* ZONE_NORMAL of node 0. */
extern struct zone *zone;

/* One committed pageblock, all of it free: what the zone gets at its first growth. */
void arena_one_pageblock(void);

/*
 * Exactly @nr_pages free pages, the last ones of a block of MAX_PAGE_ORDER; the others are in use.
 * Return: the first of them. The test sees to it that the zone does not grow.
 */
struct page *arena_of(unsigned int nr_pages);

struct page *take_pages(size_t nr_pages);
struct page *take_block(unsigned int order);
void give_pages(struct page *page, size_t nr_pages);
void give_block(struct page *page, unsigned int order);

/* nr_free of every order equals @expected, and the counters and lists say the same. */
#define assert_nr_free(expected)                                                                   \
	do {                                                                                       \
		for (unsigned int o_ = 0; o_ <= MAX_PAGE_ORDER; o_++)                              \
			ck_assert_msg(zone->free_area[o_].nr_free == (expected)[o_],               \
				      "order %u: nr_free is %lu, not %lu", o_,                     \
				      zone->free_area[o_].nr_free, (unsigned long)(expected)[o_]); \
		assert_heap_sound();                                                               \
	} while (0)

/* Copy of nr_free of every order. */
struct nr_free {
	unsigned long of[NR_PAGE_ORDERS];
};

struct nr_free nr_free_now(void);

#endif
