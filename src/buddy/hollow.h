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

/**
 * zone_free_hollow_run() - take back a run, of which some pages have no memory.
 * @hollow: which ones, a bit each.
 */
void zone_free_hollow_run(struct page *page, unsigned int nr_pages, uint32_t hollow);

#endif
