/* SPDX-License-Identifier: MIT */
/*
 * Exact runs out of neighbouring free blocks that are no buddies.
 *
 * Of a block of 256 pages that holds a run of 150, the rest lies free as 2 + 8 + 32 + 64, one behind
 * the other. A request for 100 pages would not look at that, since by the buddy's rule it needs a
 * block of 128, and would break up a fresh one. So a run comes from a span, which is a block with whatever
 * lies free behind and before it: of some that are long enough the one that fits best, and there from the front, the
 * end or a block's edge, wherever the fewest pages have to be faulted in.
 */
#ifndef SLABUDDY_BUDDY_JOIN_H
#define SLABUDDY_BUDDY_JOIN_H

#include "buddy/zone.h"

/* The free pages from @pfn on that a run of @mt may have, counted no further than @enough. */
unsigned int free_pages_at(struct section *section, unsigned int pfn, unsigned int enough,
			   enum migratetype mt);

/* Take the pages [@pfn, @pfn + @nr), all counted by free_pages_at(), off their lists. Return: how
 * many are dirty. */
unsigned int take_free_pages(struct zone *zone, struct section *section, unsigned int pfn,
			     unsigned int nr, enum migratetype mt);

/**
 * take_best_fit() - a run where it costs the fewest page faults and leaves the least.
 * @nr_pages: length.
 * @nr_dirty: gets the number of dirty pages.
 *
 * Only spans around the first few blocks of each order are looked at, from a quarter of what a block for the run would
 * be to four times that.
 *
 * Return: the first page, on no list; or NULL when there is none.
 */
struct page *take_best_fit(struct zone *zone, size_t nr_pages, enum migratetype mt,
			   unsigned int *nr_dirty);

/*
 * The same for a run that is longer than any block: out of blocks of MAX_PAGE_ORDER that lie side by
 * side. With the default MAX_PAGE_ORDER there is no such run, since a block is a section.
 */
struct page *take_neighbours(struct zone *zone, size_t nr_pages, enum migratetype mt,
			     unsigned int *nr_dirty);

#endif
