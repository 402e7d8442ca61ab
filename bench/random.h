/* SPDX-License-Identifier: MIT */
/*
 * Random numbers for loads: the same sequence from the same state everywhere, at a few instructions each.
 */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* xorshift64*: Marsaglia 2003, Vigna 2016. The state is never zero. */
static inline uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dULL;
}

/* A number under limit, which is below 2^32. */
static inline size_t pick(uint64_t *state, size_t limit)
{
	return ((next_random(state) >> 32) * limit) >> 32;
}

#endif
