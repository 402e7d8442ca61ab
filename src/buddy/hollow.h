/* SPDX-License-Identifier: MIT */
/*
 * Pages whose owner keeps them but needs nothing of what is in them: their memory goes back to the OS, and comes again,
 * zeroed, at the next touch. They stay the owner's, so no list knows them; the zone only counts them.
 */
#ifndef SLABUDDY_BUDDY_HOLLOW_H
#define SLABUDDY_BUDDY_HOLLOW_H

#include "buddy/zone.h"

/* The most pages of a block that can be told apart. */
#define MAX_HOLLOW_PAGES 32U

/**
 * zone_hollow_out() - give back the memory of some pages of a block.
 * @page: the block's first page.
 * @pages: which of it, a bit each. OS pages that they do not cover whole stay.
 *
 * Return: which ones went.
 * Context: no lock but the caller's slot may be held; nobody else touches the pages.
 */
uint32_t zone_hollow_out(struct page *page, uint32_t pages);

/* So many of them are going to be touched. */
void zone_fill_hollow(struct zone *zone, unsigned int nr);

/* Blocks that nobody has looked through for pages that may go: @nr pages more or, if negative, less. */
static inline void zone_add_sparse(struct zone *zone, long nr)
{
	__atomic_fetch_add(&zone->nr_sparse, (unsigned long)nr, __ATOMIC_RELAXED);
}

/*
 * How many pages of such blocks may stay: they are as good against page faults as free ones that are dirty, so they may have
 * what these leave of the floor. Measured: a heap that goes up by 6 MiB of blocks of 512 bytes and down to a 50th at random, for
 * ever, has no page faults instead of 256 a round, and takes 0.41 ms instead of 1.60.
 *
 * Context: no lock but the caller's slot may be held.
 */
unsigned long zone_sparse_to_keep(struct zone *zone);

/**
 * zone_free_hollow_run() - take back a run, of which some pages have no memory.
 * @hollow: which ones, a bit each.
 */
void zone_free_hollow_run(struct page *page, unsigned int nr_pages, uint32_t hollow);

#endif
