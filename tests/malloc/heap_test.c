/* SPDX-License-Identifier: MIT */
/* malloc's contract, without malloc's names. */
#include "malloc/heap.h"

#include <errno.h>
#include <string.h>

#include "../own_slot.h"
#include "../testing.h"
#include "malloc/huge.h"
#include "malloc/large.h"

/* Sizes around everything that changes: granules, classes, pages, slabs, sections. */
static const size_t sizes[] = {
	0,	  1,	    15,	       16,    17,     127,     128,	      129,	160,
	161,	  1000,	    4095,      4096,  4097,   26175,   26176,	      26177,	32767,
	32768,	  32769,    36864,     36865, 100000, 1 << 20, (1 << 20) + 1, 33554431, 33554432,
	33554433, 67108864, 100000000,
};

static void setup(void)
{
	errno = 0;
}

/* As foretold; only a run of pages that a slot had kept may be up to an eighth longer. */
static void assert_good_size(size_t usable, size_t align, size_t size)
{
	size_t good = heap_good_size(align, size);

	ck_assert_uint_ge(usable, size);
	ck_assert_uint_ge(usable, good);
	if (good <= MAX_SLAB_BYTES || good > MAX_RUN_PAGES * PAGE_SIZE)
		ck_assert_uint_eq(usable, good);
	else
		ck_assert_uint_le(usable, good + good / 8);
}

static void sound(void)
{
	assert_heap_sound();
}

START_TEST(every_small_size)
{
	for (size_t size = 0; size <= 70000; size += size < 2000 ? 1 : 97) {
		char *p = heap_malloc(size);
		size_t usable = heap_usable_size(p);

		ck_assert_ptr_nonnull(p);
		ck_assert(IS_ALIGNED((uintptr_t)p, 16));
		assert_good_size(usable, 1, size);
		fill_bytes(p, usable, size);
		ck_assert(filled_with(p, usable, size));
		ck_assert_uint_eq(heap_usable_size(p), usable);
		heap_free(p);
	}
}
END_TEST

START_TEST(every_kind_of_size)
{
	size_t size = sizes[_i];
	char *p = heap_malloc(size), *q = heap_malloc(size);
	size_t usable = heap_usable_size(p);

	ck_assert(p && q && p != q);
	assert_good_size(usable, 1, size);
	/* all that may be used is p's own */
	ck_assert(p + usable <= q || q + heap_usable_size(q) <= p);
	memset(p, 1, usable);
	memset(q, 2, heap_usable_size(q));
	ck_assert_int_eq(p[0], 1);
	ck_assert_int_eq(p[usable - 1], 1);
	heap_free(p);
	heap_free(q);
	ck_assert_int_eq(errno, 0);
}
END_TEST

START_TEST(free_keeps_errno)
{
	char *p = heap_malloc(sizes[_i]);

	errno = ERANGE;
	heap_free(p);
	ck_assert_int_eq(errno, ERANGE);
	heap_free(NULL);
	ck_assert_int_eq(errno, ERANGE);
}
END_TEST

static void assert_refused(void *p)
{
	ck_assert_ptr_null(p);
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
}

START_TEST(impossible_sizes)
{
	static const size_t most = PTRDIFF_MAX;
	size_t bad[] = { most,
			 most + 1,
			 most - 4096,
			 SIZE_MAX / 2 + 4096,
			 SIZE_MAX - 4096,
			 SIZE_MAX - 15,
			 SIZE_MAX - 8,
			 SIZE_MAX - 1,
			 SIZE_MAX };
	char *p = heap_malloc(100);

	fill_bytes(p, 100, 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_refused(heap_malloc(bad[i]));
		assert_refused(heap_calloc(1, bad[i]));
		assert_refused(heap_calloc(bad[i], 1));
		assert_refused(heap_realloc(NULL, bad[i]));
		assert_refused(heap_realloc(p, bad[i]));
		for (size_t align = 1; align; align *= 2)
			assert_refused(heap_aligned(align, bad[i]));
		if (bad[i] > most)
			ck_assert_uint_eq(heap_good_size(16, bad[i]), 0);
	}
	/* products that overflow, also to something small */
	assert_refused(heap_calloc(SIZE_MAX / 2 + 1, 2));
	assert_refused(heap_calloc((size_t)1 << 32, (size_t)1 << 32));
	assert_refused(heap_calloc(SIZE_MAX / 16 + 2, 16));
	ck_assert(filled_with(p, 100, 1));
	heap_free(p);
}
END_TEST

START_TEST(impossible_alignments)
{
	for (size_t align = (size_t)1 << 47; align; align *= 2) {
		assert_refused(heap_aligned(align, 1));
		assert_refused(heap_aligned(align, 0));
		assert_refused(heap_aligned(align, MIB(100)));
	}
}
END_TEST

START_TEST(alignments)
{
	static const size_t asked[] = { 0, 1, 100, 4096, 5000, 40000, 3000000, 40000000 };

	for (size_t align = 1; align <= MIB(256); align *= 2) {
		for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
			char *p = heap_aligned(align, asked[i]), *q;
			size_t usable = heap_usable_size(p);

			ck_assert_ptr_nonnull(p);
			ck_assert(IS_ALIGNED((uintptr_t)p, MAX(align, 16)));
			assert_good_size(usable, align, asked[i]);
			p[usable - 1] = 1;
			fill_bytes(p, MIN(usable, 10000), align);
			/* it is a block like any other */
			q = heap_realloc(p, asked[i] + 5000);
			ck_assert(filled_with(q, MIN(asked[i], 10000), align));
			heap_free(q);
		}
	}
}
END_TEST

/* From every kind of size to every other, and what fits of the contents is kept. */
START_TEST(realloc_keeps_contents)
{
	size_t from = sizes[_i];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t to = sizes[i], keep = MIN(MIN(from, to), 50000);
		char *p = heap_malloc(from), *q;

		fill_bytes(p, keep, from ^ to);
		q = heap_realloc(p, to);
		if (!to) {
			ck_assert_ptr_null(q);
			continue;
		}
		ck_assert_ptr_nonnull(q);
		ck_assert(IS_ALIGNED((uintptr_t)q, 16));
		ck_assert_uint_ge(heap_usable_size(q), to);
		ck_assert(filled_with(q, keep, from ^ to));
		q[to - 1] = 1;
		heap_free(q);
	}
}
END_TEST

/* Half of the smallest class is still the smallest class. */
START_TEST(realloc_in_the_smallest_class)
{
	size_t smallest = heap_good_size(1, 1);

	for (size_t from = 1; from <= smallest; from++) {
		for (size_t to = 1; to <= smallest; to++) {
			char *p = heap_malloc(from);

			ck_assert_ptr_eq(heap_realloc(p, to), p);
			heap_free(p);
		}
	}
}
END_TEST

START_TEST(realloc_of_null_and_to_nothing)
{
	char *p = heap_realloc(NULL, 100);

	ck_assert_uint_ge(heap_usable_size(p), 100);
	ck_assert_ptr_null(heap_realloc(p, 0)); /* frees, as glibc */
	ck_assert_int_eq(errno, 0);
	p = heap_realloc(NULL, 0);
	ck_assert_ptr_nonnull(p);
	heap_free(p);
}
END_TEST

START_TEST(small_changes_stay_in_place)
{
	for (size_t i = 1; i < ARRAY_SIZE(sizes); i++) {
		char *p = heap_malloc(sizes[i]);
		size_t usable = heap_usable_size(p);

		ck_assert_ptr_eq(heap_realloc(p, usable), p);
		ck_assert_ptr_eq(heap_realloc(p, usable), p);
		ck_assert_uint_eq(heap_usable_size(p), usable);
		heap_free(p);
	}
}
END_TEST

/* A block that grows page by page with nobody behind it does not move. */
START_TEST(large_blocks_grow_in_place)
{
	char *p = heap_malloc(KIB(40));

	for (size_t size = KIB(44); size <= KIB(1024); size += KIB(4)) {
		ck_assert_ptr_eq(heap_realloc(p, size), p);
		ck_assert_uint_eq(heap_usable_size(p), size);
		memset(p, 1, size);
	}
	ck_assert_ptr_eq(heap_realloc(p, KIB(40)), p);
	ck_assert_uint_eq(heap_usable_size(p), KIB(40));
	ck_assert_uint_eq(large_count(), 1);
	ck_assert_uint_eq(large_total_bytes(), KIB(40));
	heap_free(p);
	ck_assert_uint_eq(large_count(), 0);
	ck_assert_uint_eq(large_total_bytes(), 0);
}
END_TEST

START_TEST(huge_blocks_are_mappings)
{
	char *p = heap_malloc(MIB(40)), *q;

	ck_assert_uint_eq(huge_count(), 1);
	ck_assert_uint_eq(huge_total_bytes(), MIB(40));
	ck_assert_ptr_null(addr_to_section(p));
	fill_bytes(p, MIB(40), 40);
	q = heap_realloc(p, MIB(400));
	ck_assert(filled_with(q, MIB(40), 40));
	ck_assert(all_zero(q + MIB(40), MIB(1)));
	ck_assert_uint_eq(huge_total_bytes(), MIB(400));
	q = heap_realloc(q, MIB(33));
	ck_assert(filled_with(q, MIB(33), 40));
	ck_assert_uint_eq(huge_total_bytes(), MIB(33));
	/* back to a block among others */
	q = heap_realloc(q, MIB(1));
	ck_assert(filled_with(q, MIB(1), 40));
	ck_assert_uint_eq(huge_count(), 0);
	heap_free(q);
}
END_TEST

/* A huge block, aligned more than a page, that is resized, is still a block. */
START_TEST(aligned_huge_block_can_be_resized)
{
	char *p = heap_aligned(MIB(64), MIB(40));

	ck_assert(IS_ALIGNED((uintptr_t)p, MIB(64)));
	fill_bytes(p, KIB(64), 1);
	p = heap_realloc(p, MIB(80));
	ck_assert(filled_with(p, KIB(64), 1));
	heap_free(p);
	ck_assert_uint_eq(huge_count(), 0);
}
END_TEST

/* Memory that was written, freed and allocated again. */
START_TEST(calloc_clears_recycled_memory)
{
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			size_t size = sizes[i];
			char *p = heap_malloc(size);

			memset(p, 0xee, heap_usable_size(p));
			heap_free(p);
			p = heap_calloc(size ? 1 : 0, size);
			ck_assert(all_zero(p, size));
			memset(p, 0xee, heap_usable_size(p));
			heap_free(p);
			p = heap_calloc(size / 8, 8);
			ck_assert(all_zero(p, size / 8 * 8));
			heap_free(p);
		}
	}
	for (size_t size = 0; size <= MAX_SLAB_BYTES; size += 16) {
		char *p = heap_malloc(size);

		memset(p, 0xee, heap_usable_size(p));
		heap_free(p);
		p = heap_calloc(1, size);
		ck_assert(all_zero(p, size));
		heap_free(p);
	}
}
END_TEST

/* A run of pages some of which were written before and some not. */
START_TEST(calloc_of_mixed_runs)
{
	uint64_t seed = test_seed();

	for (int round = 0; round < 200; round++) {
		char *p = heap_calloc(1, MIB(1) + random_below(&seed, MIB(3)));
		size_t bytes = heap_usable_size(p);

		ck_assert(all_zero(p, bytes));
		/* parts of it become dirty, and are given back by themselves */
		for (int i = 0; i < 5; i++)
			p[random_below(&seed, (unsigned int)bytes)] = 1;
		p = heap_realloc(p, KIB(64) + random_below(&seed, (unsigned int)bytes - KIB(64)));
		p[random_below(&seed, KIB(64))] = 1;
		if (random_below(&seed, 4) == 0)
			heap_trim();
		heap_free(p);
	}
}
END_TEST

/* More than a slot keeps: sheaves and barns overflow, slabs empty, and the OS gets its pages back.
 */
START_TEST(trim_gives_back)
{
	static void *blocks[50000];
	struct zone_pages pages;

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		blocks[i] = heap_malloc(16 + i % 1000);
		memset(blocks[i], 1, 16 + i % 1000);
	}
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		heap_free(blocks[i]);
	assert_heap_sound();
	ck_assert(heap_trim());
	zone_count(&node_data[0].zones[ZONE_NORMAL], &pages);
	ck_assert_uint_eq(pages.dirty, 0);
	ck_assert_uint_eq(pages.free, pages.managed);
	/* there is nothing more, and the heap goes on */
	ck_assert(!heap_trim());
	heap_free(heap_malloc(100));
}
END_TEST

START_TEST(usable_size_of_nothing)
{
	char *p = heap_malloc(1000);

	ck_assert_uint_eq(heap_usable_size(NULL), 0);
	ck_assert_uint_eq(heap_usable_size(p + 16), 0);
	heap_free(p);
}
END_TEST

/* What a program takes before its thread has a slot must not use up what slots are lent. */
START_TEST(blocks_of_a_new_thread_are_kept)
{
	void *block = NULL, *before;

	for (int i = 0; i < 30; i++) {
		before = block;
		block = heap_malloc(MIB(4));
		heap_free(block);
	}
	ck_assert_ptr_eq(block, before);
	ck_assert_int_eq(page_type(section_page(addr_to_section(block), addr_to_pfn(block))),
			 PAGE_PCP_RUN);
	assert_heap_sound();
}
END_TEST

/* A large block that grows step by step moves now and then, not at every step. */
START_TEST(growth_moves_seldom)
{
	static void *others[600];
	unsigned char *block = heap_malloc(KIB(64));
	const size_t most = MIN(MIB(8), MAX_LARGE_BYTES / 2);
	unsigned int moves = 0, steps = 0;

	memset(block, 1, KIB(64));
	/* beyond half of the longest run there is no room to be had */
	for (size_t size = KIB(80); size <= most; size += KIB(16)) {
		unsigned char *now = heap_realloc(block, size);

		ck_assert_ptr_nonnull(now);
		moves += now != block;
		block = now;
		ck_assert_uint_lt(++steps, ARRAY_SIZE(others));
		ck_assert_uint_eq(block[KIB(64) - 1], 1);
		memset(block + size - KIB(16), 2, KIB(16));
		/* somebody else takes memory too, and keeps it */
		others[steps] = heap_malloc(KIB(36));
	}
	ck_assert_uint_gt(steps, 100);
	ck_assert_uint_le(moves, 20);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		heap_free(others[i]);
	heap_free(block);
	assert_heap_sound();
}
END_TEST

/* The room behind a block that moved may be a run that a slot kept: dirty, though the zone has not
 * heard of it. */
START_TEST(room_is_not_clean)
{
	take_own_slot();
	for (int round = 0; round < 50; round++) {
		unsigned char *first = heap_malloc(KIB(64)), *second = heap_malloc(KIB(64)), *run;

		/* nothing is given back, so that nothing else is in the way */
		run = heap_malloc(KIB(136));
		memset(run, 0xff, KIB(136));
		heap_free(run);
		if (heap_realloc(first, KIB(68)) == first)
			heap_realloc(second, KIB(68));
		for (int i = 0; i < 6; i++)
			ck_assert(all_zero(heap_calloc(1, KIB(68)), KIB(68)));
	}
	assert_heap_sound();
}
END_TEST

/*
 * A program may copy what it never wrote, out of memory that slabs were before, and copy it back when
 * the same address is an object again. It must not find the mark of a free object there.
 */
START_TEST(no_mark_outlives_its_slab)
{
	enum { NR_OBJECTS = 4000, NR_LARGE = 100, BYTES = 256 };
	static unsigned char *objects[NR_OBJECTS], *large[NR_LARGE], saved[NR_LARGE][BYTES];
	unsigned int restored = 0;

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < NR_OBJECTS; i++)
			objects[i] = heap_malloc(2048);
		for (int i = 0; i < NR_OBJECTS; i++)
			heap_free(objects[i]);
		for (int i = 0; i < NR_LARGE; i++)
			large[i] = heap_malloc(40960);
		for (int i = 0; i < NR_LARGE; i++)
			memcpy(saved[i], large[i], BYTES);
		for (int i = 0; i < NR_LARGE; i++)
			heap_free(large[i]);
		for (int i = 0; i < NR_OBJECTS; i++) {
			objects[i] = heap_malloc(2048);
			for (int j = 0; j < NR_LARGE; j++) {
				if (large[j] != objects[i])
					continue;
				memcpy(objects[i], saved[j], BYTES);
				restored++;
			}
		}
		for (int i = 0; i < NR_OBJECTS; i++)
			heap_free(objects[i]);
	}
	ck_assert_uint_gt(restored, 0);
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("malloc/heap");
	const int nr = (int)ARRAY_SIZE(sizes);

	tcase_add_checked_fixture(tc, setup, sound);
	tcase_add_test(tc, every_small_size);
	tcase_add_loop_test(tc, every_kind_of_size, 0, nr);
	tcase_add_loop_test(tc, free_keeps_errno, 0, nr);
	tcase_add_test(tc, impossible_sizes);
	tcase_add_test(tc, impossible_alignments);
	tcase_add_test(tc, alignments);
	tcase_add_loop_test(tc, realloc_keeps_contents, 0, nr);
	tcase_add_test(tc, realloc_in_the_smallest_class);
	tcase_add_test(tc, realloc_of_null_and_to_nothing);
	tcase_add_test(tc, small_changes_stay_in_place);
	tcase_add_test(tc, large_blocks_grow_in_place);
	tcase_add_test(tc, huge_blocks_are_mappings);
	tcase_add_test(tc, aligned_huge_block_can_be_resized);
	tcase_add_test(tc, calloc_clears_recycled_memory);
	tcase_add_test(tc, calloc_of_mixed_runs);
	tcase_add_test(tc, trim_gives_back);
	tcase_add_test(tc, usable_size_of_nothing);
	tcase_add_test(tc, blocks_of_a_new_thread_are_kept);
	tcase_add_test(tc, growth_moves_seldom);
	tcase_add_test(tc, room_is_not_clean);
	tcase_add_test(tc, no_mark_outlives_its_slab);
	return test_run(tc);
}
