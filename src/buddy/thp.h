/* SPDX-License-Identifier: MIT */
/*
 * Transparent huge pages, asked for by pageblock (option thp).
 *
 * A huge page is resident as a whole at the first touch. That is a gain where all of it will be
 * used, one page fault instead of 512, and a loss everywhere else. So with thp=auto a pageblock
 * asks when
 *
 *     it is part of a block of malloc's that covers it whole, and none of it was ever touched; or
 *     a zone grows by it that has much in use and little free, so that it will be full soon.
 *
 * All else has the wish of its section: none. A purge that takes any of a pageblock takes back what
 * that had asked for, so that neither a touch nor the kernel's khugepaged makes resident again what
 * was given back. Hence
 *
 *     a pageblock that has asked has no clean free page,
 *
 * and what a huge page may make resident unasked counts as dirty: for the watermark, and for the
 * memory limit.
 *
 * A huge page may cost more than 512 small ones: a guest gets it from its host, by pages of 4 KiB;
 * a kernel short of whole blocks compacts memory first. So the first of each growth or block is
 * touched and timed, and when it came dear, nobody asks for a while.
 *
 * Each change of the wish is an end of a mapping; see MAX_WISHES.
 */
#ifndef SLABUDDY_BUDDY_THP_H
#define SLABUDDY_BUDDY_THP_H

#include "buddy/zone.h"
#include "page/section.h"

/* Addresses just reserved: their wish is the section's. No lock may be held. */
void thp_reserved(const struct page_range *range);

/* Whether a zone that grows by @range for a block of @order should ask for it. Under the zone's
 * lock. */
bool thp_growth_asks(const struct zone *zone, const struct page_range *range, unsigned int order);

/* Ask before the range is committed. Return: false: the OS refused, and will not be asked again if
 * that is for good. */
bool thp_ask(const struct page_range *range);

/* After it is committed, when it is nobody else's yet: time the first touch. */
void thp_try(const struct page_range *range);

/* And note it, under the zone's lock, before its pages are free ones; or take it back, if there was
 * no memory. */
void thp_set_asked(const struct page_range *range);
void thp_take_back(const struct page_range *range);

void thp_ask_run_slow(struct page *page);

/**
 * thp_ask_run() - ask for the pageblocks that a run covers whole, and nobody has touched.
 * @page: its first page; the run is the caller's, who will write to all of it.
 * @nr_dirty: what its allocation said.
 *
 * Context: no lock but the caller's slot may be held.
 */
static inline void thp_ask_run(struct page *page, unsigned int nr_dirty)
{
	if (unlikely(page->nr_pages >= nr_dirty + PAGEBLOCK_PAGES))
		thp_ask_run_slow(page);
}

/*
 * The same for a mapping of its own, which asks for all or for nothing, since mremap() takes no two
 * mappings. @zero: it is to read as zero, so that nobody knows whether it will be written.
 */
void thp_mapped(void *addr, size_t bytes, bool zero);

/* Pageblocks for which the kernel may hold a wish, a bit each. Under the zone's lock. */
static inline uint32_t thp_asked(const struct section *section)
{
	return section->pageblock_huge | section->pageblock_parting;
}

/* Whether the pageblock around a page has asked. Under the zone's lock. */
static inline bool thp_has_asked(const struct page *page)
{
	return thp_asked(page_section(page)) >> (page_pfn(page) >> PAGEBLOCK_ORDER) & 1;
}

/*
 * A free block is about to be given back. Return: the pageblocks, a bit each, for which
 * thp_break_up() takes the wish back before. Until then they are parting, and still count as having
 * asked. Under the zone's lock; the block is on no list.
 */
uint32_t thp_forget(struct page *page, unsigned int order);

/* No lock may be held. Return: false: the OS did not take all of it back. The rest stays as it is,
 * and what is free there stays dirty, until a purge tries again. */
bool thp_break_up(struct section *section, uint32_t pageblocks);

#endif
