/* SPDX-License-Identifier: MIT */
#include "page/meta.h"

#include <pthread.h>
#include <string.h>

#include "../testing.h"
#include "page/page.h"

START_TEST(zeroed_aligned_and_apart)
{
	char *previous = NULL;

	for (size_t bytes = 1; bytes <= MIB(1); bytes = bytes * 3 / 2 + 1) {
		size_t rounded = roundup_pow2(MAX(bytes, 64));
		char *p = meta_alloc(bytes);

		ck_assert_ptr_nonnull(p);
		ck_assert(IS_ALIGNED((uintptr_t)p, MIN(rounded, PAGE_SIZE)));
		ck_assert(all_zero(p, rounded));
		memset(p, 0xff, rounded);
		if (previous)
			ck_assert(p >= previous + 64 || p + rounded <= previous);
		previous = p;
	}
}
END_TEST

START_TEST(freed_pieces_come_back_zeroed)
{
	for (size_t bytes = 64; bytes <= MIB(1); bytes *= 2) {
		char *p = meta_alloc(bytes);
		size_t mapped, used;

		memset(p, 0xff, bytes);
		used = meta_used_bytes();
		meta_free(p, bytes);
		ck_assert_uint_eq(meta_used_bytes(), used - bytes);
		mapped = meta_mapped_bytes();
		ck_assert_ptr_eq(meta_alloc(bytes), p);
		ck_assert(all_zero(p, bytes));
		ck_assert_uint_eq(meta_used_bytes(), used);
		ck_assert_uint_eq(meta_mapped_bytes(), mapped);
	}
}
END_TEST

START_TEST(sizes_do_not_mix)
{
	void *small = meta_alloc(64);
	void *large = meta_alloc(128);

	meta_free(small, 64);
	ck_assert_ptr_ne(meta_alloc(128), small);
	meta_free(large, 100); /* rounds to the same */
	ck_assert_ptr_eq(meta_alloc(128), large);
	ck_assert_ptr_eq(meta_alloc(1), small);
}
END_TEST

START_TEST(cached_never_maps)
{
	size_t mapped;
	void *p;

	ck_assert_ptr_null(meta_alloc_cached(64));
	ck_assert_uint_eq(meta_mapped_bytes(), 0);
	p = meta_alloc(64);
	mapped = meta_mapped_bytes();
	ck_assert_ptr_nonnull(meta_alloc_cached(64));
	meta_free(p, 64);
	ck_assert_ptr_eq(meta_alloc_cached(64), p);
	ck_assert_ptr_null(meta_alloc_cached(MIB(1)));
	ck_assert_uint_eq(meta_mapped_bytes(), mapped);
}
END_TEST

START_TEST(too_large)
{
	ck_assert_ptr_null(meta_alloc(MIB(1) + 1));
	ck_assert_ptr_null(meta_alloc(SIZE_MAX / 2));
	ck_assert_uint_eq(meta_mapped_bytes(), 0);
}
END_TEST

#define NR_PIECES 200

/* Return: a complaint, or NULL. */
static const void *alloc_and_free_pieces(uintptr_t number)
{
	uint64_t seed = number;
	void *pieces[NR_PIECES] = { NULL };
	size_t sizes[NR_PIECES];

	for (int step = 0; step < 20000; step++) {
		unsigned int i = random_below(&seed, NR_PIECES);

		if (pieces[i]) {
			if (!filled_with(pieces[i], sizes[i], number))
				return "another thread wrote to a piece";
			meta_free(pieces[i], sizes[i]);
			pieces[i] = NULL;
			continue;
		}
		sizes[i] = 1 + random_below(&seed, 2000);
		pieces[i] = meta_alloc(sizes[i]);
		if (!pieces[i] || !all_zero(pieces[i], sizes[i]))
			return "a fresh piece is not zero";
		fill_bytes(pieces[i], sizes[i], number);
	}
	for (int i = 0; i < NR_PIECES; i++) {
		if (pieces[i])
			meta_free(pieces[i], sizes[i]);
	}
	return NULL;
}

static void *alloc_and_free(void *number)
{
	return (void *)(uintptr_t)alloc_and_free_pieces((uintptr_t)number);
}

START_TEST(threads)
{
	pthread_t ids[4];
	void *complaint;

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&ids[i], NULL, alloc_and_free, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		pthread_join(ids[i], &complaint);
		ck_assert_msg(!complaint, "%s", (char *)complaint);
	}
	ck_assert_uint_eq(meta_used_bytes(), 0);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("page/meta");

	tcase_add_test(tc, zeroed_aligned_and_apart);
	tcase_add_test(tc, freed_pieces_come_back_zeroed);
	tcase_add_test(tc, sizes_do_not_mix);
	tcase_add_test(tc, cached_never_maps);
	tcase_add_test(tc, too_large);
	tcase_add_test(tc, threads);
	return test_run(tc);
}
