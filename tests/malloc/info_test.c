/* SPDX-License-Identifier: MIT */
/* The figures: they are what was allocated, and they add up. */
#include "malloc/info.h"

#include <stdlib.h>
#include <string.h>

#include "../testing.h"
#include "malloc/heap.h"

START_TEST(an_untouched_heap)
{
	struct heap_figures f;

	heap_figures(&f);
	ck_assert_uint_eq(f.slab_live_bytes, 0);
	ck_assert_uint_eq(f.slab_live_objects, 0);
	ck_assert_uint_eq(f.large_blocks, 0);
	ck_assert_uint_eq(f.huge_blocks, 0);
	ck_assert_uint_eq(f.free_dirty_bytes, 0);
}
END_TEST

START_TEST(live_bytes)
{
	static void *blocks[1000];
	struct heap_figures before, f;
	void *large, *huge;

	heap_free(heap_malloc(1000));
	heap_figures(&before);
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		blocks[i] = heap_malloc(1000);
	large = heap_malloc(KIB(100));
	huge = heap_malloc(MIB(50));
	heap_figures(&f);
	ck_assert_uint_eq(f.slab_live_objects - before.slab_live_objects, 1000);
	ck_assert_uint_eq(f.slab_live_bytes - before.slab_live_bytes, 1000 * 1024);
	ck_assert_uint_eq(f.large_blocks, 1);
	ck_assert_uint_eq(f.large_bytes, KIB(100));
	ck_assert_uint_eq(f.huge_blocks, 1);
	ck_assert_uint_eq(f.huge_bytes, MIB(50));
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		heap_free(blocks[i]);
	heap_free(large);
	heap_free(huge);
	heap_figures(&f);
	ck_assert_uint_eq(f.slab_live_objects, before.slab_live_objects);
	ck_assert_uint_eq(f.slab_live_bytes, before.slab_live_bytes);
	ck_assert_uint_eq(f.large_bytes + f.huge_bytes, 0);
	ck_assert_uint_gt(f.cached_bytes, 0);
}
END_TEST

/* Every committed page is in one of the figures, at any time: with THP off, resident or clean. */
START_TEST(figures_add_up)
{
	static void *blocks[5000];
	uint64_t seed = test_seed();

	for (int step = 0; step < 30000; step++) {
		unsigned int i = random_below(&seed, ARRAY_SIZE(blocks));

		if (blocks[i]) {
			heap_free(blocks[i]);
			blocks[i] = NULL;
		} else {
			blocks[i] = heap_malloc(
				random_below(&seed, random_below(&seed, 10) ? 2000 : 90000));
		}
		if (step % 1000 == 0) {
			struct zone_pages pages;
			struct heap_figures f;
			size_t sum;

			heap_figures(&f);
			zone_count(&node_data[0].zones[ZONE_NORMAL], &pages);
			sum = f.slab_live_bytes + f.cached_bytes + f.slab_free_bytes +
			      f.large_bytes + f.free_dirty_bytes + f.free_clean_bytes;
			ck_assert_uint_eq(sum, pages.managed * PAGE_SIZE);
		}
	}
	assert_heap_sound();
}
END_TEST

START_TEST(xml)
{
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);
	void *p = heap_malloc(100), *q = heap_malloc(100);

	heap_free(q);
	ck_assert_int_eq(heap_write_xml(file), 0);
	fclose(file);
	ck_assert_ptr_eq(strstr(text, "<malloc version=\"1\">\n"), text);
	ck_assert_ptr_nonnull(strstr(text, "</malloc>\n"));
	ck_assert_ptr_nonnull(strstr(text, "<size from=\"112\" to=\"112\""));
	ck_assert_ptr_nonnull(strstr(text, "<system type=\"current\" size=\""));
	free(text);
	heap_free(p);
}
END_TEST

/* Each free object is counted once: in a sheaf ("fast") or in its slab ("rest"), and by its size. */
START_TEST(xml_counts_add_up)
{
	char *text = NULL;
	size_t bytes, fast, fast_bytes, rest, rest_bytes, by_size = 0;
	FILE *file = open_memstream(&text, &bytes);
	struct heap_figures f;

	for (int i = 0; i < 100; i++)
		heap_free(heap_malloc((size_t)i * 50));
	heap_figures(&f);
	ck_assert_int_eq(heap_write_xml(file), 0);
	fclose(file);
	for (char *p = text; (p = strstr(p, " count=\"")) && p < strstr(text, "</sizes>"); p++)
		by_size += strtoul(p + strlen(" count=\""), NULL, 10);
	ck_assert_int_eq(sscanf(strstr(text, "<total type=\"fast\""),
				"<total type=\"fast\" count=\"%zu\" size=\"%zu\"/>\n"
				"<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>",
				&fast, &fast_bytes, &rest, &rest_bytes),
			 4);
	ck_assert_uint_gt(fast, 0);
	ck_assert_uint_gt(rest, 0);
	ck_assert_uint_eq(fast + rest, by_size);
	ck_assert_uint_eq(fast_bytes, f.cached_bytes);
	/* objects are of 16 bytes at least */
	ck_assert_uint_le(fast * 16, fast_bytes);
	free(text);
}
END_TEST

START_TEST(xml_to_a_broken_file)
{
	FILE *file = fopen("/dev/full", "w");

	setvbuf(file, NULL, _IONBF, 0);
	ck_assert_int_eq(heap_write_xml(file), -1);
	fclose(file);
}
END_TEST

START_TEST(stats)
{
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);
	void *p = heap_malloc(100), *large = heap_malloc(100000);

	heap_write_stats(file);
	fclose(file);
	ck_assert_ptr_eq(strstr(text, "slabuddy: 1 objects, 1 large and 0 huge blocks in use\n"),
			 text);
	free(text);
	heap_free(p);
	heap_free(large);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("malloc/info");

	tcase_add_test(tc, an_untouched_heap);
	tcase_add_test(tc, live_bytes);
	tcase_add_test(tc, figures_add_up);
	tcase_add_test(tc, xml);
	tcase_add_test(tc, xml_counts_add_up);
	tcase_add_test(tc, xml_to_a_broken_file);
	tcase_add_test(tc, stats);
	return test_run(tc);
}
