/* SPDX-License-Identifier: MIT */
/*
 * One figure of a heap at several moments, and whether it rises.
 *
 * What rises and falls with the load may be higher at the end than at the beginning by chance, and
 * what leaks need not be higher each time. So a series "rises" when nearly all pairs of its values
 * do, the later one being the larger, and by how much is the median of all pairs' slopes. Sources:
 * Mann 1945, "Nonparametric tests against trend"; Sen 1968, "Estimates of the regression
 * coefficient based on Kendall's tau".
 */
#ifndef SLABUDDY_TOOLS_SERIES_H
#define SLABUDDY_TOOLS_SERIES_H

#include <stdbool.h>
#include <stdint.h>

/* Arbitrary: few enough that a short interval will do, and enough to tell chance from growth. */
#define SERIES_LENGTH 10

struct series {
	uint64_t bytes[SERIES_LENGTH];
	/* from series_judge() on */
	bool rises;
	int64_t per_second;
};

/* @ns: when each value was read; no two of them are the same. */
void series_judge(struct series *series, const uint64_t ns[SERIES_LENGTH]);

static inline uint64_t series_first(const struct series *series)
{
	return series->bytes[0];
}

static inline uint64_t series_last(const struct series *series)
{
	return series->bytes[SERIES_LENGTH - 1];
}

#endif
