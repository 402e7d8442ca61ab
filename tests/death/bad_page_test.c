/* SPDX-License-Identifier: MIT */
/*
 * Every mistake that a program can make with pages: the line it costs, word for word, and what follows:
 * SIGABRT, or with bad_free=warn a sound heap in a process that goes on.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include <slabuddy/gfp.h>

#include "base/bits.h"
#include "base/check.h"
#include "base/option.h"
#include "death/child.h"
#include "death/mistake.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "page/page.h"
#include "slab/slot.h"

#define FREE_PAGES "slabuddy: __free_pages(): page PTR "

/* A block that was never freed. */
static struct page *block(unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL, order);

	ck_assert_ptr_nonnull(page);
	return page;
}

static void twice(void)
{
	struct page *page = block(0);

	__free_pages(page, 0);
	__free_pages(page, 0);
}

static void twice_in_the_zone(void)
{
	struct page *page = block(0);

	__free_pages(page, 0);
	slot_drain_all();
	__free_pages(page, 0);
}

static void twice_large(void)
{
	struct page *page = block(8);

	__free_pages(page, 8);
	__free_pages(page, 8);
}

/* Its buddies are free too: it is no head any more. */
static void twice_merged(void)
{
	struct page *page = block(4);

	split_page(page, 4);
	for (int i = 0; i < 16; i++)
		__free_page(page + i);
	slot_drain_all();
	__free_page(page + 5);
}

static void last_reference_twice(void)
{
	struct page *page = block(1);

	get_page(page);
	put_page(page);
	put_page(page);
	put_page(page);
}

static void tail(void)
{
	__free_pages(block(3) + 5, 3);
}

static void tail_of_order_0(void)
{
	__free_page(block(3) + 4);
}

static void too_small(void)
{
	__free_pages(block(3), 2);
}

static void too_large(void)
{
	__free_pages(block(3), 9);
}

static void order_minus_1(void)
{
	__free_pages(block(0), -1U);
}

static void of_a_slab(void)
{
	__free_page(virt_to_page(heap_malloc(100)));
}

static void of_malloc(void)
{
	__free_page(virt_to_page((char *)heap_malloc(100000) + 50000));
}

static void never_allocated(void)
{
	struct section *section = page_section(block(0));

	/* the section's last page has no memory yet */
	__free_page(section_page(section, PAGES_PER_SECTION - 1));
}

static void no_struct_page(void)
{
	static char nonsense[64] __attribute__((aligned(64)));

	block(0);
	__free_page((struct page *)(void *)nonsense);
}

static void between_struct_pages(void)
{
	struct page *page = block(0);

	__free_page((struct page *)(void *)((char *)page + 8));
}

static void address_twice(void)
{
	unsigned long addr = __get_free_page(GFP_KERNEL);

	free_page(addr);
	free_page(addr);
}

static void address_of_others(void)
{
	int local = 0;

	free_page((unsigned long)&local);
}

static void address_with_wrong_order(void)
{
	free_pages(__get_free_pages(GFP_KERNEL, 2), 0);
}

static void part_of_a_run_twice(void)
{
	char *addr = alloc_pages_exact(4 * PAGE_SIZE, GFP_KERNEL);

	free_page((unsigned long)addr + PAGE_SIZE);
	slot_drain_all();
	free_pages_exact(addr, 4 * PAGE_SIZE);
}

static void block_as_a_run(void)
{
	free_pages_exact(page_address(block(1)), PAGE_SIZE);
}

static void range_twice(void)
{
	struct page *page = alloc_contig_pages(1, GFP_KERNEL, 0);
	unsigned long pfn = page_to_pfn(page);

	free_contig_range(pfn, 1);
	free_contig_range(pfn, 1);
}

static void range_of_others(void)
{
	free_contig_range(17, 1);
}

static void get_after_free(void)
{
	struct page *page = block(0);

	__free_page(page);
	get_page(page);
}

static void get_of_a_slab(void)
{
	get_page(virt_to_page(heap_malloc(100)));
}

static void split_of_a_tail(void)
{
	split_page(block(2) + 1, 0);
}

static void split_of_another_order(void)
{
	split_page(block(2), 3);
}

static void with_free(void)
{
	heap_free(page_address(block(2)));
}

static void inside_with_free(void)
{
	heap_free((char *)page_address(block(2)) + 3 * PAGE_SIZE + 16);
}

#define FREED_TWICE "is free already (double free)\n"

static const struct mistake mistakes[] = {
	{ "twice", twice, FREE_PAGES FREED_TWICE },
	{ "twice_in_the_zone", twice_in_the_zone, FREE_PAGES FREED_TWICE },
	{ "twice_large", twice_large, FREE_PAGES FREED_TWICE },
	{ "twice_merged", twice_merged, FREE_PAGES FREED_TWICE },
	{ "last_reference_twice", last_reference_twice, "slabuddy: put_page(): page PTR " FREED_TWICE },
	{ "tail", tail, FREE_PAGES "is not the first of its block, which starts at PTR\n" },
	{ "tail_of_order_0", tail_of_order_0,
	  FREE_PAGES "is not the first of its block, which starts at PTR\n" },
	{ "too_small", too_small, FREE_PAGES "is of order 3, not 2\n" },
	{ "too_large", too_large, FREE_PAGES "is of order 3, not 9\n" },
	{ "order_minus_1", order_minus_1, FREE_PAGES "is of order 0, not 4294967295\n" },
	{ "of_a_slab", of_a_slab, FREE_PAGES "is part of a slab (cache kmalloc-112)\n" },
	{ "of_malloc", of_malloc, FREE_PAGES "is part of a block of malloc\n" },
	{ "never_allocated", never_allocated, FREE_PAGES "is not allocated\n" },
	{ "no_struct_page", no_struct_page, FREE_PAGES "is no struct page of this heap\n" },
	{ "between_struct_pages", between_struct_pages,
	  FREE_PAGES "is no struct page of this heap\n" },
	{ "address_twice", address_twice, "slabuddy: free_pages(): page PTR " FREED_TWICE },
	{ "address_of_others", address_of_others,
	  "slabuddy: free_pages(): page PTR is not from this heap\n" },
	{ "address_with_wrong_order", address_with_wrong_order,
	  "slabuddy: free_pages(): page PTR is of order 2, not 0\n" },
	{ "part_of_a_run_twice", part_of_a_run_twice,
	  "slabuddy: free_pages_exact(): page PTR " FREED_TWICE },
	{ "block_as_a_run", block_as_a_run,
	  "slabuddy: free_pages_exact(): page PTR is of order 1, not 0\n" },
	{ "range_twice", range_twice, "slabuddy: free_contig_range(): page PTR " FREED_TWICE },
	{ "range_of_others", range_of_others,
	  "slabuddy: free_contig_range(): page PTR is not from this heap\n" },
	{ "get_after_free", get_after_free, "slabuddy: get_page(): page PTR " FREED_TWICE },
	{ "get_of_a_slab", get_of_a_slab,
	  "slabuddy: get_page(): page PTR is part of a slab (cache kmalloc-112)\n" },
	{ "split_of_a_tail", split_of_a_tail,
	  "slabuddy: split_page(): page PTR is not the first of its block, which starts at PTR\n" },
	{ "split_of_another_order", split_of_another_order,
	  "slabuddy: split_page(): page PTR is of order 2, not 3\n" },
	{ "with_free", with_free,
	  "slabuddy: free(): invalid pointer PTR: a block of pages, which free_pages() takes\n" },
	{ "inside_with_free", inside_with_free,
	  "slabuddy: free(): invalid pointer PTR: a block of pages, which free_pages() takes\n" },
};

static void use_pages(void)
{
	for (int i = 0; i < 500; i++)
		__free_pages(alloc_pages(GFP_KERNEL, (unsigned int)i % 6), (unsigned int)i % 6);
	heap_trim();
}

START_TEST(abort_is_the_default)
{
	expect_death_by(&mistakes[_i]);
}
END_TEST

START_TEST(with_a_warning_it_goes_on)
{
	expect_life_after(&mistakes[_i], use_pages);
}
END_TEST

/* Too large an order costs one line, however often it is asked for. */
static void ask_for_too_much(const void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		if (alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1) || alloc_pages(GFP_KERNEL, -1U))
			fatal("there is no such block");
	}
}

START_TEST(too_large_an_order)
{
	struct child_end end;
	char line[100];

	snprintf(line, sizeof(line), "slabuddy: page allocation of order %d: the largest is %d\n",
		 MAX_PAGE_ORDER + 1, MAX_PAGE_ORDER);
	run_child(ask_for_too_much, NULL, &end);
	expect_life("order", &end, line);
}
END_TEST

static void ask_for_too_long_a_run(const void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		if (alloc_pages_exact((PAGE_SIZE << MAX_PAGE_ORDER) + 1, GFP_KERNEL))
			fatal("there is no such run");
	}
}

START_TEST(too_long_a_run)
{
	struct child_end end;
	char line[100];

	snprintf(line, sizeof(line), "slabuddy: page allocation of %d pages: at most %d\n",
		 (1 << MAX_PAGE_ORDER) + 1, 1 << MAX_PAGE_ORDER);
	run_child(ask_for_too_long_a_run, NULL, &end);
	expect_life("run", &end, line);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("death/bad_page");
	TCase *tc = tcase_create("bad_page");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_loop_test(tc, abort_is_the_default, 0, ARRAY_SIZE(mistakes));
	tcase_add_loop_test(tc, with_a_warning_it_goes_on, 0, ARRAY_SIZE(mistakes));
	tcase_add_test(tc, too_large_an_order);
	tcase_add_test(tc, too_long_a_run);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
