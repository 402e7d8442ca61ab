/* SPDX-License-Identifier: MIT */
/*
 * What the C tests have in common.
 *
 * Each test runs in a process of its own (check's CK_FORK), which starts with an untouched heap. So
 * a test may set options, exhaust memory or break the heap without a thought for the next one.
 */
#ifndef SLABUDDY_TESTS_TESTING_H
#define SLABUDDY_TESTS_TESTING_H

#include <check.h>

#include "base/bits.h"
#include "base/compiler.h"
#include "malloc/audit.h"

/* A case without a time limit: machines and sanitizers differ too much for any. */
TCase *test_case(const char *name);

/* Run it. Return: the program's exit status. */
int test_run(TCase *tc);

/* The whole heap keeps its invariants. A macro, so that a failure names the caller's line. */
#define assert_heap_sound() ck_assert_uint_eq(heap_validate(NULL), 0)

/* The number of faults, without a line for each of them. */
unsigned long count_faults(void);

/*
 * Random numbers: the seed comes from SLABUDDY_SEED or is a new one each time, and is printed.
 */
uint64_t test_seed(void);
uint64_t random_next(uint64_t *state);
unsigned int random_below(uint64_t *state, unsigned int n);

/* Bytes that depend on a seed, to be found again later; their count need not be a multiple of 8. */
void fill_bytes(void *ptr, size_t bytes, uint64_t seed);
bool filled_with(const void *ptr, size_t bytes, uint64_t seed);
bool all_zero(const void *ptr, size_t bytes);

/* From the first call to the second, stderr goes to memory; the text lives until the next time. */
void stderr_capture(void);
const char *stderr_captured(void);

/* How often @c stands in @text. */
unsigned int count_char(const char *text, char c);

#endif
