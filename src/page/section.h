/* SPDX-License-Identifier: MIT */
/*
 * Sections come from the OS as reserved addresses, with struct section beside them.
 */
#ifndef SLABUDDY_PAGE_SECTION_H
#define SLABUDDY_PAGE_SECTION_H

#include "base/lock.h"
#include "page/page.h"

/* A range of pages within one section. */
struct page_range {
	struct section *section; /* NULL: no range */
	unsigned int pfn;
	unsigned int nr_pages;
};

/* What the addresses of a zone must be like. */
struct section_place {
	bool below_4g;
	bool prefer_node;     /* memory behind it comes from a NUMA node, if that has any */
	unsigned int os_node; /* by the OS's number */
};

/**
 * section_reserve() - more addresses for a zone.
 * @zone: who gets them.
 * @place: what they must be like; NULL: anything will do.
 * @order: the range must hold an aligned block of this order.
 *
 * Asks for a whole section first, then for less and less, down to one block, so that an
 * address-space limit does not end in failure while there is room.
 *
 * Return: an uncommitted range that is on no list yet; .section is NULL when the OS refused.
 * Context: maps memory; no lock may be held. Takes LOCK_SECTIONS.
 */
struct page_range section_reserve(struct zone *zone, const struct section_place *place,
				  unsigned int order);

/**
 * section_forget_tails() - give the memory of struct pages back that say nothing.
 * @head: of a block whose first and last struct page alone are used, and that nobody else can get at.
 * @nr_pages: of the block.
 *
 * The others read as zero afterwards, which is PAGE_NONE. What cannot go back stays.
 *
 * Context: a system call for a block of 256 pages and more.
 */
void section_forget_tails(struct page *head, unsigned int nr_pages);

/* Calls @visit for every section, under LOCK_SECTIONS. */
void section_for_each(void (*visit)(struct section *section, void *arg), void *arg);

/* The section behind @section in the order of their making, the first for NULL; NULL: no more. Sections
 * never end. */
struct section *section_next(const struct section *section);

/* Whether @page is a struct page of ours, for a pointer that may be anything. */
bool section_has_page(const struct page *page);

/* Bytes of struct section mapped, touched or not; and how many sections there are. */
size_t section_meta_bytes(void);
size_t section_count(void);

void section_walk_locks(lock_visit *visit, void *arg);

#endif
