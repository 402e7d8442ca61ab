/* SPDX-License-Identifier: MIT */
/*
 * Addresses are scarce: os_reserve() refuses what is larger than a limit. Sections get shorter, and
 * the heap goes on.
 */
#include <string.h>

#include "../testing.h"
#include "buddy/run.h"
#include "malloc/heap.h"
#include "os/mem.h"
#include "page/section.h"

void *__real_os_reserve(void *hint, size_t bytes, size_t align);
void *__wrap_os_reserve(void *hint, size_t bytes, size_t align);

static size_t limit = SIZE_MAX;
static unsigned int refusals;

void *__wrap_os_reserve(void *hint, size_t bytes, size_t align)
{
	if (bytes <= limit)
		return __real_os_reserve(hint, bytes, align);
	refusals++;
	return NULL;
}

static struct zone *zone = &node_data[0].zones[ZONE_NORMAL];

START_TEST(ranges_get_shorter)
{
	for (limit = SECTION_BYTES; limit >= KIB(256); limit /= 2) {
		struct page_range range = section_reserve(zone, NULL, 0);

		ck_assert_ptr_nonnull(range.section);
		ck_assert_uint_eq(range.nr_pages, limit >> PAGE_SHIFT);
		ck_assert(IS_ALIGNED(range.pfn, range.nr_pages));
		ck_assert_uint_le(range.pfn + range.nr_pages, PAGES_PER_SECTION);
	}
	/* between two powers of two: the smaller one */
	limit = MIB(3);
	ck_assert_uint_eq(section_reserve(zone, NULL, 0).nr_pages, MIB(2) >> PAGE_SHIFT);
}
END_TEST

START_TEST(not_shorter_than_the_block)
{
	limit = MIB(4);
	ck_assert_uint_eq(section_reserve(zone, NULL, 10).nr_pages, 1024);
	limit = MIB(4) - 1;
	ck_assert_ptr_null(section_reserve(zone, NULL, 10).section);
	limit = KIB(256) - 1;
	ck_assert_ptr_null(section_reserve(zone, NULL, 0).section);
	ck_assert_uint_gt(refusals, 8);
}
END_TEST

START_TEST(refused_once_is_not_refused_for_ever)
{
	limit = 0;
	ck_assert_ptr_null(zone_alloc_run(zone, 1, 0, MIGRATE_MOVABLE, NULL));
	ck_assert_ptr_null(zone_alloc_run(zone, 1, 0, MIGRATE_UNMOVABLE, NULL));
	limit = SIZE_MAX;
	ck_assert_ptr_nonnull(zone_alloc_run(zone, 1, 0, MIGRATE_MOVABLE, NULL));
	assert_heap_sound();
}
END_TEST

#define NR_BLOCKS 2000

/* Short ranges of different contents lie side by side in one pageblock. */
START_TEST(heap_on_short_ranges)
{
	static void *blocks[NR_BLOCKS];
	static size_t sizes[NR_BLOCKS];
	uint64_t seed = test_seed();

	limit = KIB(256) << _i;
	for (int step = 0; step < 20000; step++) {
		unsigned int i = random_below(&seed, NR_BLOCKS);

		if (blocks[i]) {
			ck_assert(filled_with(blocks[i], MIN(sizes[i], 64), i));
			heap_free(blocks[i]);
			blocks[i] = NULL;
		} else {
			sizes[i] = 1 + random_below(&seed, random_below(&seed, 4) ? 4000 : 100000);
			blocks[i] = heap_malloc(sizes[i]);
			ck_assert_ptr_nonnull(blocks[i]);
			fill_bytes(blocks[i], MIN(sizes[i], 64), i);
		}
		if (step % 2000 == 0)
			assert_heap_sound();
	}
	for (int i = 0; i < NR_BLOCKS; i++)
		heap_free(blocks[i]);
	assert_heap_sound();
	heap_trim();
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("page/short_section");

	tcase_add_test(tc, ranges_get_shorter);
	tcase_add_test(tc, not_shorter_than_the_block);
	tcase_add_test(tc, refused_once_is_not_refused_for_ever);
	tcase_add_loop_test(tc, heap_on_short_ranges, 0, 5);
	return test_run(tc);
}
