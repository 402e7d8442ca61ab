/* SPDX-License-Identifier: MIT */
/* How free pages age: step by step, without a thread and without a clock. */
#include "buddy/kswapd.h"

#include <errno.h>
#include <string.h>

#include "arena.h"
#include "base/option.h"
#include "buddy/purge.h"
#include "os/mem.h"

int __real_os_discard(void *addr, size_t bytes);
int __wrap_os_discard(void *addr, size_t bytes);

static int refusal; /* 0: none */
static unsigned int nr_discards;
static struct zone_age age;

int __wrap_os_discard(void *addr, size_t bytes)
{
	nr_discards++;
	return refusal ? refusal : __real_os_discard(addr, bytes);
}

/* Nobody is below the watermark for its sake, and no thread is needed. */
static void setup(void)
{
	options.dirty_min_kib = 1UL << 20;
}

/* @nr free dirty pages, in blocks that are no neighbours: of 64 pages, which go as a whole. */
static void make_dirty(unsigned int nr)
{
	struct page *keep[64], *page[64];
	unsigned int blocks = nr / 64;

	ck_assert_uint_le(blocks, ARRAY_SIZE(page));
	for (unsigned int i = 0; i < blocks; i++) {
		page[i] = take_block(6);
		keep[i] = take_block(6);
		ck_assert(page[i] && keep[i]);
		memset(page_start(page[i]), 1, 64 * PAGE_SIZE);
	}
	for (unsigned int i = 0; i < blocks; i++)
		give_block(page[i], 6);
	ck_assert_uint_eq(zone->nr_dirty, nr);
}

static bool step(void)
{
	bool more = zone_age(zone, &age);

	assert_heap_sound();
	return more;
}

/* What lies there untouched goes in equal parts, and then there is nothing more to come. */
START_TEST(in_equal_parts)
{
	const unsigned int part = 2 * 64;

	make_dirty(KSWAPD_STEPS * part);
	/* in the step in which they became free they were needed */
	ck_assert(step());
	ck_assert_uint_eq(zone->nr_dirty, KSWAPD_STEPS * part);
	for (unsigned int i = 1; i < KSWAPD_STEPS; i++) {
		ck_assert(step());
		ck_assert_uint_eq(zone->nr_dirty, (KSWAPD_STEPS - i) * part);
	}
	ck_assert(!step());
	ck_assert_uint_eq(zone->nr_dirty, 0);
	ck_assert_uint_eq(zone->events.purged, KSWAPD_STEPS * part);
	ck_assert(!step());
}
END_TEST

/* What the program takes again and again stays, however little of the time it has it. */
START_TEST(what_is_needed_stays)
{
	make_dirty(16 * 64);
	step();
	for (int i = 0; i < 5 * KSWAPD_STEPS; i++) {
		struct page *page[16];

		for (size_t n = 0; n < ARRAY_SIZE(page); n++)
			page[n] = take_block(6);
		ck_assert_uint_eq(zone->nr_dirty, 0);
		for (size_t n = 0; n < ARRAY_SIZE(page); n++)
			give_block(page[n], 6);
		ck_assert(step());
		ck_assert_uint_eq(zone->nr_dirty, 16 * 64);
	}
	ck_assert_uint_eq(zone->events.purged, 0);
}
END_TEST

/* A quarter of it is needed: the other three go, in the usual time. */
START_TEST(what_is_not_needed_goes)
{
	make_dirty(32 * 64);
	step();
	for (int i = 0; i < KSWAPD_STEPS; i++) {
		struct page *page[8];

		for (size_t n = 0; n < ARRAY_SIZE(page); n++)
			page[n] = take_block(6);
		for (size_t n = 0; n < ARRAY_SIZE(page); n++)
			give_block(page[n], 6);
		ck_assert(step());
	}
	ck_assert_uint_eq(zone->nr_dirty, 8 * 64);
	ck_assert_uint_eq(zone->events.purged, 24 * 64);
}
END_TEST

/* A union of neighbours takes them off their lists for a moment: that is no use of them. */
START_TEST(a_merge_is_no_use)
{
	struct page *big = take_block(9), *small = NULL;
	unsigned long before;

	ck_assert_ptr_nonnull(big);
	memset(page_start(big), 1, PAGE_SIZE << 9);
	give_block(big, 9);
	small = take_block(0);
	ck_assert_ptr_nonnull(small);
	step();
	for (int i = 0; i < 3; i++) {
		before = zone->nr_dirty;
		give_block(small, 0);
		ck_assert_uint_ge(zone->least_dirty, before);
		small = take_block(0);
		step();
	}
	ck_assert_uint_gt(zone->events.purged, 0);
}
END_TEST

/* What the OS does not take is left alone until there is more. */
START_TEST(refused_for_now)
{
	unsigned int tried;

	make_dirty(16 * 64);
	step();
	refusal = -EAGAIN;
	ck_assert(!step());
	ck_assert_uint_eq(zone->nr_settled, 16 * 64);
	ck_assert_uint_eq(zone->nr_dirty, 16 * 64);
	tried = nr_discards;
	ck_assert_uint_gt(tried, 0);
	ck_assert_uint_eq(zone->events.purge_failed, tried);
	refusal = 0;
	/* the next time that it is awake, it tries again */
	ck_assert(step());
	ck_assert_uint_lt(zone->nr_dirty, 16 * 64);
	ck_assert_uint_eq(zone->nr_settled, 0);
}
END_TEST

/* Locked memory is no reason to stay awake, and never tried again. */
START_TEST(refused_for_good)
{
	unsigned int tried;

	make_dirty(16 * 64);
	step();
	refusal = -EINVAL;
	ck_assert(!step());
	ck_assert(zone->purge_refused);
	tried = nr_discards;
	for (int i = 0; i < 2 * KSWAPD_STEPS; i++)
		ck_assert(!step());
	ck_assert_uint_eq(nr_discards, tried);
	ck_assert(!kswapd_is_wanted(zone));
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/age");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, in_equal_parts);
	tcase_add_test(tc, what_is_needed_stays);
	tcase_add_test(tc, what_is_not_needed_goes);
	tcase_add_test(tc, a_merge_is_no_use);
	tcase_add_test(tc, refused_for_now);
	tcase_add_test(tc, refused_for_good);
	return test_run(tc);
}
