/* SPDX-License-Identifier: MIT */
/*
 * The page API on an OS that refuses the first call, the second, and so on: what fails returns NULL or 0 and
 * has taken nothing, what succeeds can be used, and once everything is freed no page is missing.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <slabuddy/gfp.h>

#include "base/bits.h"
#include "base/check.h"
#include "base/option.h"
#include "buddy/zone.h"
#include "death/child.h"
#include "fault/each_call.h"
#include "fault/faulty_os.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "slab/slot.h"

#define NR_BLOCKS 2000

#define REQUIRE(cond)                                                                   \
	do {                                                                            \
		if (!(cond))                                                            \
			fatal("not so: %s (line %d)", #cond, __LINE__);                 \
	} while (0)

static struct page *blocks[NR_BLOCKS];
static unsigned int orders[NR_BLOCKS];
static unsigned int nr_blocks;

/* May reclaim, and may not: they try differently. */
static const gfp_t ways[] = { GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY, GFP_NOWAIT };

static void keep(struct page *page, unsigned int order, gfp_t gfp)
{
	unsigned char *addr;

	if (!page)
		return;
	addr = page_address(page);
	REQUIRE(page_count(page) == 1 && compound_order(page) == order);
	if (gfp & __GFP_ZERO)
		REQUIRE(!addr[0] && !memcmp(addr, addr + 1, (PAGE_SIZE << order) - 1));
	/* all of a small block, a page of a large one */
	memset(addr, 0xff, order > 6 ? PAGE_SIZE : PAGE_SIZE << order);
	blocks[nr_blocks] = page;
	orders[nr_blocks++] = order;
}

static void drop_some(unsigned int down_to)
{
	while (nr_blocks > down_to) {
		nr_blocks--;
		__free_pages(blocks[nr_blocks], orders[nr_blocks]);
	}
}

static void use_blocks(gfp_t gfp)
{
	static const unsigned int some[] = { 0, 3, 0, 1, 9, 2, 5, 0, 10, MAX_PAGE_ORDER, 3, 0 };

	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
			gfp_t flags = gfp | (round & 1 ? __GFP_ZERO : 0);

			/* to read 4 MiB in each of 800 children takes longer than all of the rest */
			if (some[i] > 9)
				flags &= ~__GFP_ZERO;
			keep(alloc_pages(flags, some[i]), some[i], flags);
		}
		drop_some(nr_blocks / 2);
	}
}

static void use_runs(gfp_t gfp)
{
	unsigned long bytes = 37 * PAGE_SIZE - 1;
	char *exact = alloc_pages_exact(bytes, gfp);
	struct page *contig = alloc_contig_pages(100, gfp, 0);
	struct page *block = alloc_pages(gfp, 4);

	if (exact) {
		memset(exact, 0xff, bytes);
		free_pages_exact(exact, bytes);
	}
	if (contig) {
		memset(page_address(contig), 0xff, 100 * PAGE_SIZE);
		free_contig_range(page_to_pfn(contig), 100);
	}
	if (block) {
		split_page(block, 4);
		for (int i = 0; i < 16; i++)
			__free_page(block + i);
	}
}

static void use_bulk(gfp_t gfp)
{
	struct page *pages[150] = { NULL };
	unsigned long got = alloc_pages_bulk(gfp, 150, pages);

	REQUIRE(got <= 150);
	for (unsigned long i = 0; i < 150; i++)
		REQUIRE(!!pages[i] == (i < got));
	free_pages_bulk(pages, got);
}

static void script(void)
{
	static const gfp_t zones[] = { 0, __GFP_DMA32, __GFP_DMA, __GFP_MOVABLE };

	for (size_t way = 0; way < ARRAY_SIZE(ways); way++) {
		for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
			/* of locked memory a little: all of it is resident */
			if (zones[i] == __GFP_DMA) {
				keep(alloc_pages(ways[way] | __GFP_DMA, 3), 3, 0);
				keep(alloc_pages(ways[way] | __GFP_DMA | __GFP_ZERO, 7), 7,
				     __GFP_ZERO);
				continue;
			}
			use_blocks(ways[way] | zones[i]);
			use_runs(ways[way] | zones[i]);
			use_bulk(ways[way] | zones[i]);
		}
		heap_trim();
	}
}

static void expect_nothing_lost(void)
{
	drop_some(0);
	slot_drain_all();
	REQUIRE(heap_validate(NULL) == 0);
	for (int type = 0; type < MAX_NR_ZONES; type++) {
		const struct zone *zone = &node_data[0].zones[type];

		REQUIRE(zone->nr_free_pages == zone->managed_pages);
	}
}

static void expect_end(void)
{
	REQUIRE(heap_validate(NULL) == 0);
	expect_nothing_lost();
	REQUIRE(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	REQUIRE(alloc_pages(GFP_KERNEL | __GFP_DMA32, MAX_PAGE_ORDER));
	REQUIRE(alloc_pages(GFP_KERNEL | __GFP_DMA, 5));
	REQUIRE(heap_validate(NULL) == 0);
}

/* Most of the calls further on are purges. */
static unsigned long step(unsigned long first, unsigned long count)
{
	(void)count;
	return first > 100 ? 7 : 1;
}

static const struct fault_script pages_script = { .run = script, .end = expect_end, .step = step };

START_TEST(one_call)
{
	for_each_call(&pages_script, 1);
}
END_TEST

START_TEST(a_few_calls)
{
	for_each_call(&pages_script, 8);
}
END_TEST

START_TEST(all_calls_from_some_on)
{
	for_each_call(&pages_script, ALL_CALLS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nth_call_pages");
	TCase *tc = tcase_create("nth_call_pages");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_test(tc, one_call);
	tcase_add_test(tc, a_few_calls);
	tcase_add_test(tc, all_calls_from_some_on);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
