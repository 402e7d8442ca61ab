/* SPDX-License-Identifier: MIT */
/*
 * Dirty pages that cannot go because they are parts of larger OS pages: no free tries them again
 * and again, and they go when their neighbours are free too.
 */
#include "arena.h"
#include "base/option.h"
#include "buddy/page_alloc.h"
#include "buddy/purge.h"
#include "buddy/wmark.h"
#include "os/info.h"

#define OS_PAGE_BYTES KIB(64)
#define OS_PAGE	      (OS_PAGE_BYTES / PAGE_SIZE)
#define NR_OS_PAGES   64

size_t __wrap_os_page_size(void);
void __real_zone_purge_to_low(struct zone *zone);
void __wrap_zone_purge_to_low(struct zone *zone);

static unsigned int nr_purges;

size_t __wrap_os_page_size(void)
{
	return OS_PAGE_BYTES;
}

void __wrap_zone_purge_to_low(struct zone *z)
{
	nr_purges++;
	__real_zone_purge_to_low(z);
}

/* OS pages, each of single pages. */
static struct page *pages[NR_OS_PAGES][OS_PAGE];

/* All of them in use, after which the watermarks are 256 and 192 pages. */
static void take_all(void)
{
	options.dirty_min_kib = 1024;
	options.dirty_percent = 0;
	for (int i = 0; i < NR_OS_PAGES; i++) {
		for (unsigned int j = 0; j < OS_PAGE; j++) {
			pages[i][j] = take_pages(1);
			ck_assert_ptr_nonnull(pages[i][j]);
		}
	}
	ck_assert_uint_eq(high_wmark_pages(zone), 256);
}

/* All but the first of each go: those cannot, and 15 times as many are stuck by them. */
static void make_stuck(void)
{
	for (int i = 0; i < NR_OS_PAGES; i++) {
		for (unsigned int j = 1; j < OS_PAGE; j++)
			give_pages(pages[i][j], 1);
	}
	ck_assert_uint_eq(zone->nr_dirty, NR_OS_PAGES * (OS_PAGE - 1));
}

START_TEST(not_at_every_free)
{
	take_all();
	make_stuck();
	/* one for each 64 pages that they went beyond the watermark */
	ck_assert_uint_ge(nr_purges, 1);
	ck_assert_uint_le(nr_purges, (NR_OS_PAGES * (OS_PAGE - 1) - 256) / 64 + 1);
	assert_heap_sound();

	nr_purges = 0;
	for (int i = 0; i < 1000; i++)
		give_pages(take_pages(1), 1);
	ck_assert_uint_le(nr_purges, 1);
}
END_TEST

START_TEST(whole_os_pages_go)
{
	unsigned long stuck;

	take_all();
	make_stuck();
	stuck = zone->nr_dirty;
	for (int i = 0; i < NR_OS_PAGES; i++)
		give_pages(pages[i][0], 1);
	ck_assert_uint_gt(stuck, 256);
	page_purge_all();
	ck_assert_uint_eq(zone->nr_dirty, 0);
	/* from here on, the watermark is what it was */
	take_all();
	for (int i = 0; i < NR_OS_PAGES; i++) {
		for (unsigned int j = 0; j < OS_PAGE; j++)
			give_pages(pages[i][j], 1);
	}
	ck_assert_uint_le(zone->nr_dirty, 256 + OS_PAGE);
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/stuck");

	tcase_add_test(tc, not_at_every_free);
	tcase_add_test(tc, whole_os_pages_go);
	return test_run(tc);
}
