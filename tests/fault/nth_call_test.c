/* SPDX-License-Identifier: MIT */
/*
 * One script, run again and again in a child process, in which the OS refuses the first call, the
 * second, and so on until the script makes no more calls than that. Every request that fails gives
 * NULL and ENOMEM and leaves all blocks as they were; the heap is sound afterwards; and once the OS
 * works again, so does the heap.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>

#include "base/bits.h"
#include "base/option.h"
#include "death/child.h"
#include "fault/each_call.h"
#include "fault/faulty_os.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "malloc/info.h"
#include "malloc/large.h"
#include "model/block.h"

#define NR_BLOCKS 512
#define HUGE_BYTES (MAX_LARGE_BYTES + PAGE_SIZE)

static struct block blocks[NR_BLOCKS];

static void take(struct block *block, void *ptr, size_t size, size_t align, bool zeroed, int error)
{
	if (ptr)
		block_born(block, ptr, size, align, zeroed);
	else if (error != ENOMEM)
		model_fail("%zu bytes were refused with errno %d", size, error);
}

static void try_malloc(struct block *block, size_t size)
{
	void *ptr;

	errno = 0;
	ptr = heap_malloc(size);
	take(block, ptr, size, 16, false, errno);
}

static void try_calloc(struct block *block, size_t size)
{
	void *ptr;

	errno = 0;
	ptr = heap_calloc(size, 1);
	take(block, ptr, size, 16, true, errno);
}

static void try_aligned(struct block *block, size_t align, size_t size)
{
	void *ptr;

	errno = 0;
	ptr = heap_aligned(align, size);
	take(block, ptr, size, align, false, errno);
}

static void try_realloc(struct block *block, size_t size)
{
	if (!block->ptr)
		return;
	errno = 0;
	if (!block_try_realloc(block, size) && errno != ENOMEM)
		model_fail("realloc to %zu bytes failed with errno %d", size, errno);
}

static void free_every(unsigned int step, unsigned int first)
{
	for (unsigned int i = first; i < NR_BLOCKS; i += step) {
		if (blocks[i].ptr)
			block_free(&blocks[i]);
	}
}

static void check_all(void)
{
	for (unsigned int i = 0; i < NR_BLOCKS; i++) {
		if (blocks[i].ptr)
			block_check(&blocks[i]);
	}
}

/* Every kind of request, and every reason to ask the OS for something. */
static void script(void)
{
	unsigned int i = 0;

	for (; i < 200; i++)
		try_malloc(&blocks[i], (size_t)1 << i % 16);
	for (; i < 280; i++)
		try_calloc(&blocks[i], i * 100);
	for (; i < 320; i++)
		try_aligned(&blocks[i], (size_t)16 << i % 12, i * 50);
	for (; i < 340; i++)
		try_malloc(&blocks[i], i * 1000);
	free_every(3, 0);
	for (; i < 344; i++)
		try_calloc(&blocks[i], MIB(3));
	try_malloc(&blocks[i++], HUGE_BYTES);
	try_calloc(&blocks[i++], HUGE_BYTES);
	try_aligned(&blocks[i++], MIB(64), HUGE_BYTES);
	try_realloc(&blocks[344], HUGE_BYTES * 2);
	try_realloc(&blocks[345], HUGE_BYTES / 2 + PAGE_SIZE);
	try_realloc(&blocks[346], 1000);
	try_realloc(&blocks[340], MIB(6));
	try_realloc(&blocks[341], KIB(40));
	try_realloc(&blocks[342], HUGE_BYTES);
	for (unsigned int j = 1; j < 200; j += 3)
		try_realloc(&blocks[j], blocks[j].size * 3 + 100);
	free_every(2, 0);
	heap_trim();
	for (; i < NR_BLOCKS; i++)
		try_malloc(&blocks[i], i * 64);
	for (unsigned int j = 0; j < 100; j += 2) {
		if (!blocks[j].ptr)
			try_calloc(&blocks[j], 3000);
	}
	free_every(5, 1);
	heap_trim();
	check_all();
}

static void expect_sound(const char *when)
{
	unsigned long faults = heap_validate(NULL);

	if (faults)
		model_fail("%lu faults %s", faults, when);
}

static void expect_use(void)
{
	static const size_t sizes[] = { 1, 100, 5000, 32768, 100000, MIB(5), HUGE_BYTES };
	struct heap_figures f;

	free_every(1, 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		try_calloc(&blocks[i], sizes[i]);
		if (!blocks[i].ptr)
			model_fail("no %zu bytes though the OS works again", sizes[i]);
	}
	free_every(1, 0);
	heap_figures(&f);
	if (f.slab_live_bytes + f.large_bytes + f.huge_bytes)
		model_fail("%zu, %zu, %zu bytes are live and nobody has them", f.slab_live_bytes,
			   f.large_bytes, f.huge_bytes);
	expect_sound("at the end");
}

static void expect_end(void)
{
	expect_sound("after the script");
	expect_use();
}

/* Relatively prime to the script's periods, so that all kinds of calls have their turn. */
static unsigned long step(unsigned long first, unsigned long count)
{
	(void)first;
	return count == 3 ? 3 : count == 20 ? 5 : 1;
}

static const struct fault_script malloc_script = { .run = script, .end = expect_end, .step = step };

START_TEST(one_call)
{
	for_each_call(&malloc_script, 1);
}
END_TEST

START_TEST(three_calls)
{
	for_each_call(&malloc_script, 3);
}
END_TEST

START_TEST(twenty_calls)
{
	for_each_call(&malloc_script, 20);
}
END_TEST

START_TEST(all_calls_from_then_on)
{
	for_each_call(&malloc_script, ALL_CALLS);
}
END_TEST

#define THREADS 4
#define THREAD_BLOCKS 200

static uint64_t seed;

static void *work_in_need(void *arg)
{
	struct rng rng = { .state = seed + (uintptr_t)arg };
	static struct block tables[THREADS][THREAD_BLOCKS];
	struct block *own = tables[(uintptr_t)arg];

	for (unsigned long i = 0; i < scaled(20000); i++) {
		struct block *block = &own[rng_below(&rng, THREAD_BLOCKS)];
		size_t size = rng_below(&rng, (size_t)16 << rng_below(&rng, 15));

		if (!block->ptr && i & 1)
			try_malloc(block, size);
		else if (!block->ptr)
			try_aligned(block, (size_t)16 << rng_below(&rng, 10), size);
		else if (i % 3)
			block_free(block);
		else
			try_realloc(block, size + 1);
	}
	for (unsigned int i = 0; i < THREAD_BLOCKS; i++) {
		if (own[i].ptr)
			block_free(&own[i]);
	}
	return NULL;
}

static void threads_in_need(const void *arg)
{
	pthread_t threads[THREADS];

	options_parse("dirty_min=0 dirty_percent=0", "test");
	faulty_os_fail_randomly(*(const unsigned int *)arg, seed);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work_in_need, (void *)i);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	faulty_os_work();
	expect_sound("after the threads");
	expect_use();
}

static const unsigned int per_cents[] = { 1, 20, 50, 90, 100 };

START_TEST(random_calls)
{
	struct child_end end;

	run_child(threads_in_need, &per_cents[_i], &end);
	expect_life("threads", &end, "");
}
END_TEST

#define LIMIT_BYTES MIB(48)
#define MANY 100000

static unsigned int allocate_all(void **p, size_t size)
{
	unsigned int nr = 0;

	while (nr < MANY && (p[nr] = heap_malloc(size)))
		nr++;
	if (nr < MANY && errno != ENOMEM)
		model_fail("errno %d at the limit", errno);
	return nr;
}

static void free_all(void **p, unsigned int nr)
{
	while (nr)
		heap_free(p[--nr]);
}

/* What was allocated up to the limit can be had again, in the same size and in others. */
static void live_at_limit(const void *arg)
{
	static const size_t sizes[] = { 2000, 30000, 300000, 2000, MIB(2), 700 };
	static void *p[MANY];
	unsigned int nr, again;

	(void)arg;
	faulty_os_limit(LIMIT_BYTES);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		nr = allocate_all(p, sizes[i]);
		if (nr * sizes[i] < LIMIT_BYTES / 2)
			model_fail("only %u blocks of %zu bytes", nr, sizes[i]);
		free_all(p, nr);
		again = allocate_all(p, sizes[i]);
		if (again < nr / 100 * 99)
			model_fail("%u blocks of %zu bytes, and %u the second time", nr, sizes[i],
				   again);
		free_all(p, again);
		expect_sound("at the limit");
	}
	faulty_os_work();
	expect_use();
}

START_TEST(no_overcommit)
{
	struct child_end end;

	run_child(live_at_limit, NULL, &end);
	expect_life("limit", &end, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nth_call");
	TCase *tc = tcase_create("nth_call");
	SRunner *runner = srunner_create(suite);
	int failed;

	seed = test_seed("nth_call");
	tcase_set_timeout(tc, 400);
	tcase_add_test(tc, one_call);
	tcase_add_test(tc, three_calls);
	tcase_add_test(tc, twenty_calls);
	tcase_add_test(tc, all_calls_from_then_on);
	tcase_add_loop_test(tc, random_calls, 0, ARRAY_SIZE(per_cents));
	tcase_add_test(tc, no_overcommit);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
