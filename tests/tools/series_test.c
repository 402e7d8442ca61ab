/* SPDX-License-Identifier: MIT */
/* What rises, and how fast: series whose answer is known. */
#include "tools/series.h"

#include "../testing.h"

static const uint64_t ns[SERIES_LENGTH] = { 500000000,	1000000000, 1500000000, 2000000000,
					    2500000000, 3000000000, 3500000000, 4000000000,
					    4500000000, 5000000000 };

static struct series judged(const uint64_t *bytes)
{
	struct series series = { .rises = false };

	for (int i = 0; i < SERIES_LENGTH; i++)
		series.bytes[i] = bytes[i];
	series_judge(&series, ns);
	return series;
}

START_TEST(what_rests_or_falls)
{
	static const uint64_t rests[] = { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };
	static const uint64_t falls[] = { 100, 90, 80, 70, 60, 50, 40, 30, 20, 10 };
	struct series series = judged(rests);

	ck_assert(!series.rises);
	ck_assert_int_eq(series.per_second, 0);
	series = judged(falls);
	ck_assert(!series.rises);
	ck_assert_int_eq(series.per_second, -20);
}
END_TEST

START_TEST(what_rises)
{
	static const uint64_t steadily[] = { 10, 20, 30, 40, 50, 60, 70, 80, 90, 100 };
	/* with each second value far below its neighbours */
	static const uint64_t teeth[] = { 100, 80, 160, 140, 220, 200, 280, 260, 340, 320 };
	struct series series = judged(steadily);

	ck_assert(series.rises);
	ck_assert_int_eq(series.per_second, 20);
	series = judged(teeth);
	ck_assert(series.rises);
	ck_assert_int_ge(series.per_second, 40);
	ck_assert_int_le(series.per_second, 80);
}
END_TEST

/* Higher at the end than at the beginning, and no growth. */
START_TEST(what_seems_to)
{
	static const uint64_t jump[] = { 0, 0, 0, 0, 0, 900, 900, 900, 900, 900 };
	static const uint64_t wave[] = { 10, 90, 20, 80, 30, 70, 40, 90, 10, 60 };
	static const uint64_t there_and_back[] = { 10, 20, 30, 40, 50, 50, 40, 30, 20, 15 };

	ck_assert(!judged(jump).rises);
	ck_assert(!judged(wave).rises);
	ck_assert(!judged(there_and_back).rises);
}
END_TEST

/* The end of a long interval does not lose what the beginning had. */
START_TEST(large_numbers)
{
	uint64_t bytes[SERIES_LENGTH];

	for (uint64_t i = 0; i < SERIES_LENGTH; i++)
		bytes[i] = ((uint64_t)1 << 47) + i * 4096;
	ck_assert(judged(bytes).rises);
	ck_assert_int_eq(judged(bytes).per_second, 8192);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("series");

	tcase_add_test(tc, what_rests_or_falls);
	tcase_add_test(tc, what_rises);
	tcase_add_test(tc, what_seems_to);
	tcase_add_test(tc, large_numbers);
	return test_run(tc);
}
