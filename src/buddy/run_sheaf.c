/* SPDX-License-Identifier: MIT */
#include "buddy/run_sheaf.h"

#include "buddy/purge.h"
#include "buddy/run.h"

/* Misses of what the sheaf had no room for before it gets more. Arbitrary: one is an accident. */
#define MISSES_TO_GROW 2

/* Misses without a hit after which what was lent goes back. Arbitrary: as many as there are entries. */
#define MISSES_TO_SETTLE RUN_SHEAF_ROOM

/* The entry with the best fit for @nr_pages; RUN_SHEAF_ROOM: there is none. */
static unsigned int find_fit(const struct run_sheaf *sheaf, uint32_t nr_pages)
{
	unsigned int best = RUN_SHEAF_ROOM;
	uint32_t least = nr_pages / 8 + 1;

	for (unsigned int i = 0; i < RUN_SHEAF_ROOM; i++) {
		if (sheaf->length[i] - nr_pages < least) {
			least = sheaf->length[i] - nr_pages;
			best = i;
		}
	}
	return best;
}

noinline void *run_sheaf_pop(struct run_sheaf *sheaf, uint32_t nr_pages, enum page_type type)
{
	unsigned int i;

	if (sheaf->nr_pages < nr_pages)
		return NULL;
	i = find_fit(sheaf, nr_pages);
	if (i == RUN_SHEAF_ROOM)
		return NULL;
	sheaf->newest = i;
	return run_sheaf_pop_newest(sheaf, nr_pages, type);
}

unsigned int run_sheaf_find_empty(const struct run_sheaf *sheaf)
{
	unsigned int i = 0;

	while (i < RUN_SHEAF_ROOM && sheaf->length[i])
		i++;
	return i;
}

/* Take the run at @i out for good. Its zone gets it, and was not told of it before. */
static void give_up(struct run_sheaf *sheaf, unsigned int i)
{
	struct page *page = run_page(sheaf->runs[i]);
	uint32_t length = sheaf->length[i];

	WRITE_ONCE(sheaf->length[i], 0);
	WRITE_ONCE(sheaf->nr_pages, sheaf->nr_pages - length);
	page_set_type(page, PAGE_USED);
	zone_free_kept_run(page);
	sheaf->passed = length;
}

/* Entries are filled in no order; going round comes close to the order of their age. */
static void give_up_oldest(struct run_sheaf *sheaf)
{
	while (!sheaf->length[sheaf->oldest])
		sheaf->oldest = (sheaf->oldest + 1) % RUN_SHEAF_ROOM;
	give_up(sheaf, sheaf->oldest);
	sheaf->oldest = (sheaf->oldest + 1) % RUN_SHEAF_ROOM;
}

static void grow(struct run_sheaf *sheaf, struct zone *zone, uint32_t length)
{
	uint32_t limit = MIN(sheaf->limit + length, MAX_RUN_PAGES);

	if (sheaf->missed < MISSES_TO_GROW || limit == sheaf->limit)
		return;
	sheaf->missed = 0;
	if (zone_lend(zone, limit - sheaf->limit))
		WRITE_ONCE(sheaf->limit, limit);
}

bool run_sheaf_keep(struct run_sheaf *sheaf, struct zone *zone, struct page *page)
{
	uint32_t length = page->nr_pages;

	if (unlikely(!sheaf->limit))
		WRITE_ONCE(sheaf->limit, BASE_RUN_PAGES);
	if (length > sheaf->limit - sheaf->nr_pages)
		grow(sheaf, zone, length);
	if (length > sheaf->limit) {
		sheaf->passed = length;
		return false;
	}
	while (length > sheaf->limit - sheaf->nr_pages)
		give_up_oldest(sheaf);
	if (!run_sheaf_push(sheaf, page, page_start(page))) {
		give_up_oldest(sheaf);
		run_sheaf_push(sheaf, page, page_start(page));
	}
	return true;
}

void run_sheaf_missed(struct run_sheaf *sheaf, struct zone *zone, uint32_t nr_pages)
{
	if (run_fits(sheaf->passed, nr_pages))
		sheaf->missed++;
	if (sheaf->pgalloc != sheaf->pgalloc_noticed) {
		sheaf->pgalloc_noticed = sheaf->pgalloc;
		sheaf->useless = 0;
	}
	if (++sheaf->useless >= MISSES_TO_SETTLE)
		run_sheaf_settle(sheaf, zone);
}

void run_sheaf_drain(struct run_sheaf *sheaf, struct zone *zone)
{
	for (unsigned int i = 0; i < RUN_SHEAF_ROOM; i++) {
		if (sheaf->length[i])
			give_up(sheaf, i);
	}
	if (sheaf->limit > BASE_RUN_PAGES) {
		zone_take_back_lent(zone, sheaf->limit - BASE_RUN_PAGES);
		WRITE_ONCE(sheaf->limit, BASE_RUN_PAGES);
	}
	sheaf->missed = 0;
	sheaf->useless = 0;
}

void run_sheaf_settle(struct run_sheaf *sheaf, struct zone *zone)
{
	if (sheaf->limit > BASE_RUN_PAGES)
		run_sheaf_drain(sheaf, zone);
}

void run_sheaf_recount(struct run_sheaf *sheaf)
{
	sheaf->nr_pages = 0;
	for (unsigned int i = 0; i < RUN_SHEAF_ROOM; i++)
		sheaf->nr_pages += sheaf->length[i];
}

void run_sheaf_validate(struct audit *audit, const struct run_sheaf *sheaf, const struct zone *zone)
{
	uint32_t nr_pages = 0;

	for (unsigned int i = 0; i < RUN_SHEAF_ROOM; i++) {
		const struct page *page;

		if (!sheaf->length[i])
			continue;
		page = run_page(sheaf->runs[i]);
		nr_pages += sheaf->length[i];
		AUDIT(audit, page_type(page) == PAGE_PCP_RUN && page->nr_pages == sheaf->length[i] &&
				     page_zone(page) == zone,
		      "run %p of %u pages in a sheaf is of type %u and has %u", sheaf->runs[i],
		      sheaf->length[i], page->type, page->nr_pages);
	}
	AUDIT(audit, nr_pages == sheaf->nr_pages && nr_pages <= sheaf->limit,
	      "a run sheaf for %u pages says that it has %u, and has %u", sheaf->limit,
	      sheaf->nr_pages, nr_pages);
}
