/* SPDX-License-Identifier: MIT */
/* Runs out of neighbouring free blocks that are no buddies. */
#include "buddy/join.h"

#include <errno.h>
#include <string.h>

#include "arena.h"
#include "buddy/free_area.h"
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

/* 150 of 256 pages in use leave 2 + 8 + 32 + 64: together they are enough for 100, though no block
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
	ck_assert_ptr_eq(joined, first + 150);
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

/* An aligned run is a block as ever; a power of two need not be. */
START_TEST(aligned_runs_are_not_joined)
{
	arena_without_more(256);
	take_pages(150);
	ck_assert_ptr_null(zone_alloc_run(zone, 100, 1, MIGRATE_MOVABLE, NULL));
	ck_assert_ptr_null(zone_alloc_run(zone, 64, 7, MIGRATE_MOVABLE, NULL));
	ck_assert_ptr_eq(zone_alloc_run(zone, 64, 0, MIGRATE_MOVABLE, NULL), first + 150);
	assert_heap_sound();
}
END_TEST

/* Spans of these lengths, each behind a page in use. */
static void spans(const unsigned int *lengths, unsigned int nr, struct page **at)
{
	unsigned int total = 1;
	struct page *page;

	for (unsigned int i = 0; i < nr; i++)
		total += 1 + lengths[i];
	arena_without_more(512);
	page = take_pages(512);
	ck_assert_uint_le(total, 512);
	zone_shorten_run(page, total);
	for (unsigned int i = 0; i < nr; i++) {
		/* the run itself is cut into pages in use and free ones */
		at[i] = page + 1;
		page->nr_pages = 1;
		page_set_type(page, PAGE_USED);
		at[i]->nr_pages = lengths[i];
		page_set_type(at[i], PAGE_USED);
		page += 1 + lengths[i];
	}
	page->nr_pages = 1;
	page_set_type(page, PAGE_USED);
	for (unsigned int i = 0; i < nr; i++)
		give_pages(at[i], lengths[i]);
}

/* Of two equal spans the one at the lower address, wherever it stands on the list. */
START_TEST(lowest_first)
{
	struct page *at[2];

	spans((const unsigned int[]){ 105, 105 }, 2, at);
	ck_assert_ptr_eq(take_pages(100), at[0]);
	ck_assert_ptr_eq(take_pages(100), at[1]);
	assert_heap_sound();
}
END_TEST

/* Of several the shortest that is long enough. */
START_TEST(best_fit_first)
{
	struct page *at[4];

	spans((const unsigned int[]){ 140, 60, 110, 70 }, 4, at);
	ck_assert_ptr_eq(take_pages(64), at[3]);
	ck_assert_ptr_eq(take_pages(100), at[2]);
	ck_assert_ptr_eq(take_pages(58), at[1]);
	ck_assert_ptr_eq(take_pages(130), at[0]);
	assert_heap_sound();
}
END_TEST

/* Rather one that is too long than one that costs page faults. */
START_TEST(dirty_before_a_better_fit)
{
	unsigned int nr_dirty = 0;
	struct page *at[2];

	spans((const unsigned int[]){ 100, 140 }, 2, at);
	zone_purge(zone, 0);
	at[1] = take_pages(140);
	give_pages(at[1], 140);
	ck_assert_ptr_eq(zone_alloc_run(zone, 90, 0, MIGRATE_MOVABLE, &nr_dirty), at[1]);
	ck_assert_uint_eq(nr_dirty, 90);
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
	ck_assert_ptr_eq(behind, front + 150);
	ck_assert_uint_eq(nr_dirty, 40);
	zone_copy_dirty(behind, 100, map);
	ck_assert_uint_eq(bitmap_count_range(map, 0, 100), 40);
	assert_heap_sound();
}
END_TEST

/* A run need not start where its span does: here all that has memory is at the end. */
START_TEST(end_with_memory)
{
	unsigned int nr_dirty = 0;
	struct nr_free before;
	struct page *run;

	arena_without_more(256);
	zone_purge(zone, 0);
	run = take_pages(256);
	zone_shorten_run(run, 150);
	zone_return_tail(run, 1);
	before = nr_free_now();
	run = zone_alloc_run(zone, 100, 0, MIGRATE_MOVABLE, &nr_dirty);
	ck_assert_ptr_eq(run, first + 156);
	ck_assert_uint_eq(nr_dirty, 100);
	assert_heap_sound();
	give_pages(run, 100);
	assert_nr_free(before.of);
}
END_TEST

/* Of 64 dirty pages between clean ones none is left over; what is cut off before them stays clean. */
START_TEST(around_what_has_memory)
{
	unsigned int nr_dirty = 0;
	struct nr_free before;
	struct page *run;

	arena_without_more(256);
	zone_purge(zone, 0);
	run = take_pages(144);
	take_pages(112);
	zone_return_tail(run, 128);
	zone_shorten_run(run, 64);
	zone_return_tail(run, 1);
	ck_assert_uint_eq(zone->nr_dirty, 64);
	before = nr_free_now();
	run = zone_alloc_run(zone, 90, 0, MIGRATE_MOVABLE, &nr_dirty);
	ck_assert_ptr_eq(run, first + 128 - 90);
	ck_assert_uint_eq(nr_dirty, 64);
	ck_assert_uint_eq(zone->nr_dirty, 0);
	assert_heap_sound();
	give_pages(run, 90);
	assert_nr_free(before.of);
}
END_TEST

/* A free pageblock of another type changes it, also when the run is its end and the rest stays free. */
START_TEST(end_of_another_type)
{
	struct page *movable, *other, *run;
	unsigned int nr_dirty = 0;

	arena_without_more(2 * PAGEBLOCK_PAGES);
	zone_purge(zone, 0);
	movable = take_pages(PAGEBLOCK_PAGES);
	other = zone_alloc_run(zone, PAGEBLOCK_PAGES, PAGEBLOCK_ORDER, MIGRATE_UNMOVABLE, NULL);
	ck_assert_ptr_eq(other, first + PAGEBLOCK_PAGES);
	ck_assert_uint_eq(pageblock_type(other), MIGRATE_UNMOVABLE);
	give_pages(other, PAGEBLOCK_PAGES);
	zone_return_tail(movable, PAGEBLOCK_PAGES / 2);
	run = zone_alloc_run(zone, 300, 0, MIGRATE_MOVABLE, &nr_dirty);
	ck_assert_ptr_eq(run, other + PAGEBLOCK_PAGES - 300);
	ck_assert_uint_eq(nr_dirty, 300);
	ck_assert_uint_eq(pageblock_type(other), MIGRATE_MOVABLE);
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
	tcase_add_test(tc, best_fit_first);
	tcase_add_test(tc, dirty_before_a_better_fit);
	tcase_add_test(tc, dirty_pages_are_known);
	tcase_add_test(tc, end_with_memory);
	tcase_add_test(tc, around_what_has_memory);
	tcase_add_test(tc, end_of_another_type);
	return test_run(tc);
}
