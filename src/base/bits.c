/* SPDX-License-Identifier: MIT */
#include "base/bits.h"

/*
 * A range of bits as a walk over words: each step yields the word's index and the mask of the
 * bits of the range that lie in it.
 */
struct bit_step {
	unsigned int word;
	uint64_t mask;
};

static inline bool next_step(struct bit_step *step, unsigned int *start, unsigned int *nr)
{
	unsigned int shift = *start % BITS_PER_WORD;
	unsigned int here = MIN(*nr, BITS_PER_WORD - shift);

	if (!here)
		return false;
	step->word = *start / BITS_PER_WORD;
	step->mask = low_bits(here) << shift;
	*start += here;
	*nr -= here;
	return true;
}

void bitmap_set_range(uint64_t *map, unsigned int start, unsigned int nr)
{
	struct bit_step step;

	while (next_step(&step, &start, &nr))
		map[step.word] |= step.mask;
}

void bitmap_clear_range(uint64_t *map, unsigned int start, unsigned int nr)
{
	struct bit_step step;

	while (next_step(&step, &start, &nr))
		map[step.word] &= ~step.mask;
}

/* Whole words are the rule, and the baseline x86-64 has no instruction to count bits. */
static inline unsigned int count_bits(uint64_t word)
{
	if (!word)
		return 0;
	return !~word ? BITS_PER_WORD : (unsigned int)__builtin_popcountll(word);
}

unsigned int bitmap_count_range(const uint64_t *map, unsigned int start, unsigned int nr)
{
	struct bit_step step;
	unsigned int count = 0;

	while (next_step(&step, &start, &nr))
		count += count_bits(map[step.word] & step.mask);
	return count;
}
