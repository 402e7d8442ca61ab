/* SPDX-License-Identifier: MIT */
/*
 * Run sheaves: what a slot keeps of exact runs, so that a large block which is freed and allocated again
 * takes no lock. A few entries without an order; a run serves what is up to an eighth shorter.
 *
 * Every slot may keep BASE_RUN_PAGES. More is lent by the zone, and counts there as free dirty pages, when
 * a run that the sheaf had no room for was missed afterwards; it goes back when the sheaf no longer helps.
 *
 * Besides, a slot keeps the room behind one block that grows by realloc(), so that it grows without a lock of
 * the zone's, and nobody else moves in there.
 *
 * A run is PAGE_PCP_RUN while it is here and counts as dirty. Zeroed memory is a valid sheaf: it is
 * empty and full at once.
 */
#ifndef SLABUDDY_BUDDY_RUN_SHEAF_H
#define SLABUDDY_BUDDY_RUN_SHEAF_H

#include "buddy/zone.h"

/* Arbitrary: with a window of an eighth, 16 runs are as many as there are windows in three doublings. */
#define RUN_SHEAF_ROOM 16

/* Kept in any case. Arbitrary: 128 KiB; with 256, 64 threads that sleep kept up to 18 MiB instead of 15.5. */
#define BASE_RUN_PAGES 32U

/* Kept at most. Arbitrary: 4 MiB; in what is larger, a lock is nothing beside the first touch. */
#define MAX_RUN_PAGES 1024U

struct run_sheaf {
	uint32_t nr_pages; /* [owner; atomic] of all runs and the room, if that may be resident */
	uint32_t limit;	   /* [slot lock; atomic] of nr_pages; 0: never used */
	uint32_t newest;   /* [owner] the entry that was used last */
	uint32_t oldest;   /* [slot lock] the entry that is given up next */
	/* [owner; atomic] pages of each run; 0: there is none, whatever runs[] says */
	uint32_t length[RUN_SHEAF_ROOM];
	/* [owner] their addresses: what is pushed can be popped while its struct page is still on its way */
	void *runs[RUN_SHEAF_ROOM];
	struct page *room; /* [slot lock] free pages behind a block, PAGE_PCP_RUN; NULL: none */
	uint32_t room_pages; /* [slot lock; atomic] its length */
	uint32_t room_counted; /* [slot lock; atomic] the same, or 0 when it was never touched */
	unsigned long pgalloc; /* [owner; atomic] pages taken out, ever */
	unsigned long pgfree;  /* [owner; atomic] pages put in, ever */
	uint32_t passed;   /* [slot lock] pages of the last run that there was no room for */
	uint32_t missed;   /* [slot lock] how often one like that was asked for since the limit grew */
	bool borrows_not;  /* [const] nothing is lent to it: what threads use that have no slot yet is idle soon */
	uint32_t useless;  /* [slot lock] misses since the last hit that was noticed */
	unsigned long pgalloc_noticed; /* [slot lock] pgalloc at that moment */
};

/* Policy: how much longer than asked for a run may be. False also for a @length of 0. */
static always_inline bool run_fits(uint32_t length, uint32_t nr_pages)
{
	return length - nr_pages <= nr_pages / 8;
}

static always_inline struct page *run_page(const void *run)
{
	return section_page(addr_to_section(run), addr_to_pfn(run));
}

/*
 * Take out the run that was put in last, if it has at least @nr_pages, 1 to MAX_RUN_PAGES, and not many more. It
 * becomes of type @type. Return: its address, or NULL.
 */
static always_inline void *run_sheaf_pop_newest(struct run_sheaf *sheaf, uint32_t nr_pages,
						enum page_type type)
{
	unsigned int i = sheaf->newest;
	uint32_t length = sheaf->length[i];
	void *run = sheaf->runs[i];

	if (unlikely(!run_fits(length, nr_pages)))
		return NULL;
	/* the entry first: a forked child may find this slot at any point in between */
	WRITE_ONCE(sheaf->length[i], 0);
	WRITE_ONCE(sheaf->nr_pages, sheaf->nr_pages - length);
	ADD_ONCE(sheaf->pgalloc, length);
	store_release(&run_page(run)->type, (uint8_t)type);
	return run;
}

/* The same with the run that fits best. */
void *run_sheaf_pop(struct run_sheaf *sheaf, uint32_t nr_pages, enum page_type type);

/* Put a run, which starts at @run, in where the last one was taken out. Return: false when there is no room. */
static always_inline bool run_sheaf_push_newest(struct run_sheaf *sheaf, struct page *page, void *run)
{
	uint32_t length = page->nr_pages;
	unsigned int i = sheaf->newest;

	if (unlikely(length > sheaf->limit - sheaf->nr_pages || sheaf->length[i]))
		return false;
	page_set_type(page, PAGE_PCP_RUN);
	sheaf->runs[i] = run;
	WRITE_ONCE(sheaf->nr_pages, sheaf->nr_pages + length);
	ADD_ONCE(sheaf->pgfree, length);
	/* the run first, for the same reason */
	store_release(&sheaf->length[i], length);
	return true;
}

/* The same wherever there is room. */
bool run_sheaf_push(struct run_sheaf *sheaf, struct page *page, void *run);

/**
 * run_sheaf_missed() - note that a run was not there.
 *
 * What was lent goes back when many in a row were not. Context: under the slot's lock; may purge.
 */
void run_sheaf_missed(struct run_sheaf *sheaf, struct zone *zone, uint32_t nr_pages);

/**
 * run_sheaf_keep() - put a run in, in the place of older ones if need be.
 * @zone: its zone.
 *
 * Return: false: it is too long. Context: under the slot's lock; may purge.
 */
bool run_sheaf_keep(struct run_sheaf *sheaf, struct zone *zone, struct page *page);

/* Take out the longest run, if it is longer than @nr_pages. */
void *run_sheaf_pop_longest(struct run_sheaf *sheaf, uint32_t nr_pages, enum page_type type);

/**
 * run_sheaf_leave_room() - keep the end of a run that nobody has touched as the room behind it.
 * @page: the run, which is on no list.
 * @nr_pages: what is left of it.
 * @nr_dirty: how many of its pages may be resident.
 *
 * The room that was there before goes to the zone. Return: false: there is no room for so much, and the run is as it
 * was. Context: under the slot's lock.
 */
bool run_sheaf_leave_room(struct run_sheaf *sheaf, struct zone *zone, struct page *page,
			  uint32_t nr_pages, unsigned int nr_dirty);

/*
 * Make a run longer out of the room behind it. Return: false: it is not this one's, or too small; then it has gone to the
 * zone. Context: under the slot's lock.
 */
bool run_sheaf_grow_into_room(struct run_sheaf *sheaf, struct zone *zone, struct page *page,
			      uint32_t nr_pages);

/* A run that has room behind it will be freed: they become one. */
void run_sheaf_absorb_room(struct run_sheaf *sheaf, struct zone *zone, struct page *page);

static always_inline bool run_has_room(const struct run_sheaf *sheaf, const struct page *page)
{
	return page + page->nr_pages == sheaf->room;
}

/* Give all runs to the zone, and what it lent. The caller owns the slot, or holds it. */
void run_sheaf_drain(struct run_sheaf *sheaf, struct zone *zone);

/* The same for a sheaf that was lent something. */
void run_sheaf_settle(struct run_sheaf *sheaf, struct zone *zone);

/* In a forked child, for a slot whose thread is gone: it may have been in the middle of a push or pop. */
void run_sheaf_recount(struct run_sheaf *sheaf);

/* All free pages in it, for reports. Racy by nature. */
static inline unsigned int run_sheaf_pages(const struct run_sheaf *sheaf)
{
	return READ_ONCE(sheaf->nr_pages) - READ_ONCE(sheaf->room_counted) + READ_ONCE(sheaf->room_pages);
}

/* Check the sheaf of a slot at rest. */
void run_sheaf_validate(struct audit *audit, const struct run_sheaf *sheaf, const struct zone *zone);

#endif
