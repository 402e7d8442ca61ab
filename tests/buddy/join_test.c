/* SPDX-License-Identifier: MIT */
/* Runs out of neighbouring free blocks that are no buddies. */
#include "buddy/join.h"

#include <errno.h>
#include <string.h>

#include "arena.h"
#include "buddy/purge.h"
#include "os/mem.h"

void *__wrap_os_reserve(void *hint, size_t bytes, size_t align);
int __wrap_os_commit(void *addr, size_t bytes);
void *__real_os_reserve(void *hint, size_t bytes, size_t align);
int __real_os_commit(void *addr, size_t bytes);

/* What the zone cannot join it must not get from the OS either. */
static bool no_more;

void *__wrap_os_reserve(void *hint, size_t bytes, size_t align)
{
	return no_more ? NULL : __real_os_reserve(hint, bytes, align);
}

int __wrap_os_commit(void *addr, size_t bytes)
{
	return no_more ? -ENOMEM : __real_os_commit(addr, bytes);
}

static struct page *first;

static void arena_without_more(unsigned int nr_pages)
{
	first = arena_of(nr_pages);
	no_more = true;
}

/* 150 of 256 pages in use leave 2 + 8 + 32 + 64: the last three are enough for 100, though no block
 * of 128 is free. */
START_TEST(behind_and_before)
{
	struct nr_free before;
	struct page *front, *joined;

	arena_without_more(256);
	before = nr_free_now();
	front = take_pages(150);
	ck_assert_ptr_eq(front, first);
	joined = take_pages(100);
	ck_assert_ptr_eq(joined, first + 152);
	ck_assert_uint_eq(joined->nr_pages, 100);
	ck_assert_uint_eq(zone->nr_free_pages, 6);
	memset(page_start(joined), 0xff, 100 * PAGE_SIZE);
	assert_heap_sound();
	give_pages(front, 150);
	give_pages(joined, 100);
	assert_nr_free(before.of);
}
END_TEST

/* Only neighbours: a page in use between them parts them. */
START_TEST(gaps_are_not_joined)
{
	struct page *front, *middle;

	arena_without_more(256);
	front = take_pages(128);
	middle = take_pages(64);
	ck_assert_ptr_eq(middle, first + 128);
	give_pages(front, 128);
	ck_assert_ptr_null(zone_alloc_run(zone, 150, 0, MIGRATE_MOVABLE, NULL));
	give_pages(middle, 64);
	ck_assert_ptr_nonnull(zone_alloc_run(zone, 150, 0, MIGRATE_MOVABLE, NULL));
	assert_heap_sound();
}
END_TEST

/* An aligned run and a power of two are blocks as ever. */
START_TEST(aligned_runs_are_not_joined)
{
	arena_without_more(256);
	take_pages(150);
	ck_assert_ptr_null(zone_alloc_run(zone, 100, 1, MIGRATE_MOVABLE, NULL));
	ck_assert_ptr_null(zone_alloc_run(zone, 128, 0, MIGRATE_MOVABLE, NULL));
	assert_heap_sound();
}
END_TEST

/* Of two spans the one at the lower address, wherever it stands on the list. */
START_TEST(lowest_first)
{
	struct page *low, *high;

	arena_without_more(512);
	low = take_pages(150);
	high = take_pages(256);
	ck_assert_ptr_eq(high, first + 256);
	zone_shorten_run(high, 150);
	ck_assert_ptr_eq(take_pages(100), low + 152);
	ck_assert_ptr_eq(take_pages(100), high + 152);
	assert_heap_sound();
}
END_TEST

/* What is known of the pages comes along: the dirty ones of a joined run are counted one by one. */
START_TEST(dirty_pages_are_known)
{
	struct page *front, *behind;
	unsigned int nr_dirty = 0;
	uint64_t map[2];

	arena_without_more(256);
	zone_purge(zone, 0);
	front = take_pages(150);
	behind = take_pages(40);
	give_pages(behind, 40);
	behind = zone_alloc_run(zone, 100, 0, MIGRATE_MOVABLE, &nr_dirty);
	ck_assert_ptr_eq(behind, front + 152);
	ck_assert_uint_eq(nr_dirty, 40);
	zone_copy_dirty(behind, 100, map);
	ck_assert_uint_eq(bitmap_count_range(map, 0, 100), 40);
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/join");

	tcase_add_test(tc, behind_and_before);
	tcase_add_test(tc, gaps_are_not_joined);
	tcase_add_test(tc, aligned_runs_are_not_joined);
	tcase_add_test(tc, lowest_first);
	tcase_add_test(tc, dirty_pages_are_known);
	return test_run(tc);
}
