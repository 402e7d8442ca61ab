/* SPDX-License-Identifier: MIT */
/*
 * Bit and alignment arithmetic.
 */
#ifndef SLABUDDY_BASE_BITS_H
#define SLABUDDY_BASE_BITS_H

#include "base/compiler.h"

#define ALIGN_UP(x, a)	 (((x) + ((a) - 1)) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)

#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

#define BITS_PER_WORD 64

static inline bool is_power_of_2(size_t n)
{
	return n && !(n & (n - 1));
}

/* Position of the highest set bit, counted from 1; 0 for 0. */
static inline unsigned int fls64(uint64_t n)
{
	return n ? 64U - (unsigned int)__builtin_clzll(n) : 0;
}

/* Position of the lowest set bit, counted from 0. @n must not be 0. */
static inline unsigned int first_bit(uint64_t n)
{
	return (unsigned int)__builtin_ctzll(n);
}

static inline unsigned int ilog2(uint64_t n)
{
	return fls64(n) - 1;
}

static inline size_t roundup_pow2(size_t n)
{
	return n <= 1 ? 1 : (size_t)1 << fls64(n - 1);
}

/* The @nr lowest bits, @nr from 0 to 64. */
static inline uint64_t low_bits(unsigned int nr)
{
	return nr >= BITS_PER_WORD ? ~(uint64_t)0 : ((uint64_t)1 << nr) - 1;
}

void bitmap_set_range(uint64_t *map, unsigned int start, unsigned int nr);
void bitmap_clear_range(uint64_t *map, unsigned int start, unsigned int nr);
unsigned int bitmap_count_range(const uint64_t *map, unsigned int start, unsigned int nr);

static inline bool bitmap_test(const uint64_t *map, unsigned int bit)
{
	return map[bit / BITS_PER_WORD] >> (bit % BITS_PER_WORD) & 1;
}

#endif
