/* SPDX-License-Identifier: MIT */
#include "buddy/thp.h"

#include <errno.h>

#include "base/option.h"
#include "base/vm_event.h"
#include "os/info.h"
#include "os/mem.h"
#include "page/limit.h"

#define PAGEBLOCK_BYTES (PAGE_SIZE << PAGEBLOCK_ORDER)

/* What the heap holds before anything asks. Derived: a pageblock that is used no further is a 32nd
 * of it, 3 %. */
#define LEAST_HELD (32U * PAGEBLOCK_BYTES)

/* Of what is in use, how much may be free while it grows. Arbitrary: an eighth; with more, growth
 * is no sign of need. */
#define MOST_FREE 8

/*
 * How often the wish may change within a section: 65530 mappings (vm.max_map_count), two for each,
 * are enough for a heap of 200 GiB. Arbitrary.
 */
#define MAX_WISHES 8

/*
 * Processor time of a first touch that is dear: as long as 512 small pages take. Measured, on a
 * virtual machine: 512 faults 1 ms, a huge page 0.1 to 0.35 ms, but 3 to 5 ms when the host has to
 * find memory for it.
 */
#define DEAR_NS 1000000U

/*
 * The first try that is not dear speaks for one pageblock of a block, the next for two, four and so
 * on. Arbitrary: 32 MiB, which are the longest run, and a 16th of what is never written to.
 */
#define LONGEST_STEP 16U

/* A block above this is rather a range of addresses, of which nobody knows what will be written.
 * Arbitrary: 256 MiB. */
#define MOST_TO_WRITE MIB(256)

/* For how many pageblocks nobody asks then, at first and at most. Arbitrary: 2 GiB, 128 GiB. */
#define FIRST_PAUSE 1024U
#define LONGEST_PAUSE 65536U

/* Racy, all of them: an answer too late is a pageblock too many or too few. */
static bool refused;		 /* [atomic] the kernel has none: it is asked no more */
static unsigned long pause_left; /* [atomic] pageblocks for which nobody asks */
static unsigned long next_pause; /* [atomic] how many they will be next time */
static unsigned long next_step;	 /* [atomic] pageblocks that the next try speaks for; 0: one */

static void *range_start(const struct page_range *range)
{
	return page_start(section_page(range->section, range->pfn));
}

static size_t range_bytes(const struct page_range *range)
{
	return (size_t)range->nr_pages << PAGE_SHIFT;
}

/* EINVAL is for good; the others are a shortage, of mappings for example. Return: whether it is
 * done. */
static bool note_result(int error)
{
	if (!error)
		return true;
	if (error == -EINVAL)
		WRITE_ONCE(refused, true);
	vm_event_add(VM_THP_REFUSED, 1);
	return false;
}

static bool want(void *addr, size_t bytes)
{
	return !READ_ONCE(refused) && note_result(os_want_huge(addr, bytes));
}

/* Return: false: the wish, if there was one, is still there. */
static bool want_not(void *addr, size_t bytes)
{
	return READ_ONCE(refused) || note_result(os_refuse_huge(addr, bytes)) || READ_ONCE(refused);
}

void thp_reserved(const struct page_range *range)
{
	if (READ_ONCE(options.thp) == THP_ALWAYS)
		want(range_start(range), range_bytes(range));
	else
		want_not(range_start(range), range_bytes(range));
}

/* Whether @nr pageblocks may ask now. */
static bool may_ask(unsigned long nr)
{
	unsigned long left = READ_ONCE(pause_left);

	if (READ_ONCE(options.thp) != THP_AUTO || READ_ONCE(refused) ||
	    limit_held_bytes() < LEAST_HELD)
		return false;
	if (likely(!left))
		return true;
	WRITE_ONCE(pause_left, left - MIN(left, nr));
	return false;
}

/* Touch the start of a pageblock that has asked. Return: false: it came dear, and nobody asks for a
 * while. */
static bool try_first(volatile char *addr)
{
	uint64_t begin = os_thread_cpu_ns();
	unsigned long pause = READ_ONCE(next_pause);

	*addr = 0; /* which it reads as anyway */
	if (likely(os_thread_cpu_ns() - begin < DEAR_NS)) {
		WRITE_ONCE(next_pause, pause / 2);
		WRITE_ONCE(next_step, MIN(2 * MAX(READ_ONCE(next_step), 1), LONGEST_STEP));
		return true;
	}
	vm_event_add(VM_THP_DEAR, 1);
	pause = MAX(pause, FIRST_PAUSE);
	WRITE_ONCE(pause_left, pause);
	WRITE_ONCE(next_pause, MIN(2 * pause, LONGEST_PAUSE));
	WRITE_ONCE(next_step, 1);
	return false;
}

static uint32_t bits(unsigned int first, unsigned int nr)
{
	return (uint32_t)(((1UL << nr) - 1) << first);
}

static unsigned int nr_wishes(uint32_t pageblocks)
{
	return (unsigned int)__builtin_popcount(pageblocks & ~(pageblocks << 1));
}

/* Whether so many more pageblocks of a section may ask. */
static bool fits_in(const struct section *section, uint32_t pageblocks)
{
	return nr_wishes(section->pageblock_huge | pageblocks) <= MAX_WISHES;
}

bool thp_growth_asks(const struct zone *zone, const struct page_range *range, unsigned int order)
{
	unsigned long used = zone->managed_pages - zone->nr_free_pages - zone->nr_isolated;

	ASSERT_HELD(&zone->lock, LOCK_ZONE);
	if (likely(used < LEAST_HELD >> PAGE_SHIFT))
		return false;
	if (zone->nr_free_pages > used / MOST_FREE)
		return false;
	/* a larger block is whoever's who asked for it, and so is the question */
	if (order > PAGEBLOCK_ORDER || range->nr_pages != PAGEBLOCK_PAGES ||
	    !IS_ALIGNED(range->pfn, PAGEBLOCK_PAGES))
		return false;
	if (!fits_in(range->section, bits(range->pfn >> PAGEBLOCK_ORDER, 1)))
		return false;
	/* locked memory is resident anyway; within a limit each page that nobody asked for is one
	 * too many */
	if (zone->type == ZONE_DMA || READ_ONCE(options.memory_limit))
		return false;
	return may_ask(1);
}

bool thp_ask(const struct page_range *range)
{
	return want(range_start(range), range_bytes(range));
}

void thp_try(const struct page_range *range)
{
	try_first(range_start(range));
}

void thp_take_back(const struct page_range *range)
{
	want_not(range_start(range), range_bytes(range));
}

/* Those that lie wholly within a range. */
static uint32_t pageblocks_within(unsigned int pfn, unsigned int nr_pages)
{
	unsigned int first = DIV_ROUND_UP(pfn, PAGEBLOCK_PAGES);
	unsigned int end = (pfn + nr_pages) / PAGEBLOCK_PAGES;

	return first < end ? bits(first, end - first) : 0;
}

/* Those that a block touches. */
static uint32_t pageblocks_around(unsigned int pfn, unsigned int order)
{
	return bits(pfn >> PAGEBLOCK_ORDER,
		    order > PAGEBLOCK_ORDER ? 1U << (order - PAGEBLOCK_ORDER) : 1);
}

void thp_set_asked(const struct page_range *range)
{
	struct section *section = range->section;

	section->pageblock_huge |= pageblocks_within(range->pfn, range->nr_pages);
	bitmap_set_range(section->dirty, range->pfn, range->nr_pages);
	vm_event_add(VM_THP_ASK, range->nr_pages >> PAGEBLOCK_ORDER);
}

/* The first row of neighbours among some pageblocks. *@nr: its length. */
static unsigned int first_row(uint32_t pageblocks, unsigned int *nr)
{
	unsigned int first = first_bit(pageblocks);

	*nr = first_bit(~((uint64_t)pageblocks >> first));
	return first;
}

static char *pageblock_start(const struct section *section, unsigned int pageblock)
{
	return (char *)section->base + pageblock * PAGEBLOCK_BYTES;
}

/* How many pageblocks the next try speaks for. */
static unsigned int earned(void)
{
	return (unsigned int)MAX(READ_ONCE(next_step), 1);
}

/* Ask for the first of @nr pageblocks, as many as have been earned. Return: how many that were. */
static unsigned int ask_for_front(char *addr, unsigned int nr)
{
	unsigned int step, asked = 0;
	bool cheap;

	do {
		char *at = addr + asked * PAGEBLOCK_BYTES;
		unsigned int now;

		step = earned();
		now = MIN(step, nr - asked);
		if (!want(at, now * PAGEBLOCK_BYTES))
			break;
		cheap = try_first(at);
		if (!cheap && now > 1 &&
		    want_not(at + PAGEBLOCK_BYTES, (now - 1) * PAGEBLOCK_BYTES))
			now = 1;
		asked += now;
	} while (cheap && asked < nr && step == LONGEST_STEP);
	vm_event_add(VM_THP_ASK, asked);
	return asked;
}

/* Of @pageblocks, which are its owner's, those that nobody has touched. None: there is no room for
 * their wish. */
static uint32_t untouched(const struct section *section, uint32_t pageblocks)
{
	zone_lock(section->zone);
	pageblocks &= ~thp_asked(section);
	for (uint32_t rest = pageblocks; rest; rest &= rest - 1) {
		unsigned int first = first_bit(rest);

		if (bitmap_count_range(section->dirty, first << PAGEBLOCK_ORDER, PAGEBLOCK_PAGES))
			pageblocks &= ~bits(first, 1);
	}
	if (!fits_in(section, pageblocks))
		pageblocks = 0;
	zone_unlock(section->zone);
	return pageblocks;
}

/* Return: those of @pageblocks that have asked. */
static uint32_t ask_for(const struct section *section, uint32_t pageblocks)
{
	uint32_t all = 0;

	while (pageblocks) {
		unsigned int nr, first = first_row(pageblocks, &nr);
		unsigned int asked = ask_for_front(pageblock_start(section, first), nr);

		all |= bits(first, asked);
		if (asked < nr)
			break;
		pageblocks &= ~bits(first, nr);
	}
	return all;
}

/* Take back the wish of pageblocks that are parting. Return: those whose wish is gone. */
static uint32_t part_with(struct section *section, uint32_t pageblocks)
{
	uint32_t gone = 0;

	while (pageblocks) {
		unsigned int nr, first = first_row(pageblocks, &nr);

		if (want_not(pageblock_start(section, first), nr * PAGEBLOCK_BYTES))
			gone |= bits(first, nr);
		pageblocks &= ~bits(first, nr);
	}
	zone_lock(section->zone);
	section->pageblock_parting &= ~gone;
	zone_unlock(section->zone);
	return gone;
}

/* Return: false: others have asked meanwhile, and there is no room any more. */
static bool set_asked(struct section *section, uint32_t pageblocks)
{
	bool room;

	zone_lock(section->zone);
	room = fits_in(section, pageblocks);
	if (room)
		section->pageblock_huge |= pageblocks;
	else
		section->pageblock_parting |= pageblocks;
	zone_unlock(section->zone);
	return room;
}

/*
 * The wish comes first, then the note of it: a purge elsewhere in the section may take back all
 * that is noted, and what it has taken back must not be asked for after that. Until then the
 * pageblocks are their owner's alone.
 */
void thp_ask_run_slow(struct page *page)
{
	struct section *section = page_section(page);
	uint32_t pageblocks = pageblocks_within(page_pfn(page), page->nr_pages);

	if (!pageblocks || section->zone->type == ZONE_DMA ||
	    !may_ask(page->nr_pages >> PAGEBLOCK_ORDER))
		return;
	pageblocks = untouched(section, pageblocks);
	if (!pageblocks)
		return;
	pageblocks = ask_for(section, pageblocks);
	if (!set_asked(section, pageblocks))
		part_with(section, pageblocks);
}

/* Try a pageblock of each step of a mapping. Return: whether none was dear, and trust is enough for
 * all of it. */
static bool try_steps(char *addr, size_t bytes)
{
	char *first = (char *)ALIGN_UP((uintptr_t)addr, PAGEBLOCK_BYTES);
	bool trusted = earned() == LONGEST_STEP;
	bool cheap;

	do {
		cheap = try_first(first);
		first += LONGEST_STEP * PAGEBLOCK_BYTES;
	} while (cheap && trusted && first < addr + bytes);
	return cheap && trusted;
}

void thp_mapped(void *addr, size_t bytes, bool zero)
{
	if (READ_ONCE(options.thp) == THP_ALWAYS) {
		want(addr, bytes);
	} else if (zero || bytes < 2 * PAGEBLOCK_BYTES || bytes > MOST_TO_WRITE ||
		   !may_ask(bytes / PAGEBLOCK_BYTES)) {
		want_not(addr, bytes);
	} else if (want(addr, bytes)) {
		if (try_steps(addr, bytes))
			vm_event_add(VM_THP_ASK, bytes / PAGEBLOCK_BYTES);
		else
			want_not(addr, bytes);
	}
}

uint32_t thp_forget(struct page *page, unsigned int order)
{
	struct section *section = page_section(page);
	uint32_t gone = thp_asked(section) & pageblocks_around(page_pfn(page), order);

	ASSERT_HELD(&section->zone->lock, LOCK_ZONE);
	if (likely(!gone))
		return 0;
	/* a gap in the middle may be one too many */
	if (nr_wishes(section->pageblock_huge & ~gone) > MAX_WISHES)
		gone |= section->pageblock_huge;
	section->pageblock_huge &= ~gone;
	section->pageblock_parting |= gone;
	return gone;
}

bool thp_break_up(struct section *section, uint32_t pageblocks)
{
	uint32_t gone = part_with(section, pageblocks);

	vm_event_add(VM_THP_BREAK_UP, (unsigned long)__builtin_popcount(gone));
	return gone == pageblocks;
}
