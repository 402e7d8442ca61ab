/* SPDX-License-Identifier: MIT */
/*
 * Walks along lists that somebody changes meanwhile, so that they may lead in circles.
 */
#ifndef SLABUDDY_TOOLS_WALK_H
#define SLABUDDY_TOOLS_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct walk {
	uint64_t left; /* entries that there may still be */
	uint64_t steps;
	uint64_t again; /* an entry that comes again in a circle */
};

/*
 * Whether to go on with the entry at @at, for each in turn. Whoever has been all along a circle,
 * and once more as far as it was to it, is told. Source: Brent 1980, "An improved Monte Carlo
 * factorization algorithm".
 */
static inline bool walk_goes_on(struct walk *walk, uint64_t at)
{
	if (!walk->left || at == walk->again)
		return false;
	walk->left--;
	/* at steps 0, 1, 3, 7 ... */
	if (!(walk->steps & (walk->steps + 1)))
		walk->again = at;
	walk->steps++;
	return true;
}

#endif
