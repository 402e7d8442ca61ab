/* SPDX-License-Identifier: MIT */
/*
 * Grouping by mobility: while the OS grants memory, a pageblock holds pages of one migrate type
 * only; when it refuses, pageblocks are claimed, and last, pages are stolen.
 */
#include <errno.h>
#include <string.h>

#include "arena.h"
#include "base/option.h"
#include "buddy/free_area.h"
#include "os/mem.h"

void *__real_os_reserve(void *hint, size_t bytes, size_t align);
void *__wrap_os_reserve(void *hint, size_t bytes, size_t align);
int __real_os_commit(void *addr, size_t bytes);
int __wrap_os_commit(void *addr, size_t bytes);

static bool refuse;
static size_t largest_commit = SIZE_MAX;

void *__wrap_os_reserve(void *hint, size_t bytes, size_t align)
{
	return refuse ? NULL : __real_os_reserve(hint, bytes, align);
}

int __wrap_os_commit(void *addr, size_t bytes)
{
	return refuse || bytes > largest_commit ? -ENOMEM : __real_os_commit(addr, bytes);
}

#define NR_RUNS 400

static struct run {
	struct page *page;
	enum migratetype mt;
} runs[NR_RUNS];

/* No pageblock holds runs of two types. */
static void assert_pure(void)
{
	static struct {
		uintptr_t block;
		unsigned int types;
	} seen[1 << 14];

	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < NR_RUNS; i++) {
		uintptr_t addr, end;

		if (!runs[i].page)
			continue;
		addr = (uintptr_t)page_start(runs[i].page);
		end = addr + runs[i].page->nr_pages * PAGE_SIZE;
		for (uintptr_t block = addr / MIB(2); block <= (end - 1) / MIB(2); block++) {
			size_t slot = block % ARRAY_SIZE(seen);

			while (seen[slot].block && seen[slot].block != block)
				slot = (slot + 1) % ARRAY_SIZE(seen);
			seen[slot].block = block;
			seen[slot].types |= 1U << runs[i].mt;
			ck_assert_msg(is_power_of_2(seen[slot].types),
				      "pageblock %#lx holds types %#x", (unsigned long)block,
				      seen[slot].types);
		}
	}
}

/* Mostly as slabs and large blocks are, now and then over several pageblocks. */
static unsigned int random_length(uint64_t *seed, enum migratetype mt)
{
	if (mt != MIGRATE_MOVABLE)
		return 1U << random_below(seed, 4);
	return 1 + random_below(seed, random_below(seed, 20) ? 60 : MIN(1500, 1U << MAX_PAGE_ORDER));
}

static void random_step(uint64_t *seed)
{
	struct run *run = &runs[random_below(seed, NR_RUNS)];
	unsigned int nr;

	if (!run->page) {
		run->mt = (enum migratetype)random_below(seed, MIGRATE_TYPES);
		nr = random_length(seed, run->mt);
		run->page = zone_alloc_run(zone, nr, 0, run->mt, NULL);
		ck_assert(run->page || refuse);
		return;
	}
	nr = run->page->nr_pages;
	switch (run->mt == MIGRATE_MOVABLE ? random_below(seed, 3) : 2) {
	case 0:
		zone_extend_run(run->page, nr + 1 + random_below(seed, 100));
		break;
	case 1:
		if (nr > 1)
			zone_shorten_run(run->page, 1 + random_below(seed, nr - 1));
		break;
	default:
		give_pages(run->page, nr);
		run->page = NULL;
	}
}

static void free_all(void)
{
	for (int i = 0; i < NR_RUNS; i++) {
		if (runs[i].page)
			give_pages(runs[i].page, runs[i].page->nr_pages);
		runs[i].page = NULL;
	}
}

START_TEST(pure_while_the_os_grants)
{
	uint64_t seed = test_seed();

	/* never so much free memory that another type's is claimed to save fresh pages */
	options.dirty_min_kib = 1024;
	options.dirty_percent = 0;
	for (int step = 0; step < 30000; step++) {
		random_step(&seed);
		if (step % 10 == 0)
			assert_pure();
		if (step % 500 == 0)
			assert_heap_sound();
		if (step % 3000 == 2999)
			free_all();
	}
	ck_assert_uint_eq(zone->events.steal, 0);
	/* the types did change: pageblocks that became free went from one to another */
	ck_assert_uint_gt(zone->events.claim, 0);
}
END_TEST

/* Dirty pages of another type's half free pageblock are used before clean ones are touched. */
START_TEST(dirty_pageblocks_are_claimed)
{
	struct page *blocks[8], *page;
	unsigned long claims, grows;
	unsigned int nr_dirty = 0;

	for (int i = 0; i < 8; i++) {
		blocks[i] = take_pages(PAGEBLOCK_PAGES);
		ck_assert_ptr_nonnull(blocks[i]);
	}
	/* three quarters of each come back: 12 MiB of 16 */
	for (int i = 0; i < 8; i++)
		zone_shorten_run(blocks[i], PAGEBLOCK_PAGES / 4);
	claims = zone->events.claim;
	grows = zone->events.grow;
	page = zone_alloc_run(zone, 8, 3, MIGRATE_UNMOVABLE, &nr_dirty);
	ck_assert_ptr_nonnull(page);
	ck_assert_uint_eq(nr_dirty, 8);
	ck_assert_int_eq(pageblock_type(page), MIGRATE_UNMOVABLE);
	ck_assert_uint_eq(zone->events.claim, claims + 1);
	ck_assert_uint_eq(zone->events.grow, grows);
	assert_heap_sound();
}
END_TEST

/* A block of several pageblocks that were of different types before is of one type afterwards. */
START_TEST(merged_pageblocks_change_together)
{
	struct page *whole = take_block(PAGEBLOCK_ORDER + 1);
	struct page *half, *run;

	ck_assert_ptr_nonnull(whole);
	refuse = true;
	/* the upper half to another type and back again, the lower one in use */
	zone_shorten_run(whole, PAGEBLOCK_PAGES);
	half = zone_alloc_run(zone, 1, 0, MIGRATE_UNMOVABLE, NULL);
	ck_assert_ptr_eq(half, whole + PAGEBLOCK_PAGES);
	give_pages(half, 1);
	give_pages(whole, PAGEBLOCK_PAGES);
	ck_assert_uint_eq(zone->free_area[PAGEBLOCK_ORDER + 1].nr_free, 1);
	/* this one ends in the upper half: what is left there is for the same type */
	run = take_pages(PAGEBLOCK_PAGES + 1);
	ck_assert_ptr_eq(run, whole);
	ck_assert_int_eq(page_section(whole)->pageblock_type[1 + (page_pfn(whole) >> 9)],
			 MIGRATE_MOVABLE);
	assert_heap_sound();
}
END_TEST

/* A run does not grow into a pageblock of another type. */
START_TEST(extension_keeps_to_the_pageblock)
{
	struct page *movable = take_pages(PAGEBLOCK_PAGES);
	struct page *unmovable = zone_alloc_run(zone, 1, 0, MIGRATE_UNMOVABLE, NULL);

	ck_assert_ptr_eq(unmovable, movable + PAGEBLOCK_PAGES);
	give_pages(unmovable, 1);
	unmovable = zone_alloc_run(zone, 8, 0, MIGRATE_UNMOVABLE, NULL);
	zone_shorten_run(movable, PAGEBLOCK_PAGES - 1);
	ck_assert(zone_extend_run(movable, PAGEBLOCK_PAGES));
	/* the other block moves away, its pageblock's front is free, its end is in use */
	ck_assert_ptr_nonnull(zone_alloc_run(zone, 8, 0, MIGRATE_UNMOVABLE, NULL));
	give_pages(unmovable, 8);
	ck_assert(!zone_extend_run(movable, PAGEBLOCK_PAGES + 4));
	assert_heap_sound();
}
END_TEST

START_TEST(claim_when_refused)
{
	struct page *movable = take_pages(PAGEBLOCK_PAGES / 2 - 1);
	struct page *page;

	/* more than half of the only pageblock is free: it changes its type */
	refuse = true;
	page = zone_alloc_run(zone, 1, 0, MIGRATE_UNMOVABLE, NULL);
	ck_assert_ptr_nonnull(page);
	ck_assert_uint_eq(zone->events.claim, 1);
	ck_assert_uint_eq(zone->events.steal, 0);
	assert_heap_sound();
	/* all that was free there is for the new type */
	for (unsigned int i = 0; i < PAGEBLOCK_PAGES / 2; i++)
		ck_assert_ptr_nonnull(zone_alloc_run(zone, 1, 0, MIGRATE_UNMOVABLE, NULL));
	ck_assert_uint_eq(zone->events.claim, 1);
	ck_assert_ptr_null(zone_alloc_run(zone, 1, 0, MIGRATE_UNMOVABLE, NULL));
	give_pages(movable, PAGEBLOCK_PAGES / 2 - 1);
	assert_heap_sound();
}
END_TEST

START_TEST(steal_when_refused)
{
	struct page *page;

	ck_assert_ptr_nonnull(take_pages(PAGEBLOCK_PAGES / 2 + 1));
	refuse = true;
	page = zone_alloc_run(zone, 1, 0, MIGRATE_UNMOVABLE, NULL);
	ck_assert_ptr_nonnull(page);
	ck_assert_uint_eq(zone->events.claim, 0);
	ck_assert_uint_eq(zone->events.steal, 1);
	/* the smallest block that fits, so that large ones stay */
	ck_assert_uint_eq(zone->free_area[0].nr_free, 0);
	ck_assert_uint_eq(zone->free_area[7].nr_free, 1);
	give_pages(page, 1);
	assert_heap_sound();
}
END_TEST

/* Every page is of use to every type before an allocation fails. */
START_TEST(nothing_is_left_when_it_fails)
{
	uint64_t seed = test_seed();

	arena_one_pageblock();
	ck_assert_ptr_nonnull(take_pages(100));
	refuse = true;
	for (unsigned int i = 0; i < PAGEBLOCK_PAGES - 100; i++) {
		enum migratetype mt = (enum migratetype)random_below(&seed, MIGRATE_TYPES);

		ck_assert_ptr_nonnull(zone_alloc_run(zone, 1, 0, mt, NULL));
	}
	ck_assert_uint_eq(zone->nr_free_pages, 0);
	for (int mt = 0; mt < MIGRATE_TYPES; mt++)
		ck_assert_ptr_null(zone_alloc_run(zone, 1, 0, (enum migratetype)mt, NULL));
	assert_heap_sound();
}
END_TEST

START_TEST(random_with_refusals)
{
	uint64_t seed = test_seed();

	for (int step = 0; step < 30000; step++) {
		refuse = random_below(&seed, 4) != 0;
		random_step(&seed);
		if (step % 500 == 0)
			assert_heap_sound();
	}
	ck_assert_uint_gt(zone->events.claim, 0);
	free_all();
	assert_heap_sound();
	ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages);
}
END_TEST

/* Near a limit the OS gives a little where it does not give a pageblock. */
START_TEST(random_with_small_commits)
{
	uint64_t seed = test_seed();

	largest_commit = KIB(64) << _i;
	for (int step = 0; step < 10000; step++) {
		struct run *run = &runs[random_below(&seed, NR_RUNS)];

		if (run->page) {
			give_pages(run->page, run->page->nr_pages);
			run->page = NULL;
		} else {
			run->mt = (enum migratetype)random_below(&seed, MIGRATE_TYPES);
			run->page =
				zone_alloc_run(zone, 1 + random_below(&seed, 16), 0, run->mt, NULL);
			ck_assert_ptr_nonnull(run->page);
		}
		if (step % 500 == 0)
			assert_heap_sound();
	}
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/migrate");

	tcase_add_test(tc, pure_while_the_os_grants);
	tcase_add_test(tc, dirty_pageblocks_are_claimed);
	tcase_add_test(tc, merged_pageblocks_change_together);
	tcase_add_test(tc, extension_keeps_to_the_pageblock);
	tcase_add_test(tc, claim_when_refused);
	tcase_add_test(tc, steal_when_refused);
	tcase_add_test(tc, nothing_is_left_when_it_fails);
	tcase_add_test(tc, random_with_refusals);
	tcase_add_loop_test(tc, random_with_small_commits, 0, 3);
	return test_run(tc);
}
