/* SPDX-License-Identifier: MIT */
#include "base/bits.h"

#include <string.h>

#include "../testing.h"

#define NR_WORDS 5
#define NR_BITS	 (NR_WORDS * BITS_PER_WORD)

/* The same as the map under test, a byte a bit. */
static unsigned char naive[NR_BITS];

static void assert_equal(const uint64_t *map)
{
	for (unsigned int bit = 0; bit < NR_BITS; bit++)
		ck_assert_msg(bitmap_test(map, bit) == naive[bit], "bit %u", bit);
}

static unsigned int naive_count(unsigned int start, unsigned int nr)
{
	unsigned int count = 0;

	for (unsigned int bit = start; bit < start + nr; bit++)
		count += naive[bit];
	return count;
}

/* Every range of a map, set and cleared, on either background. */
START_TEST(every_range)
{
	uint64_t map[NR_WORDS];

	for (unsigned int start = 0; start <= NR_BITS; start += start % 63 == 0 ? 1 : 3) {
		for (unsigned int nr = 0; start + nr <= NR_BITS; nr++) {
			memset(map, 0, sizeof(map));
			bitmap_set_range(map, start, nr);
			ck_assert_uint_eq(bitmap_count_range(map, 0, NR_BITS), nr);
			ck_assert_uint_eq(bitmap_count_range(map, start, nr), nr);
			memset(map, 0xff, sizeof(map));
			bitmap_clear_range(map, start, nr);
			ck_assert_uint_eq(bitmap_count_range(map, 0, NR_BITS), NR_BITS - nr);
			ck_assert_uint_eq(bitmap_count_range(map, start, nr), 0);
		}
	}
}
END_TEST

START_TEST(random_ranges_against_bytes)
{
	uint64_t map[NR_WORDS] = { 0 };
	uint64_t seed = test_seed();

	for (int i = 0; i < 20000; i++) {
		unsigned int start = random_below(&seed, NR_BITS + 1);
		unsigned int nr = random_below(&seed, NR_BITS - start + 1);
		bool set = random_below(&seed, 2);

		if (set)
			bitmap_set_range(map, start, nr);
		else
			bitmap_clear_range(map, start, nr);
		memset(naive + start, set, nr);
		start = random_below(&seed, NR_BITS + 1);
		nr = random_below(&seed, NR_BITS - start + 1);
		ck_assert_uint_eq(bitmap_count_range(map, start, nr), naive_count(start, nr));
		if (i % 100 == 0)
			assert_equal(map);
	}
	assert_equal(map);
}
END_TEST

START_TEST(logarithms)
{
	ck_assert_uint_eq(fls64(0), 0);
	ck_assert_uint_eq(roundup_pow2(0), 1);
	ck_assert_uint_eq(roundup_pow2(1), 1);
	ck_assert(!is_power_of_2(0));
	for (unsigned int shift = 0; shift < 64; shift++) {
		uint64_t n = (uint64_t)1 << shift;

		ck_assert_uint_eq(fls64(n), shift + 1);
		ck_assert_uint_eq(ilog2(n), shift);
		ck_assert_uint_eq(first_bit(n), shift);
		ck_assert_uint_eq(first_bit(n | (uint64_t)1 << 63), shift);
		ck_assert(is_power_of_2(n));
		ck_assert_uint_eq(roundup_pow2(n), n);
		if (shift < 2)
			continue;
		ck_assert_uint_eq(ilog2(n + 1), shift);
		ck_assert_uint_eq(ilog2(n - 1), shift - 1);
		ck_assert(!is_power_of_2(n - 1));
		ck_assert_uint_eq(roundup_pow2(n - 1), n);
	}
	ck_assert_uint_eq(low_bits(0), 0);
	ck_assert_uint_eq(low_bits(1), 1);
	ck_assert_uint_eq(low_bits(63), ~(uint64_t)0 >> 1);
	ck_assert_uint_eq(low_bits(64), ~(uint64_t)0);
}
END_TEST

START_TEST(alignment)
{
	ck_assert_uint_eq(ALIGN_UP((size_t)0, 16), 0);
	ck_assert_uint_eq(ALIGN_UP((size_t)1, 16), 16);
	ck_assert_uint_eq(ALIGN_UP((size_t)16, 16), 16);
	ck_assert_uint_eq(ALIGN_DOWN((size_t)31, 16), 16);
	/* the mask must be as wide as the number, whatever the alignment's type */
	ck_assert_uint_eq(ALIGN_UP((size_t)1 << 40, 4096U), (size_t)1 << 40);
	ck_assert_uint_eq(ALIGN_DOWN(((size_t)1 << 40) + 5, 4096U), (size_t)1 << 40);
	ck_assert(IS_ALIGNED((size_t)1 << 40, MIB(2)));
	ck_assert(!IS_ALIGNED((size_t)4097, 4096));
	ck_assert_uint_eq(DIV_ROUND_UP(0, 8), 0);
	ck_assert_uint_eq(DIV_ROUND_UP(8, 8), 1);
	ck_assert_uint_eq(DIV_ROUND_UP(9, 8), 2);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("base/bits");

	tcase_add_test(tc, every_range);
	tcase_add_test(tc, random_ranges_against_bytes);
	tcase_add_test(tc, logarithms);
	tcase_add_test(tc, alignment);
	return test_run(tc);
}
