/* SPDX-License-Identifier: MIT */
/* Snapshots as text, byte by byte, without any heap: also what a heap of today cannot have. */
#include "base/procfs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../testing.h"

/* A writer that keeps what it is given, in so many calls, and fails in call number @fail_at. */
static struct text text;
static char written[1 << 16];
static size_t written_bytes;
static unsigned int calls, fail_at;

static int keep(struct text *to, const char *piece, size_t bytes)
{
	ck_assert_ptr_eq(to, &text);
	if (++calls == fail_at)
		return ENOSPC;
	ck_assert_uint_lt(written_bytes + bytes, sizeof(written));
	memcpy(written + written_bytes, piece, bytes);
	written_bytes += bytes;
	return 0;
}

static void setup(void)
{
	text_init(&text, keep);
}

static void assert_written(const char *wanted)
{
	ck_assert_int_eq(text_finish(&text), 0);
	ck_assert_str_eq(written, wanted);
}

START_TEST(text_in_pieces)
{
	static char wanted[sizeof(written)];

	for (unsigned int i = 0; strlen(wanted) < sizeof(wanted) - 100; i++) {
		snprintf(wanted + strlen(wanted), 100, "%u,", i * i);
		text_printf(&text, "%u,", i * i);
	}
	assert_written(wanted);
	/* one call of the writer for many pieces */
	ck_assert_uint_le(calls, sizeof(wanted) / (TEXT_BUFFER_BYTES - TEXT_PIECE_BYTES) + 1);
	/* and none for nothing */
	calls = 0;
	ck_assert_int_eq(text_finish(&text), 0);
	ck_assert_uint_eq(calls, 0);
}
END_TEST

START_TEST(a_long_piece_is_cut)
{
	char piece[2 * TEXT_PIECE_BYTES];

	memset(piece, 'x', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	text_printf(&text, "%s", piece);
	text_printf(&text, "end");
	ck_assert_int_eq(text_finish(&text), 0);
	ck_assert_uint_eq(written_bytes, TEXT_PIECE_BYTES - 1 + 3);
	ck_assert_str_eq(written + TEXT_PIECE_BYTES - 1, "end");
}
END_TEST

/* After the first failure nothing is written any more, and the failure is what is told. */
START_TEST(a_writer_that_fails)
{
	fail_at = 2;
	for (int i = 0; i < 10000; i++)
		text_printf(&text, "line %d\n", i);
	ck_assert_int_eq(text_finish(&text), ENOSPC);
	ck_assert_uint_eq(calls, 2);
	ck_assert_int_eq(text_finish(&text), ENOSPC);
}
END_TEST

START_TEST(slabinfo)
{
	static const struct cache_snapshot caches[] = {
		{ "dentry", 1, 42, 2, 2, 192, 21, 1 },
		{ "a_name_as_long_as_any_may_be___", 1234567, 12345678, 1000001, 1000002, 1048576,
		  65535, 16384 },
	};

	procfs_slabinfo_head(&text);
	procfs_slabinfo_row(&text, &caches[0]);
	procfs_slabinfo_row(&text, &caches[1]);
	assert_written(
		"slabinfo - version: 2.1\n"
		"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : "
		"tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> "
		"<sharedavail>\n"
		"dentry                 1     42    192   21    1 : "
		"tunables    0    0    0 : slabdata      2      2      0\n"
		"a_name_as_long_as_any_may_be___ 1234567 12345678 1048576 65535 16384 : "
		"tunables    0    0    0 : slabdata 1000001 1000002      0\n");
}
END_TEST

/* Two nodes, of which the first has a zone without pages before the one with. */
static void make_heap(struct heap_snapshot *heap)
{
	memset(heap, 0, sizeof(*heap));
	heap->nr_orders = 3;
	heap->nr_types = 2;
	heap->pageblock_order = 9;
	strcpy(heap->type_name[0], "Unmovable");
	strcpy(heap->type_name[1], "Movable");
	heap->nr_zones = 3;
	strcpy(heap->zone[0].name, "DMA32");
	heap->zone[0].high = 3;
	heap->zone[1] = (struct zone_snapshot){
		.name = "Normal", .free = 1000005, .free_dirty = 7, .purging = 8, .low = 9, .high = 10,
		.spanned = 16384, .present = 16000, .managed = 512, .start_pfn = 34209021952,
		.miss = 11, .foreign = 12, .nr_free = { 1000001, 0, 1 },
		.free_type = { { { 100000, true }, { 0, false }, { 1, false } } },
		.pageblocks = { 1, 1234567890123 },
	};
	strcpy(heap->zone[2].name, "Normal");
	heap->zone[2].nid = 1;
	heap->zone[2].present = 1;
	heap->node[0].slab_reclaimable = 3;
	heap->node[0].slab_unreclaimable = 4;
}

START_TEST(buddyinfo)
{
	static struct heap_snapshot heap;

	make_heap(&heap);
	procfs_buddyinfo(&text, &heap);
	assert_written("Node 0, zone   Normal 1000001      0      1 \n"
		       "Node 1, zone   Normal      0      0      0 \n");
}
END_TEST

START_TEST(pagetypeinfo)
{
	static struct heap_snapshot heap;

	make_heap(&heap);
	procfs_pagetypeinfo(&text, &heap);
	assert_written("Page block order: 9\n"
		       "Pages per block:  512\n"
		       "\n"
		       "Free pages count per migrate type at order       0      1      2 \n"
		       "Node    0, zone   Normal, type    Unmovable >100000      0      1 \n"
		       "Node    0, zone   Normal, type      Movable      0      0      0 \n"
		       "Node    1, zone   Normal, type    Unmovable      0      0      0 \n"
		       "Node    1, zone   Normal, type      Movable      0      0      0 \n"
		       "\n"
		       "Number of blocks type     Unmovable      Movable \n"
		       "Node 0, zone   Normal            1 1234567890123 \n"
		       "Node 1, zone   Normal            0            0 \n");
}
END_TEST

/* By hand: what the formulas in procfs.c make of these counts. */
START_TEST(fragmentation)
{
	static const struct {
		unsigned long nr_free[4];
		const char *extfrag, *unusable;
	} zones[] = {
		/* nothing is free */
		{ { 0, 0, 0, 0 }, " 0.000  0.000  0.000  0.000 ", "1.000 1.000 1.000 1.000 " },
		/* one page: 1 - (1 + 1/2), 1 - (1 + 1/4), 1 - (1 + 1/8) */
		{ { 1, 0, 0, 0 }, "-1.000 -0.500 -0.250 -0.125 ", "0.000 1.000 1.000 1.000 " },
		/* eight single pages: 1 - (1 + 8/2)/8, 1 - (1 + 8/4)/8, 1 - (1 + 8/8)/8 */
		{ { 8, 0, 0, 0 }, "-1.000  0.375  0.625  0.750 ", "0.000 1.000 1.000 1.000 " },
		/* a thousand: towards 1, the larger the block */
		{ { 1000, 0, 0, 0 }, "-1.000  0.499  0.749  0.874 ", "0.000 1.000 1.000 1.000 " },
		/* 3 + 2 + 4 of 9 pages: 3/9 and 5/9 are too small */
		{ { 3, 1, 1, 0 }, "-1.000 -1.000 -1.000  0.575 ", "0.000 0.333 0.555 1.000 " },
		/* one large block will do for all, and is not all there is */
		{ { 2, 0, 0, 1 }, "-1.000 -1.000 -1.000 -1.000 ", "0.000 0.200 0.200 0.200 " },
		/* all of it in the largest blocks */
		{ { 0, 0, 0, 5 }, "-1.000 -1.000 -1.000 -1.000 ", "0.000 0.000 0.000 0.000 " },
		/* 4 TiB of pages, none together: the products fit */
		{ { 1UL << 30, 0, 0, 0 },
		  "-1.000  0.500  0.750  0.875 ",
		  "0.000 1.000 1.000 1.000 " },
	};
	static struct heap_snapshot heap;
	static char extfrag[4096], unusable[4096];

	heap.nr_orders = 4;
	heap.nr_zones = ARRAY_SIZE(zones) + 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(zones); i++) {
		struct zone_snapshot *zone = &heap.zone[i];
		char head[64];

		strcpy(zone->name, i ? "Normal" : "DMA");
		zone->nid = i;
		zone->present = 1;
		memcpy(zone->nr_free, zones[i].nr_free, sizeof(zones[i].nr_free));
		snprintf(head, sizeof(head), "Node %u, zone %8s ", i, zone->name);
		strcat(strcat(strcat(extfrag, head), zones[i].extfrag), "\n");
		strcat(strcat(strcat(unusable, head), zones[i].unusable), "\n");
	}
	/* and the last one, without pages, has no line */
	procfs_extfrag_index(&text, &heap);
	assert_written(extfrag);
	memset(written, 0, sizeof(written));
	written_bytes = 0;
	procfs_unusable_index(&text, &heap);
	assert_written(unusable);
}
END_TEST

START_TEST(zoneinfo)
{
	static const struct pageset_snapshot pageset = { .slot = 5, .count = 6, .high = 7, .batch = 8 };
	static struct heap_snapshot heap;

	make_heap(&heap);
	for (unsigned int i = 0; i < heap.nr_zones; i++) {
		procfs_zoneinfo_head(&text, &heap, &heap.zone[i]);
		if (i == 1)
			procfs_zoneinfo_pageset(&text, &pageset);
		procfs_zoneinfo_tail(&text, &heap.zone[i]);
	}
	assert_written("Node 0, zone    DMA32\n"
		       "  pages free     0\n"
		       "        boost    0\n"
		       "        min      0\n"
		       "        low      0\n"
		       "        high     3\n"
		       "        spanned  0\n"
		       "        present  0\n"
		       "        managed  0\n"
		       "Node 0, zone   Normal\n"
		       "  per-node stats\n"
		       "      nr_slab_reclaimable 3\n"
		       "      nr_slab_unreclaimable 4\n"
		       "  pages free     1000005\n"
		       "        boost    0\n"
		       "        min      0\n"
		       "        low      9\n"
		       "        high     10\n"
		       "        spanned  16384\n"
		       "        present  16000\n"
		       "        managed  512\n"
		       "      nr_free_pages 1000005\n"
		       "      nr_free_dirty 7\n"
		       "      nr_purging   8\n"
		       "      zone_miss    11\n"
		       "      zone_foreign 12\n"
		       "  pagesets\n"
		       "    cpu: 5\n"
		       "              count:    6\n"
		       "              high:     7\n"
		       "              batch:    8\n"
		       "  start_pfn:           34209021952\n"
		       "Node 1, zone   Normal\n"
		       "  per-node stats\n"
		       "      nr_slab_reclaimable 0\n"
		       "      nr_slab_unreclaimable 0\n"
		       "  pages free     0\n"
		       "        boost    0\n"
		       "        min      0\n"
		       "        low      0\n"
		       "        high     0\n"
		       "        spanned  0\n"
		       "        present  1\n"
		       "        managed  0\n"
		       "      nr_free_pages 0\n"
		       "      nr_free_dirty 0\n"
		       "      nr_purging   0\n"
		       "      zone_miss    0\n"
		       "      zone_foreign 0\n"
		       "  pagesets\n"
		       "  start_pfn:           0\n");
}
END_TEST

/* Each figure under its own name: give each one another value, in the order of the structure. */
START_TEST(vmstat)
{
	static struct heap_snapshot heap;
	unsigned long *figures = (unsigned long *)&heap.vm;
	size_t nr = sizeof(heap.vm) / sizeof(*figures);

	for (size_t i = 0; i < nr; i++)
		figures[i] = 1000 + i;
	procfs_vmstat(&text, &heap);
	ck_assert_int_eq(text_finish(&text), 0);
	ck_assert_uint_eq(count_char(written, '\n'), nr);
	ck_assert_int_eq(strncmp(written, "nr_free_pages 1000\nnr_free_pages_blocks 1001\n", 45), 0);
	for (size_t i = 0; i < nr; i++) {
		char value[32];

		snprintf(value, sizeof(value), " %zu\n", 1000 + i);
		ck_assert_ptr_nonnull(strstr(written, value));
	}
	heap.vm.pgfree = 123456789012345;
	heap.vm.sheaf_flush = 0;
	procfs_vmstat(&text, &heap);
	ck_assert_int_eq(text_finish(&text), 0);
	ck_assert_ptr_nonnull(strstr(written, "\npgfree 123456789012345\n"));
	ck_assert_ptr_nonnull(strstr(written, "\nsheaf_flush 0\n"));
}
END_TEST

START_TEST(aliases)
{
	static const struct alias_snapshot alias = { "inode", "dentry" };

	procfs_alias(&text, &alias);
	assert_written("inode dentry\n");
}
END_TEST

int main(void)
{
	TCase *tc = test_case("procfs");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, text_in_pieces);
	tcase_add_test(tc, a_long_piece_is_cut);
	tcase_add_test(tc, a_writer_that_fails);
	tcase_add_test(tc, slabinfo);
	tcase_add_test(tc, buddyinfo);
	tcase_add_test(tc, pagetypeinfo);
	tcase_add_test(tc, fragmentation);
	tcase_add_test(tc, zoneinfo);
	tcase_add_test(tc, vmstat);
	tcase_add_test(tc, aliases);
	return test_run(tc);
}
