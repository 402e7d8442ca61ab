/* SPDX-License-Identifier: MIT */
#include "tools/series.h"

#include <stdlib.h>

#define NR_PAIRS (SERIES_LENGTH * (SERIES_LENGTH - 1) / 2)

/*
 * So many more of the 45 pairs must rise than fall. Derived: of ten values in random order 1 in 900
 * does, and one jump with rest before and after it comes to 25 at most.
 */
#define RISING_PAIRS 33

static int by_value(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return one < other ? -1 : one > other;
}

void series_judge(struct series *series, const uint64_t ns[SERIES_LENGTH])
{
	double slopes[NR_PAIRS];
	int more_rise = 0;
	size_t nr = 0;

	for (int i = 0; i < SERIES_LENGTH; i++) {
		for (int j = i + 1; j < SERIES_LENGTH; j++) {
			double step = (double)series->bytes[j] - (double)series->bytes[i];

			more_rise += (step > 0) - (step < 0);
			slopes[nr++] = step * 1e9 / (double)(ns[j] - ns[i]);
		}
	}
	qsort(slopes, nr, sizeof(*slopes), by_value);
	series->per_second = (int64_t)slopes[nr / 2];
	series->rises = more_rise >= RISING_PAIRS;
}
