/* SPDX-License-Identifier: MIT */
#include "buddy/run_sheaf.h"

#include "buddy/run.h"
#include "buddy/wmark.h"

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

noinline bool run_sheaf_push(struct run_sheaf *sheaf, struct page *page, void *run)
{
	unsigned int i = sheaf->newest;

	/* before anything is written: this may be the sheaf of a slot that stands for none */
	if (page->nr_pages > sheaf->limit - sheaf->nr_pages)
		return false;
	if (sheaf->length[i])
		i = 0;
	while (i < RUN_SHEAF_ROOM && sheaf->length[i])
		i++;
	if (i == RUN_SHEAF_ROOM)
		return false;
	sheaf->newest = i;
	return run_sheaf_push_newest(sheaf, page, run);
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

/* Have @nr_pages more lent if there is no room for them, as far as a slot may. */
static void lend(struct run_sheaf *sheaf, struct zone *zone, uint32_t nr_pages)
{
	uint32_t limit;

	if (unlikely(!sheaf->limit))
		WRITE_ONCE(sheaf->limit, BASE_RUN_PAGES);
	if (sheaf->borrows_not || nr_pages <= sheaf->limit - sheaf->nr_pages)
		return;
	limit = MIN(sheaf->limit + nr_pages, MAX_RUN_PAGES);
	if (limit > sheaf->limit && zone_lend(zone, limit - sheaf->limit))
		WRITE_ONCE(sheaf->limit, limit);
}

static void grow(struct run_sheaf *sheaf, struct zone *zone, uint32_t length)
{
	if (sheaf->missed < MISSES_TO_GROW)
		return;
	sheaf->missed = 0;
	lend(sheaf, zone, length);
}

/* Make @nr_pages from @page on the room. The caller has counted them. */
static void set_room(struct run_sheaf *sheaf, struct page *page, uint32_t nr_pages)
{
	WRITE_ONCE(sheaf->room_pages, nr_pages);
	sheaf->room = nr_pages ? page : NULL;
	if (!nr_pages)
		return;
	page->nr_pages = nr_pages;
	page_set_type(page, PAGE_PCP_RUN);
}

static void count_room(struct run_sheaf *sheaf, uint32_t counted)
{
	WRITE_ONCE(sheaf->nr_pages, sheaf->nr_pages - sheaf->room_counted + counted);
	sheaf->room_counted = counted;
}

static void drop_room(struct run_sheaf *sheaf, struct zone *zone)
{
	bool resident = sheaf->room_counted;
	struct page *room = sheaf->room;

	if (!room)
		return;
	count_room(sheaf, 0);
	set_room(sheaf, NULL, 0);
	if (resident)
		zone_free_kept_run(room);
	else
		zone_return_kept_run(zone, room);
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
	if (length > sheaf->limit - sheaf->room_counted)
		drop_room(sheaf, zone);
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

noinline void *run_sheaf_pop_longest(struct run_sheaf *sheaf, uint32_t nr_pages, enum page_type type)
{
	unsigned int longest = 0;

	for (unsigned int i = 1; i < RUN_SHEAF_ROOM; i++) {
		if (sheaf->length[i] > sheaf->length[longest])
			longest = i;
	}
	if (sheaf->length[longest] <= nr_pages) {
		sheaf->missed += sheaf->passed > nr_pages;
		return NULL;
	}
	sheaf->newest = longest;
	return run_sheaf_pop_newest(sheaf, sheaf->length[longest], type);
}

bool run_sheaf_leave_room(struct run_sheaf *sheaf, struct zone *zone, struct page *page,
			  uint32_t nr_pages, unsigned int nr_dirty)
{
	uint32_t rest = page->nr_pages - nr_pages;
	uint32_t counted = nr_dirty ? rest : 0;

	drop_room(sheaf, zone);
	if (counted > sheaf->limit - sheaf->nr_pages)
		lend(sheaf, zone, counted);
	if (counted > sheaf->limit - sheaf->nr_pages)
		return false;
	page->nr_pages = nr_pages;
	set_room(sheaf, page + nr_pages, rest);
	count_room(sheaf, counted);
	ADD_ONCE(sheaf->pgfree, rest);
	return true;
}

bool run_sheaf_grow_into_room(struct run_sheaf *sheaf, struct zone *zone, struct page *page,
			      uint32_t nr_pages)
{
	uint32_t extra = nr_pages - page->nr_pages;
	struct page *room = sheaf->room;

	if (!run_has_room(sheaf, page))
		return false;
	if (extra > sheaf->room_pages) {
		drop_room(sheaf, zone);
		return false;
	}
	page_set_type(room, PAGE_NONE);
	page->nr_pages = nr_pages;
	count_room(sheaf, sheaf->room_counted ? sheaf->room_pages - extra : 0);
	set_room(sheaf, room + extra, sheaf->room_pages - extra);
	ADD_ONCE(sheaf->pgalloc, extra);
	return true;
}

void run_sheaf_absorb_room(struct run_sheaf *sheaf, struct zone *zone, struct page *page)
{
	/* what was never touched stays what it is */
	if (!sheaf->room_counted)
		drop_room(sheaf, zone);
	else
		run_sheaf_grow_into_room(sheaf, zone, page, page->nr_pages + sheaf->room_pages);
}

void run_sheaf_drain(struct run_sheaf *sheaf, struct zone *zone)
{
	drop_room(sheaf, zone);
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
	sheaf->nr_pages = sheaf->room_counted;
	for (unsigned int i = 0; i < RUN_SHEAF_ROOM; i++)
		sheaf->nr_pages += sheaf->length[i];
}

void run_sheaf_validate(struct audit *audit, const struct run_sheaf *sheaf, const struct zone *zone)
{
	const struct page *room = sheaf->room;
	uint32_t nr_pages = sheaf->room_counted;

	AUDIT(audit, !room || (page_type(room) == PAGE_PCP_RUN && page_zone(room) == zone &&
			       room->nr_pages == sheaf->room_pages),
	      "room of %u pages is of type %u and has %u", sheaf->room_pages, room ? room->type : 0,
	      room ? room->nr_pages : 0);
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
