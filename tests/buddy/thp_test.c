/* SPDX-License-Identifier: MIT */
/*
 * Which pageblocks ask for a huge page, and what becomes of that. The kernel's part and the clock
 * are ours, so that the rule is tested whatever the machine is like.
 */
#include "buddy/thp.h"

#include <errno.h>
#include <stdio.h>

#include "arena.h"
#include "base/option.h"
#include "base/vm_event.h"
#include "buddy/page_alloc.h"
#include "buddy/purge.h"
#include "os/info.h"
#include "os/mem.h"
#include "page/limit.h"

#define PAGEBLOCK_BYTES (PAGE_SIZE << PAGEBLOCK_ORDER)

int __wrap_os_want_huge(void *addr, size_t bytes);
int __wrap_os_refuse_huge(void *addr, size_t bytes);
int __real_os_discard(void *addr, size_t bytes);
int __wrap_os_discard(void *addr, size_t bytes);
void *__real_os_reserve(void *hint, size_t bytes, size_t align);
void *__wrap_os_reserve(void *hint, size_t bytes, size_t align);
int __real_os_commit(void *addr, size_t bytes);
int __wrap_os_commit(void *addr, size_t bytes);
uint64_t __wrap_os_thread_cpu_ns(void);

static struct calls {
	unsigned int nr;
	void *addr; /* of the last one */
	size_t bytes;
	size_t sum;
	int result;
} wants, refusals;

/* The kernel's part: the pageblocks of one section that it holds a wish of. */
static struct section *watched;
static uint32_t wished;
static void (*during_want)(void); /* somebody else, just before the kernel hears a wish */

static unsigned int refusals_at_discard;
static uint64_t clock_ns, ns_a_look; /* a first touch takes so long */
static bool no_more;

static int note(struct calls *calls, void *addr, size_t bytes)
{
	calls->nr++;
	calls->addr = addr;
	calls->bytes = bytes;
	calls->sum += bytes;
	return calls->result;
}

static uint32_t watched_pageblocks(uintptr_t addr, size_t bytes)
{
	uint32_t pageblocks = 0;

	for (unsigned int i = 0; watched && i < PAGEBLOCKS_PER_SECTION; i++) {
		uintptr_t start = watched->base + i * PAGEBLOCK_BYTES;

		if (start >= addr && start < addr + bytes)
			pageblocks |= 1U << i;
	}
	return pageblocks;
}

int __wrap_os_want_huge(void *addr, size_t bytes)
{
	void (*other)(void) = during_want;

	during_want = NULL;
	if (other)
		other();
	if (!wants.result)
		wished |= watched_pageblocks((uintptr_t)addr, bytes);
	return note(&wants, addr, bytes);
}

int __wrap_os_refuse_huge(void *addr, size_t bytes)
{
	if (!refusals.result)
		wished &= ~watched_pageblocks((uintptr_t)addr, bytes);
	return note(&refusals, addr, bytes);
}

int __wrap_os_discard(void *addr, size_t bytes)
{
	refusals_at_discard = refusals.nr;
	return __real_os_discard(addr, bytes);
}

void *__wrap_os_reserve(void *hint, size_t bytes, size_t align)
{
	return no_more ? NULL : __real_os_reserve(hint, bytes, align);
}

int __wrap_os_commit(void *addr, size_t bytes)
{
	return no_more ? -ENOMEM : __real_os_commit(addr, bytes);
}

uint64_t __wrap_os_thread_cpu_ns(void)
{
	return clock_ns += ns_a_look;
}

static unsigned int nr_asked(const struct section *section)
{
	return (unsigned int)__builtin_popcount(section->pageblock_huge);
}

/* Take all of what the zone has free, so that the next request makes it grow. */
static void fill(void)
{
	while (zone->nr_free_pages)
		zone_alloc_run_at_hand(zone, 1, 0, MIGRATE_UNMOVABLE, NULL);
}

/* So much in use that growth may ask. */
static struct page *large_heap(void)
{
	struct page *page = take_block(MAX_PAGE_ORDER);

	ck_assert_ptr_nonnull(page);
	while (limit_held_bytes() < 32 * PAGEBLOCK_BYTES)
		take_block(MAX_PAGE_ORDER);
	fill();
	return page;
}

/* One page more than there is. Return: it. */
static struct page *grow_by_one(void)
{
	struct page *page;

	fill();
	page = zone_alloc_run(zone, 1, 0, MIGRATE_UNMOVABLE, NULL);
	ck_assert_ptr_nonnull(page);
	return page;
}

START_TEST(a_small_heap_never_asks)
{
	while (zone->managed_pages < 24 * PAGEBLOCK_PAGES)
		grow_by_one();
	thp_ask_run(take_pages(4 * PAGEBLOCK_PAGES), 0);
	ck_assert_uint_eq(wants.nr, 0);
	/* a section has no wish of its own: one call for each */
	ck_assert_uint_eq(refusals.nr, section_count());
	ck_assert_uint_eq(vm_event_read(VM_THP_ASK), 0);
	assert_heap_sound();
}
END_TEST

START_TEST(full_growth_asks_a_pageblock_at_a_time)
{
	struct page *page;

	large_heap();
	for (unsigned int i = 1; i <= 5; i++) {
		page = grow_by_one();
		ck_assert_uint_eq(wants.nr, i);
		ck_assert_ptr_eq(wants.addr, page_start(page));
		ck_assert_uint_eq(wants.bytes, PAGEBLOCK_BYTES);
		ck_assert(thp_has_asked(page) && !thp_has_asked(page + PAGEBLOCK_PAGES));
		/* what the touch of one page made resident counts as such */
		ck_assert_uint_eq(zone->nr_dirty, PAGEBLOCK_PAGES - 1);
		assert_heap_sound();
	}
	ck_assert_uint_eq(vm_event_read(VM_THP_ASK), 5);
}
END_TEST

/* Where an eighth and more is free, growth is no sign of need. */
START_TEST(growth_with_much_free_does_not_ask)
{
	struct page *page = large_heap();
	unsigned int kept = 0;

	/* every second page, so that nothing larger can be had of it */
	for (unsigned int i = 0; i < 1U << MAX_PAGE_ORDER; i++)
		page_set_type(page + i, PAGE_USED), page[i].nr_pages = 1;
	for (unsigned int i = 0; i < 1U << MAX_PAGE_ORDER; i += 2)
		give_pages(page + i, 1);
	kept = wants.nr;
	ck_assert_ptr_nonnull(zone_alloc_run(zone, 2, 1, MIGRATE_MOVABLE, NULL));
	ck_assert_uint_eq(wants.nr, kept);
	assert_heap_sound();
}
END_TEST

START_TEST(within_a_limit_growth_does_not_ask)
{
	large_heap();
	options.memory_limit = MIB(1024);
	grow_by_one();
	ck_assert_uint_eq(wants.nr, 0);
	/* what is in use counts anyway */
	thp_ask_run(take_pages(4 * PAGEBLOCK_PAGES), 0);
	ck_assert_uint_eq(wants.nr, 1);
}
END_TEST

/* No memory after all: the addresses are as before. */
START_TEST(growth_that_fails_takes_it_back)
{
	unsigned int before;

	large_heap();
	grow_by_one();
	fill();
	before = refusals.nr;
	no_more = true;
	ck_assert_ptr_null(zone_alloc_run(zone, 1, 0, MIGRATE_UNMOVABLE, NULL));
	ck_assert_uint_eq(wants.nr, 2);
	ck_assert_uint_eq(refusals.nr, before + 1);
	ck_assert_ptr_eq(refusals.addr, wants.addr);
	ck_assert_uint_eq(vm_event_read(VM_THP_ASK), 1);
	assert_heap_sound();
}
END_TEST

/* Four whole pageblocks somewhere in a run. */
#define RUN_PAGES (5U * PAGEBLOCK_PAGES)

/* As many tries as it takes until one speaks for a whole run. */
static void earn(void)
{
	for (unsigned int i = 0; i < 5; i++)
		thp_ask_run(take_pages(20 * PAGEBLOCK_PAGES), 0);
	wants = (struct calls){ 0 };
}

START_TEST(a_run_asks_for_what_it_covers)
{
	struct page *page;

	large_heap();
	earn();
	/* not at a pageblock's start */
	page = take_block(PAGEBLOCK_ORDER + 3) + 7;
	page->nr_pages = RUN_PAGES;
	thp_ask_run(page, 0);
	ck_assert_uint_eq(wants.nr, 1);
	ck_assert_uint_eq(wants.bytes, 4 * PAGEBLOCK_BYTES);
	ck_assert_ptr_eq(wants.addr,
			 (void *)ALIGN_UP((uintptr_t)page_start(page), PAGEBLOCK_BYTES));
	ck_assert(!thp_has_asked(page) && thp_has_asked(page + PAGEBLOCK_PAGES) &&
		  !thp_has_asked(page + RUN_PAGES - 1));
	/* once is enough */
	thp_ask_run(page, 0);
	ck_assert_uint_eq(wants.nr, 1);
	/* the rest of the heap is as clean as before */
	ck_assert_uint_eq(zone->nr_dirty, 0);
}
END_TEST

START_TEST(a_run_asks_for_nothing_that_was_touched)
{
	struct page *page;
	unsigned int nr_dirty;

	large_heap();
	earn();
	page = take_block(PAGEBLOCK_ORDER + 2);
	/* a page of the second pageblock */
	zone_shorten_run(page, PAGEBLOCK_PAGES + 1);
	zone_shorten_run(page, PAGEBLOCK_PAGES);
	give_pages(page, PAGEBLOCK_PAGES);
	page_purge_all();
	page = take_block(PAGEBLOCK_ORDER + 2);
	bitmap_set_range(page_section(page)->dirty, page_pfn(page) + PAGEBLOCK_PAGES + 7, 1);
	thp_ask_run(page, 1);
	ck_assert(thp_has_asked(page) && !thp_has_asked(page + PAGEBLOCK_PAGES) &&
		  thp_has_asked(page + 2 * PAGEBLOCK_PAGES));
	ck_assert_uint_eq(wants.nr, 2);
	ck_assert_uint_eq(wants.sum, 3 * PAGEBLOCK_BYTES);
	/* freed and taken again, it is all dirty */
	give_block(page, PAGEBLOCK_ORDER + 2);
	page = zone_alloc_run(zone, 4 * PAGEBLOCK_PAGES, 0, MIGRATE_MOVABLE, &nr_dirty);
	ck_assert_uint_eq(nr_dirty, 4 * PAGEBLOCK_PAGES);
	thp_ask_run(page, nr_dirty);
	ck_assert_uint_eq(wants.nr, 2);
	assert_heap_sound();
}
END_TEST

START_TEST(a_purge_breaks_up)
{
	struct page *page;
	unsigned int before;

	large_heap();
	earn();
	page = take_block(PAGEBLOCK_ORDER + 2);
	thp_ask_run(page, 0);
	ck_assert(thp_has_asked(page) && thp_has_asked(page + 3 * PAGEBLOCK_PAGES));
	before = refusals.nr;
	/* half of the last one */
	zone_shorten_run(page, 3 * PAGEBLOCK_PAGES + PAGEBLOCK_PAGES / 2);
	ck_assert_uint_eq(page_purge_all(), PAGEBLOCK_PAGES / 2);
	ck_assert_uint_eq(refusals.nr, before + 1);
	ck_assert_ptr_eq(refusals.addr, page_start(page + 3 * PAGEBLOCK_PAGES));
	ck_assert_uint_eq(refusals.bytes, PAGEBLOCK_BYTES);
	/* first the wish, then the memory: or a touch would bring all of it back */
	ck_assert_uint_eq(refusals_at_discard, before + 1);
	ck_assert(thp_has_asked(page + 2 * PAGEBLOCK_PAGES) && !thp_has_asked(page + 3 * PAGEBLOCK_PAGES));
	ck_assert_uint_eq(vm_event_read(VM_THP_BREAK_UP), 1);
	assert_heap_sound();
	/* the others at once */
	zone_free_run(page, page->nr_pages);
	page_purge_all();
	ck_assert_uint_eq(vm_event_read(VM_THP_BREAK_UP), 4);
	ck_assert_uint_eq(refusals.bytes, 3 * PAGEBLOCK_BYTES);
	ck_assert(!thp_has_asked(page));
	assert_heap_sound();
}
END_TEST

/* A free block of 2^@order pages at the start of the next whole pageblock. @age: how many runs have been taken back since. */
static struct page *aged_block(struct page *pageblock, unsigned int order, uint32_t age)
{
	page_set_type(pageblock, PAGE_USED);
	pageblock->nr_pages = 1U << order;
	give_block(pageblock, order);
	ck_assert_uint_eq(page_type(pageblock), PAGE_BUDDY);
	pageblock->freed_at = zone->clock - age;
	return pageblock;
}

/* What breaks no huge page goes first, then what breaks the emptiest. */
START_TEST(the_emptiest_are_broken_up_first)
{
	struct page *page, *quarter, *half, *other;

	large_heap();
	earn();
	zone->clock = 1000;
	page = take_block(PAGEBLOCK_ORDER + 2);
	thp_ask_run(page, 0);
	page_section(page)->pageblock_huge &= ~(1U << (page_pfn(page + 2 * PAGEBLOCK_PAGES) >> PAGEBLOCK_ORDER));
	quarter = aged_block(page, PAGEBLOCK_ORDER - 2, 100);
	half = aged_block(page + PAGEBLOCK_PAGES, PAGEBLOCK_ORDER - 1, 60);
	other = aged_block(page + 2 * PAGEBLOCK_PAGES, PAGEBLOCK_ORDER - 2, 40);

	ck_assert_uint_eq(zone_purge(zone, PAGEBLOCK_PAGES * 3 / 4), PAGEBLOCK_PAGES / 4);
	ck_assert_uint_eq(other->nr_dirty, 0);
	ck_assert(thp_has_asked(half) && thp_has_asked(quarter));
	ck_assert_uint_eq(zone_purge(zone, PAGEBLOCK_PAGES / 4), PAGEBLOCK_PAGES / 2);
	ck_assert(!thp_has_asked(half) && thp_has_asked(quarter));
	ck_assert_uint_eq(zone_purge(zone, 0), PAGEBLOCK_PAGES / 4);
	ck_assert(!thp_has_asked(quarter));
}
END_TEST

/* A wish that changes with each pageblock would be a mapping for each. */
START_TEST(a_section_has_few_wishes)
{
	struct page *page;
	struct section *section;

	large_heap();
	earn();
	page = take_block(MAX_PAGE_ORDER);
	section = page_section(page);
	ck_assert_uint_eq(section->pageblock_huge, 0);
	for (unsigned int i = 0; i < PAGEBLOCKS_PER_SECTION; i += 2) {
		struct page *part = page + i * PAGEBLOCK_PAGES;

		part->nr_pages = PAGEBLOCK_PAGES;
		thp_ask_run(part, 0);
	}
	ck_assert_uint_eq(nr_asked(section), 8);
	/* between neighbours there is room */
	page[PAGEBLOCK_PAGES].nr_pages = PAGEBLOCK_PAGES;
	thp_ask_run(page + PAGEBLOCK_PAGES, 0);
	ck_assert_uint_eq(nr_asked(section), 9);

	/* and a gap that would be one too many takes all of them */
	section->pageblock_huge = 0x5557;
	wants = refusals = (struct calls){ 0 };
	zone_lock(zone);
	ck_assert_uint_eq(thp_forget(page + 14 * PAGEBLOCK_PAGES, 0), 1U << 14);
	ck_assert_uint_eq(section->pageblock_huge, 0x1557);
	section->pageblock_huge = 0x2aaaf;
	ck_assert_uint_eq(thp_forget(page + PAGEBLOCK_PAGES, PAGEBLOCK_ORDER - 1), 0x2aaaf);
	ck_assert_uint_eq(section->pageblock_huge, 0);
	zone_unlock(zone);
	thp_break_up(section, 0x2aaaf);
	ck_assert_uint_eq(refusals.nr, 8);
	ck_assert_uint_eq(refusals.sum, 11 * PAGEBLOCK_BYTES);
}
END_TEST

/* Pageblocks that a purge would take no wish from, though the kernel holds one. */
static uint32_t forgotten(void)
{
	uint32_t left = wished;

	for (unsigned int i = 0; i < PAGEBLOCKS_PER_SECTION; i++) {
		if (thp_has_asked(section_page(watched, i * PAGEBLOCK_PAGES)))
			left &= ~(1U << i);
	}
	return left;
}

/* Pageblocks of @page's section that have asked, and the kernel knows of it. */
static void watch(struct page *page, uint32_t asked)
{
	watched = page_section(page);
	watched->pageblock_huge = wished = asked;
}

/* Seven rows: one more fits in. The second pageblock has a neighbour on each side. */
#define SEVEN_ROWS 0xaaafU

/* Another thread purges a page of the second pageblock. */
static void purge_in_a_row(void)
{
	uint32_t gone;

	zone_lock(zone);
	gone = thp_forget(section_page(watched, PAGEBLOCK_PAGES), 0);
	zone_unlock(zone);
	ck_assert_uint_ne(gone, 0);
	thp_break_up(watched, gone);
}

/* A purge takes a wish back, and for want of room perhaps all of them, while a run asks. */
START_TEST(a_purge_while_a_run_asks)
{
	struct page *page;

	large_heap();
	earn();
	page = take_block(MAX_PAGE_ORDER);
	watch(page, SEVEN_ROWS);
	page += 18 * PAGEBLOCK_PAGES;
	page->nr_pages = 2 * PAGEBLOCK_PAGES;
	during_want = purge_in_a_row;
	thp_ask_run(page, 0);
	ck_assert_uint_eq(wants.nr, 1);
	ck_assert_uint_eq(wished & 2, 0);
	ck_assert_uint_eq(forgotten(), 0);
	/* nor are they more than a section may have */
	ck_assert_uint_le((unsigned int)__builtin_popcount(wished & ~(wished << 1)), 8);
}
END_TEST

/* The OS does not take a wish back: what it may make resident stays dirty until a later purge. */
START_TEST(a_wish_that_stays)
{
	struct page *page;
	unsigned int before;

	large_heap();
	earn();
	page = take_block(PAGEBLOCK_ORDER + 2);
	watch(page, 0);
	thp_ask_run(page, 0);
	ck_assert_uint_ne(wished, 0);
	zone_shorten_run(page, 3 * PAGEBLOCK_PAGES + PAGEBLOCK_PAGES / 2);
	refusals.result = _i ? -ENOMEM : -EAGAIN;
	before = refusals.nr;
	ck_assert_uint_eq(page_purge_all(), 0);
	ck_assert_uint_eq(refusals.nr, before + 1);
	ck_assert_uint_eq(zone->nr_dirty, PAGEBLOCK_PAGES / 2);
	ck_assert(!zone->purge_refused);
	ck_assert_uint_eq(forgotten(), 0);
	assert_heap_sound();

	refusals.result = 0;
	ck_assert_uint_eq(page_purge_all(), PAGEBLOCK_PAGES / 2);
	ck_assert(!thp_has_asked(page + 3 * PAGEBLOCK_PAGES));
	ck_assert_uint_eq(forgotten(), 0);
	assert_heap_sound();
}
END_TEST

/* Nor does it when the first touch was dear. */
START_TEST(a_dear_wish_that_stays)
{
	struct page *page;

	large_heap();
	earn();
	page = take_block(MAX_PAGE_ORDER);
	watch(page, 0);
	ns_a_look = 2000000;
	refusals.result = -ENOMEM;
	thp_ask_run(page, 0);
	ck_assert_uint_eq(wished, 0xffff);
	ck_assert_uint_eq(forgotten(), 0);
}
END_TEST

/* The first touch takes long: nobody asks for 1024 pageblocks, then for twice as many. */
START_TEST(dear_ones_are_not_asked_for)
{
	struct page *page;

	large_heap();
	ns_a_look = 2000000;
	page = take_pages(RUN_PAGES);
	thp_ask_run(page, 0);
	/* only what was tried */
	ck_assert_uint_eq(wants.sum, PAGEBLOCK_BYTES);
	ck_assert_uint_eq(nr_asked(page_section(page)), 1);
	ck_assert_uint_eq(vm_event_read(VM_THP_DEAR), 1);
	for (unsigned int i = 0; i < 1024; i++)
		grow_by_one();
	ck_assert_uint_eq(wants.nr, 1);
	grow_by_one();
	ck_assert_uint_eq(wants.nr, 2);
	ck_assert_uint_eq(vm_event_read(VM_THP_DEAR), 2);
	for (unsigned int i = 0; i < 2048; i++)
		grow_by_one();
	ck_assert_uint_eq(wants.nr, 2);
	/* the times change */
	ns_a_look = 1000;
	for (unsigned int i = 0; i < 10; i++)
		grow_by_one();
	ck_assert_uint_eq(wants.nr, 12);
	assert_heap_sound();
}
END_TEST

/* One that is dear after many that were not: what was asked for with it is taken back. */
START_TEST(trust_is_lost)
{
	struct page *page;

	large_heap();
	earn();
	page = take_block(MAX_PAGE_ORDER);
	refusals = (struct calls){ 0 };
	ns_a_look = 2000000;
	thp_ask_run(page, 0);
	ck_assert_uint_eq(wants.sum, 16 * PAGEBLOCK_BYTES);
	ck_assert_uint_eq(refusals.nr, 1);
	ck_assert_uint_eq(refusals.sum, 15 * PAGEBLOCK_BYTES);
	ck_assert_ptr_eq(refusals.addr, page_start(page + PAGEBLOCK_PAGES));
	ck_assert_uint_eq(page_section(page)->pageblock_huge, 1);
	assert_heap_sound();
}
END_TEST

/* A mapping of its own has one wish, whatever was tried: mremap() takes no two mappings. */
START_TEST(mappings_are_asked_for_as_a_whole)
{
	static char place[64 << 20];
	size_t bytes = sizeof(place);

	thp_mapped(place, bytes, false);
	ck_assert_uint_eq(wants.nr, 0);
	ck_assert_uint_eq(refusals.sum, bytes);
	large_heap();
	wants = refusals = (struct calls){ 0 };
	thp_mapped(place, bytes, true);
	ck_assert_uint_eq(wants.nr, 0);
	ck_assert_uint_eq(refusals.sum, bytes);
	/* no trust yet: what was tried may stay, all else is as before */
	thp_mapped(place, bytes, false);
	ck_assert_uint_eq(wants.sum, bytes);
	ck_assert_uint_eq(refusals.sum, 2 * bytes);
	ck_assert_uint_eq(vm_event_read(VM_THP_ASK), 0);
	earn();
	refusals = (struct calls){ 0 };
	thp_mapped(place, bytes, false);
	ck_assert_uint_eq(wants.sum, bytes);
	ck_assert_uint_eq(refusals.nr, 0);
	/* more than anybody will write */
	thp_mapped(place, MIB(256) + PAGE_SIZE, false);
	ck_assert_uint_eq(wants.nr, 1);
	ck_assert_uint_eq(refusals.sum, MIB(256) + PAGE_SIZE);
	ns_a_look = 2000000;
	thp_mapped(place, bytes, false);
	ck_assert_uint_eq(wants.nr, 2);
	ck_assert_uint_eq(refusals.nr, 2);
	ck_assert_ptr_eq(refusals.addr, place);
	ck_assert_uint_eq(refusals.bytes, bytes);
}
END_TEST

/* Each try that was cheap speaks for twice as much as the last one. */
START_TEST(trust_is_earned)
{
	large_heap();
	for (unsigned int earned = 1; earned <= 16; earned *= 2) {
		struct page *page = take_block(PAGEBLOCK_ORDER + 4);

		wants.sum = 0;
		thp_ask_run(page, 0);
		ck_assert_uint_eq(wants.sum, earned * PAGEBLOCK_BYTES);
		ck_assert_uint_eq(nr_asked(page_section(page)) >= earned, true);
	}
	assert_heap_sound();
}
END_TEST

/* A kernel without huge pages is asked once, one that is short of something again. */
START_TEST(refusals_are_remembered)
{
	if (_i) {
		wants.result = -ENOMEM;
		large_heap();
		for (unsigned int i = 1; i <= 3; i++) {
			struct page *page = grow_by_one();

			ck_assert(!thp_has_asked(page));
			ck_assert_uint_eq(wants.nr, i);
		}
		ck_assert_uint_eq(vm_event_read(VM_THP_REFUSED), 3);
		ck_assert_uint_eq(zone->nr_dirty, 0);
	} else {
		refusals.result = -EINVAL;
		large_heap();
		for (unsigned int i = 1; i <= 3; i++)
			grow_by_one();
		thp_ask_run(take_pages(RUN_PAGES), 0);
		ck_assert_uint_eq(wants.nr, 0);
		ck_assert_uint_eq(refusals.nr, 1);
		ck_assert_uint_eq(vm_event_read(VM_THP_REFUSED), 1);
	}
	assert_heap_sound();
}
END_TEST

START_TEST(never_means_never)
{
	options.thp = THP_NEVER;
	large_heap();
	grow_by_one();
	thp_ask_run(take_pages(RUN_PAGES), 0);
	ck_assert_uint_eq(wants.nr, 0);
	ck_assert_uint_eq(refusals.nr, section_count());
}
END_TEST

START_TEST(always_is_the_wish_of_sections)
{
	struct page *page;

	options.thp = THP_ALWAYS;
	page = take_block(MAX_PAGE_ORDER);
	ck_assert_uint_eq(wants.nr, section_count());
	ck_assert_uint_eq(wants.bytes, SECTION_BYTES);
	give_block(page, MAX_PAGE_ORDER);
	page_purge_all();
	ck_assert_uint_eq(refusals.nr, 0);
	assert_heap_sound();
}
END_TEST

/* The audit notices a clean page where none can be. */
START_TEST(clean_pages_are_found_out)
{
	struct page *page = take_block(PAGEBLOCK_ORDER + 1);

	zone_return_tail(page, PAGEBLOCK_PAGES);
	assert_heap_sound();
	page_section(page)->pageblock_huge |= 2U << (page_pfn(page) >> PAGEBLOCK_ORDER);
	ck_assert_uint_eq(count_faults(), 1);
	page_section(page)->pageblock_huge = 0;
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/thp");

	/* the longest run that the tests take */
	if (MAX_PAGE_ORDER < PAGEBLOCK_ORDER + 5) {
		puts("no blocks of a section in this build: skipped");
		return 77;
	}
	tcase_add_test(tc, a_small_heap_never_asks);
	tcase_add_test(tc, full_growth_asks_a_pageblock_at_a_time);
	tcase_add_test(tc, growth_with_much_free_does_not_ask);
	tcase_add_test(tc, within_a_limit_growth_does_not_ask);
	tcase_add_test(tc, growth_that_fails_takes_it_back);
	tcase_add_test(tc, a_run_asks_for_what_it_covers);
	tcase_add_test(tc, a_run_asks_for_nothing_that_was_touched);
	tcase_add_test(tc, a_purge_breaks_up);
	tcase_add_test(tc, the_emptiest_are_broken_up_first);
	tcase_add_test(tc, a_section_has_few_wishes);
	tcase_add_test(tc, a_purge_while_a_run_asks);
	tcase_add_loop_test(tc, a_wish_that_stays, 0, 2);
	tcase_add_test(tc, a_dear_wish_that_stays);
	tcase_add_test(tc, dear_ones_are_not_asked_for);
	tcase_add_test(tc, trust_is_earned);
	tcase_add_test(tc, trust_is_lost);
	tcase_add_test(tc, mappings_are_asked_for_as_a_whole);
	tcase_add_loop_test(tc, refusals_are_remembered, 0, 2);
	tcase_add_test(tc, never_means_never);
	tcase_add_test(tc, always_is_the_wish_of_sections);
	tcase_add_test(tc, clean_pages_are_found_out);
	return test_run(tc);
}
