/* SPDX-License-Identifier: MIT */
/*
 * Random numbers that a seed repeats, and what the environment says about a run:
 *
 *	SLABUDDY_SEED	the seed; without it one is made up, and printed either way
 *	SLABUDDY_SCALE	how many times the usual amount of work ("make soak")
 */
#ifndef SLABUDDY_TESTS_MODEL_RNG_H
#define SLABUDDY_TESTS_MODEL_RNG_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"

struct rng {
	uint64_t state;
};

/* A Weyl sequence through a 64-bit mixer: any state is a good one, so seeds may be neighbours. */
static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t x = rng->state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* A number from 0 to @n - 1. */
static inline size_t rng_below(struct rng *rng, size_t n)
{
	return (size_t)(rng_next(rng) % n);
}

static inline unsigned long env_number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : otherwise;
}

static inline uint64_t test_seed(const char *what)
{
	uint64_t seed = env_number("SLABUDDY_SEED", 0);

	if (!seed)
		seed = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
	fprintf(stderr, "%s: SLABUDDY_SEED=%llu\n", what, (unsigned long long)seed);
	return seed;
}

/* @plain pieces of work, fewer under a sanitizer, more in a soak. */
static inline unsigned long scaled(unsigned long plain)
{
	/* instrumented code runs five to fifteen times slower, so it gets less to do */
	unsigned long n = plain * env_number("SLABUDDY_SCALE", 1) / (SANITIZED ? 8 : 1);

	return n ? n : 1;
}

#endif
