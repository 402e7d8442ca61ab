/* SPDX-License-Identifier: MIT */
/*
 * The zone against an array that says of each page who owns it. The array is as simple as can be;
 * what the zone hands out must be free there, and what is free there must be free in the zone too.
 */
#include <errno.h>
#include <string.h>

#include "arena.h"
#include "os/mem.h"

void *__real_os_reserve(void *hint, size_t bytes, size_t align);
void *__wrap_os_reserve(void *hint, size_t bytes, size_t align);
int __real_os_commit(void *addr, size_t bytes);
int __wrap_os_commit(void *addr, size_t bytes);

static bool no_more;

void *__wrap_os_reserve(void *hint, size_t bytes, size_t align)
{
	return no_more ? NULL : __real_os_reserve(hint, bytes, align);
}

int __wrap_os_commit(void *addr, size_t bytes)
{
	return no_more ? -ENOMEM : __real_os_commit(addr, bytes);
}

#define ARENA_PAGES 1000U
#define NR_RUNS	    200U

static struct page *first;
static unsigned int owner[ARENA_PAGES]; /* 0: free; else the number of a run, from 1 */
static struct page *runs[NR_RUNS + 1];

static void claim(struct page *page, unsigned int nr, unsigned int run)
{
	ck_assert(page >= first && page + nr <= first + ARENA_PAGES);
	for (unsigned int i = 0; i < nr; i++) {
		ck_assert_uint_eq(owner[page - first + i], 0);
		owner[page - first + i] = run;
	}
}

static void unclaim(struct page *page, unsigned int nr, unsigned int run)
{
	for (unsigned int i = 0; i < nr; i++) {
		ck_assert_uint_eq(owner[page - first + i], run);
		owner[page - first + i] = 0;
	}
}

static unsigned int free_in_model(void)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < ARENA_PAGES; i++)
		nr += !owner[i];
	return nr;
}

/* Whether the model has an aligned block of 2^order free pages. */
static bool block_in_model(unsigned int order)
{
	unsigned int size = 1U << order, offset = page_pfn(first);

	for (unsigned int pfn = ALIGN_UP(offset, size); pfn + size <= offset + ARENA_PAGES;
	     pfn += size) {
		unsigned int i = 0;

		while (i < size && !owner[pfn - offset + i])
			i++;
		if (i == size)
			return true;
	}
	return false;
}

static void alloc_step(unsigned int run, uint64_t *seed)
{
	unsigned int nr = 1 + random_below(seed, random_below(seed, 4) ? 10 : 100);
	unsigned int align = random_below(seed, 3) ? 0 : random_below(seed, 6);
	enum migratetype mt = (enum migratetype)random_below(seed, MIGRATE_TYPES);
	struct page *page = zone_alloc_run(zone, nr, align, mt, NULL);
	unsigned int order = MAX(pages_to_order(nr), align);

	/* a block that holds it is found: steals and merges lose nothing; without one, only
	 * neighbours can have been joined */
	if (block_in_model(order))
		ck_assert_msg(page != NULL, "%u pages, order %u", nr, order);
	else if (page)
		ck_assert_msg(!align, "%u pages, aligned to order %u: %p", nr, align, (void *)page);
	if (!page)
		return;
	ck_assert(IS_ALIGNED(page_pfn(page), 1U << align));
	claim(page, nr, run);
	runs[run] = page;
}

static void change_step(unsigned int run, uint64_t *seed)
{
	struct page *page = runs[run];
	unsigned int nr = page->nr_pages, now = nr + 1 + random_below(seed, 20);

	switch (random_below(seed, 4)) {
	case 0:
		if (zone_extend_run(page, now))
			claim(page + nr, now - nr, run);
		break;
	case 1:
		now = 1 + random_below(seed, nr);
		if (now < nr) {
			zone_shorten_run(page, now);
			unclaim(page + now, nr - now, run);
		}
		break;
	default:
		give_pages(page, nr);
		unclaim(page, nr, run);
		runs[run] = NULL;
	}
}

START_TEST(random_sequence)
{
	uint64_t seed = test_seed();

	first = arena_of(ARENA_PAGES);
	no_more = true;
	for (int step = 0; step < 40000; step++) {
		unsigned int run = 1 + random_below(&seed, NR_RUNS);

		if (runs[run])
			change_step(run, &seed);
		else
			alloc_step(run, &seed);
		ck_assert_uint_eq(zone->nr_free_pages, free_in_model());
		if (step % 500 == 0)
			assert_heap_sound();
	}
	for (unsigned int run = 1; run <= NR_RUNS; run++) {
		if (runs[run])
			give_pages(runs[run], runs[run]->nr_pages);
	}
	ck_assert_uint_eq(zone->nr_free_pages, ARENA_PAGES);
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/model");

	tcase_add_loop_test(tc, random_sequence, 0, 4);
	return test_run(tc);
}
