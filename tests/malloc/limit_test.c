/* SPDX-License-Identifier: MIT */
/*
 * The memory limit: what counts, what is given back before an allocation fails, the program's handler, and that the
 * heap is sound after each refusal.
 */
#include <slabuddy/slabuddy.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../own_slot.h"
#include "../testing.h"
#include "base/option.h"
#include "buddy/page_alloc.h"
#include "malloc/heap.h"
#include "malloc/huge.h"
#include "os/mem.h"
#include "page/limit.h"
#include "page/meta.h"
#include "page/section.h"

#define LIMIT MIB(48)
#define HUGE_BYTES (SECTION_BYTES / 2 + MIB(1))

static void *blocks[1 << 20];
static unsigned int handler_calls;
static size_t handler_bytes;
static unsigned int handler_says; /* how often "try again" */

/* What the heap holds, put together from what its parts know. */
static size_t held_by_parts(void)
{
	size_t bytes = meta_mapped_bytes() + section_meta_bytes() + huge_total_bytes();

	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		for (int type = 0; type < MAX_NR_ZONES; type++) {
			struct zone_pages pages;

			zone_count(&node_data[nid].zones[type], &pages);
			if (type == ZONE_DMA)
				pages.dirty = pages.free;
			bytes += (pages.managed - pages.free + pages.dirty) << PAGE_SHIFT;
		}
	}
	return bytes;
}

/* Nobody else is at work: the sum is exact, and as the limit wants it. */
static void check_held(size_t limit)
{
	ck_assert_uint_eq(limit_held_bytes(), held_by_parts());
	if (limit)
		ck_assert_uint_le(limit_held_bytes(), limit);
	assert_heap_sound();
}

static void set_limit(size_t bytes)
{
	ck_assert_int_eq(slabuddy_set_memory_limit(bytes, NULL, NULL), 0);
}

/* Blocks of @size until there are no more. */
static size_t take_all(size_t size, unsigned char byte)
{
	size_t nr = 0;

	errno = 0;
	while (nr < ARRAY_SIZE(blocks) && (blocks[nr] = heap_malloc(size)))
		memset(blocks[nr++], byte, size);
	ck_assert_uint_lt(nr, ARRAY_SIZE(blocks));
	ck_assert_int_eq(errno, ENOMEM);
	return nr;
}

static void free_all(size_t nr)
{
	while (nr)
		heap_free(blocks[--nr]);
}

static const size_t sizes[] = { 64, 1000, 8000, 32768, 40000, 1 << 20, 5 << 20 };

START_TEST(reached_and_again)
{
	size_t size = sizes[_i], first;

	set_limit(LIMIT);
	first = take_all(size, 1);
	check_held(LIMIT);
	/* it is a limit on what is used, not on half of that */
	ck_assert_uint_ge(first * size, LIMIT - LIMIT / 8 - size);
	ck_assert_uint_le(first * size, LIMIT);
	for (size_t i = 0; i < first; i++)
		ck_assert_int_eq(*(char *)blocks[i], 1);
	free_all(first);
	check_held(LIMIT);
	ck_assert_uint_ge(take_all(size, 2), first - first / 20);
	check_held(LIMIT);
	/* and without it there is more */
	set_limit(0);
	ck_assert_ptr_nonnull(heap_malloc(MIB(30)));
	check_held(0);
}
END_TEST

/* What was one size is dirty memory for the next: it fits only if that goes back first. */
START_TEST(purged_before_it_fails)
{
	size_t nr;

	options.purge = 0;
	set_limit(LIMIT);
	nr = take_all(3000, 1);
	free_all(nr);
	ck_assert_uint_gt(limit_held_bytes(), LIMIT / 2);
	/* as a mapping of its own, which has no use for free pages */
	blocks[0] = heap_malloc(HUGE_BYTES);
	ck_assert_ptr_nonnull(blocks[0]);
	check_held(LIMIT);
	heap_free(blocks[0]);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		nr = take_all(sizes[i], 1);
		ck_assert_uint_ge(nr * sizes[i], LIMIT - LIMIT / 8 - sizes[i]);
		check_held(LIMIT);
		free_all(nr);
	}
}
END_TEST

START_TEST(every_function_fails_cleanly)
{
	char *p, *grown;
	size_t nr;

	set_limit(LIMIT);
	p = heap_malloc(100000);
	fill_bytes(p, 100000, 7);
	nr = take_all(MIB(1), 1);
	errno = 0;
	ck_assert_ptr_null(heap_calloc(3, MIB(1)));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_ptr_null(heap_aligned(MIB(2), MIB(2)));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_ptr_null(heap_aligned_zeroed(64, MIB(2)));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_ptr_null(heap_malloc(HUGE_BYTES));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_ptr_null(heap_realloc(p, MIB(4)));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_ptr_null(heap_realloc(p, HUGE_BYTES));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert(filled_with(p, 100000, 7));
	check_held(LIMIT);
	/* smaller always works */
	grown = heap_realloc(p, 50000);
	ck_assert_ptr_nonnull(grown);
	ck_assert(filled_with(grown, 50000, 7));
	free_all(nr);
	/* what failed was for now */
	grown = heap_realloc(grown, MIB(4));
	ck_assert_ptr_nonnull(grown);
	ck_assert_ptr_nonnull(heap_calloc(3, MIB(1)));
	ck_assert_ptr_nonnull(heap_aligned(MIB(2), MIB(2)));
	check_held(LIMIT);
}
END_TEST

/* A mapping may grow by what is left, though a second one of its size has no room. */
START_TEST(huge_grows_in_its_place)
{
	size_t bytes = MIB(64), free_dirty;
	char *p, *q[10];

	options.purge = 0;
	set_limit(MIB(100));
	p = heap_malloc(bytes);
	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < ARRAY_SIZE(q); i++) {
		q[i] = heap_malloc(MIB(2));
		ck_assert_ptr_nonnull(q[i]);
		memset(q[i], 1, MIB(2));
	}
	p[0] = 'a';
	p[bytes - 1] = 'z';
	for (size_t i = 0; i < ARRAY_SIZE(q); i++)
		heap_free(q[i]);
	free_dirty = limit_held_bytes() - bytes;
	ck_assert_uint_gt(free_dirty, MIB(20));
	p = heap_realloc(p, MIB(90));
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(p[0], 'a');
	ck_assert_int_eq(p[bytes - 1], 'z');
	check_held(MIB(100));
	ck_assert_ptr_null(heap_realloc(p, MIB(101)));
	p = heap_realloc(p, MIB(40));
	check_held(MIB(100));
	ck_assert_ptr_nonnull(heap_malloc(MIB(50)));
	heap_free(p);
	check_held(MIB(100));
}
END_TEST

/* A large block whose neighbours are free grows where it is; not beyond the limit. */
START_TEST(large_does_not_grow_over_it)
{
	size_t size = MIB(1);
	char *p;

	take_own_slot();
	set_limit(MIB(16));
	p = heap_malloc(size);
	ck_assert_ptr_nonnull(p);
	for (;;) {
		char *now = heap_realloc(p, size + 100000);

		if (!now)
			break;
		p = now;
		size += 100000;
		check_held(MIB(16));
	}
	ck_assert_uint_gt(size, MIB(6));
	ck_assert_uint_le(heap_usable_size(p), MIB(16));
	check_held(MIB(16));
}
END_TEST

/* Clean memory is free of charge, and what is taken of it counts at once. */
START_TEST(clean_pages_count_when_they_are_taken)
{
	size_t before;
	void *p;

	heap_free(heap_malloc(MIB(20)));
	heap_trim();
	before = limit_held_bytes();
	check_held(0);
	p = heap_malloc(MIB(20));
	ck_assert_uint_eq(limit_held_bytes(), before + MIB(20));
	heap_free(p);
	/* it may have been written to */
	ck_assert_uint_ge(limit_held_bytes(), before);
	heap_trim();
	ck_assert_uint_eq(limit_held_bytes(), before);
	check_held(0);
}
END_TEST

/* Set below what is held: what is free goes back at once; nothing is added; frees are as ever. */
START_TEST(set_too_low)
{
	size_t nr = 0;

	while (nr < 30)
		ck_assert_ptr_nonnull(memset(blocks[nr++] = heap_malloc(MIB(1)), 1, MIB(1)));
	for (; nr > 20; nr--)
		heap_free(blocks[nr - 1]);
	set_limit(MIB(8));
	ck_assert_uint_gt(limit_held_bytes(), MIB(20));
	ck_assert_uint_lt(limit_held_bytes(), MIB(24));
	ck_assert_ptr_null(heap_malloc(MIB(1)));
	ck_assert_ptr_null(heap_malloc(HUGE_BYTES));
	for (; nr > 1; nr--)
		heap_free(blocks[nr - 1]);
	/* what was freed has not stayed, although it is less than dirty_min */
	check_held(MIB(8));
	ck_assert_ptr_nonnull(heap_malloc(MIB(1)));
	check_held(MIB(8));
}
END_TEST

static int free_one(size_t bytes, void *arg)
{
	size_t *nr = arg;

	handler_calls++;
	handler_bytes = bytes;
	if (!handler_says)
		return 0;
	handler_says--;
	if (*nr)
		heap_free(blocks[--*nr]);
	return 1;
}

START_TEST(handler_frees_something)
{
	size_t nr, at_limit;
	void *p;

	set_limit(LIMIT);
	nr = take_all(MIB(1), 1);
	at_limit = nr;
	ck_assert_int_eq(slabuddy_set_memory_limit(LIMIT, free_one, &nr), 0);
	handler_says = 100;
	errno = 0;
	p = heap_malloc(MIB(5));
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(errno, 0);
	ck_assert_uint_eq(handler_calls, at_limit - nr);
	ck_assert_uint_ge(handler_calls, 4);
	ck_assert_uint_le(handler_calls, 6);
	ck_assert_uint_ge(handler_bytes, 1);
	ck_assert_uint_le(handler_bytes, MIB(5));
	check_held(LIMIT);
	/* small ones too, and what it wants is pages for them */
	handler_calls = 0;
	while (!handler_calls)
		ck_assert_ptr_nonnull(heap_malloc(64));
	ck_assert_uint_ge(handler_bytes, PAGE_SIZE);
	check_held(LIMIT);
}
END_TEST

static int free_many(size_t bytes, void *arg)
{
	size_t *nr = arg;

	(void)bytes;
	if (!*nr)
		return 0;
	free_all(*nr);
	*nr = 0;
	return 1;
}

/* What it freed is of use for another size only when it has gone back to the OS. */
START_TEST(handler_frees_another_size)
{
	size_t nr;

	options.purge = 0;
	set_limit(LIMIT);
	nr = take_all(3000, 1);
	ck_assert_int_eq(slabuddy_set_memory_limit(LIMIT, free_many, &nr), 0);
	ck_assert_ptr_nonnull(heap_malloc(HUGE_BYTES));
	ck_assert_uint_eq(nr, 0);
	check_held(LIMIT);
}
END_TEST

START_TEST(handler_gives_up)
{
	size_t nr;

	set_limit(LIMIT);
	nr = take_all(MIB(1), 1);
	ck_assert_int_eq(slabuddy_set_memory_limit(LIMIT, free_one, &nr), 0);
	errno = 0;
	ck_assert_ptr_null(heap_malloc(MIB(5)));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_uint_eq(handler_calls, 1);
	/* not after what has nothing to do with the limit */
	set_limit(0);
	ck_assert_int_eq(slabuddy_set_memory_limit(0, free_one, &nr), 0);
	ck_assert_ptr_null(heap_malloc((size_t)1 << 50));
	ck_assert_ptr_null(heap_malloc(SIZE_MAX));
	ck_assert_uint_eq(handler_calls, 1);
	/* what may stay where it is asks nobody */
	ck_assert_int_eq(slabuddy_set_memory_limit(LIMIT, free_one, &nr), 0);
	ck_assert_ptr_nonnull(heap_realloc(blocks[0], 600000));
	ck_assert_uint_eq(handler_calls, 1);
	check_held(LIMIT);
}
END_TEST

static int raise_limit(size_t bytes, void *arg)
{
	(void)bytes;
	handler_calls++;
	/* what it allocates does not lead back here */
	ck_assert_ptr_null(heap_malloc(MIB(20)));
	set_limit(MIB(96));
	*(void **)arg = heap_malloc(1000);
	return 1;
}

START_TEST(handler_raises_the_limit)
{
	void *made = NULL;

	set_limit(LIMIT);
	take_all(MIB(1), 1);
	ck_assert_int_eq(slabuddy_set_memory_limit(LIMIT, raise_limit, &made), 0);
	ck_assert_ptr_nonnull(heap_malloc(MIB(20)));
	ck_assert_ptr_nonnull(made);
	ck_assert_uint_eq(handler_calls, 1);
	check_held(MIB(96));
}
END_TEST

#define NR_THREADS 4

static int count_only(size_t bytes, void *arg)
{
	(void)bytes;
	__atomic_fetch_add((unsigned int *)arg, 1, __ATOMIC_RELAXED);
	return 0;
}

/* Fills its share and frees it, again and again, in sizes that have no use for one another's memory. */
static void *press(void *arg)
{
	uint64_t rng = (uintptr_t)arg;
	void *mine[256];
	size_t failed = 0;

	for (int round = 0; round < 12; round++) {
		unsigned int nr = 0;

		while (nr < ARRAY_SIZE(mine)) {
			static const size_t mixed[] = { 100, 4000, 30000, 70000, 300000, HUGE_BYTES / 2 };
			size_t size = mixed[random_below(&rng, ARRAY_SIZE(mixed))];
			unsigned char *p = round % 2 ? heap_calloc(1, size) : heap_malloc(size);

			if (!p) {
				failed++;
				break;
			}
			if (round % 2)
				ck_assert(p[0] == 0 && p[size - 1] == 0);
			memset(p, (int)nr, size);
			mine[nr++] = p;
		}
		while (nr--) {
			ck_assert_uint_eq(*(unsigned char *)mine[nr], (unsigned char)nr);
			heap_free(mine[nr]);
		}
	}
	return (void *)failed;
}

START_TEST(threads_at_the_limit)
{
	pthread_t threads[NR_THREADS];
	unsigned int asked = 0;
	size_t failed = 0;

	ck_assert_int_eq(slabuddy_set_memory_limit(LIMIT, count_only, &asked), 0);
	for (uintptr_t i = 0; i < NR_THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, press, (void *)(i + 1)), 0);
	for (int i = 0; i < 200; i++)
		ck_assert_uint_le(limit_held_bytes(), LIMIT);
	for (int i = 0; i < NR_THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		failed += (size_t)result;
	}
	ck_assert_uint_gt(failed, 0);
	/* each failure asked, and nothing else did */
	ck_assert_uint_eq(asked, failed);
	check_held(LIMIT);
	/* all of it is to be had again */
	ck_assert_ptr_nonnull(heap_malloc(MIB(30)));
	check_held(LIMIT);
}
END_TEST

START_TEST(child_has_the_same)
{
	size_t nr;
	int status;
	pid_t pid;

	set_limit(LIMIT);
	nr = take_all(MIB(1), 1);
	pid = fork();
	if (!pid) {
		if (heap_malloc(MIB(1)) || limit_held_bytes() != held_by_parts())
			_exit(1);
		free_all(nr);
		_exit(!heap_malloc(MIB(30)) || heap_validate(NULL));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(values)
{
	errno = 0;
	ck_assert_int_eq(slabuddy_set_memory_limit(LIMIT, NULL, NULL), 0);
	ck_assert_int_eq(slabuddy_set_memory_limit(1, NULL, NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(slabuddy_set_memory_limit(MEMORY_LIMIT_MIN - 1, NULL, NULL), -1);
	ck_assert_int_eq(slabuddy_set_memory_limit(MEMORY_LIMIT_MAX + 1, NULL, NULL), -1);
	ck_assert_int_eq(slabuddy_set_memory_limit(SIZE_MAX, NULL, NULL), -1);
	ck_assert_uint_eq(options.memory_limit, LIMIT);
	ck_assert_int_eq(slabuddy_set_memory_limit(MEMORY_LIMIT_MAX, NULL, NULL), 0);
	ck_assert_int_eq(slabuddy_set_memory_limit(MEMORY_LIMIT_MIN, NULL, NULL), 0);
	/* the least one is enough for a little of everything */
	ck_assert(heap_malloc(100) && heap_malloc(10000) && heap_malloc(100000));
	ck_assert_int_eq(slabuddy_option("memory_limit=0"), 0);
	ck_assert_uint_eq(options.memory_limit, 0);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("malloc/limit");

	tcase_add_loop_test(tc, reached_and_again, 0, ARRAY_SIZE(sizes));
	tcase_add_test(tc, purged_before_it_fails);
	tcase_add_test(tc, every_function_fails_cleanly);
	tcase_add_test(tc, huge_grows_in_its_place);
	tcase_add_test(tc, large_does_not_grow_over_it);
	tcase_add_test(tc, clean_pages_count_when_they_are_taken);
	tcase_add_test(tc, set_too_low);
	tcase_add_test(tc, handler_frees_something);
	tcase_add_test(tc, handler_frees_another_size);
	tcase_add_test(tc, handler_gives_up);
	tcase_add_test(tc, handler_raises_the_limit);
	tcase_add_test(tc, threads_at_the_limit);
	tcase_add_test(tc, child_has_the_same);
	tcase_add_test(tc, values);
	return test_run(tc);
}
