/* SPDX-License-Identifier: MIT */
/*
 * What the three files of the page API share: pages.c allocates, page_free.c takes back, page_lookup.c tells
 * what a page is.
 */
#ifndef SLABUDDY_API_PAGES_H
#define SLABUDDY_API_PAGES_H

#include <slabuddy/gfp.h>

#include "page/meta.h"
#include "slab/slot.h"

/* Whether @slot has page sheaves; they are made when it has none. */
static inline bool slot_has_page_sheaves(struct slot *slot)
{
	/* reports count what is in them without the slot's lock */
	if (unlikely(!slot->page_sheaves))
		store_release(&slot->page_sheaves, meta_alloc(sizeof(*slot->page_sheaves)));
	return slot->page_sheaves;
}

static inline bool node_exists(int nid)
{
	return nid == NUMA_NO_NODE || (nid >= 0 && (unsigned int)nid < nr_nodes());
}

/* Make each page of something of @nr pages one of its own. */
static inline void page_make_single(struct page *page, size_t nr, enum migratetype mt)
{
	for (size_t i = 0; i < nr; i++) {
		page_block_init(page + i, 0, mt, CONTENTS_TOUCHED);
		page_set_type(page + i, PAGE_BLOCK);
	}
}

/* The page that an address lies in, or NULL. */
static always_inline struct page *page_around(const void *addr)
{
	struct section *section = addr_to_section(addr);
	unsigned int pfn = addr_to_pfn(addr);

	if (unlikely(!section) || section_tag(section, pfn) == TAG_NONE)
		return NULL;
	return section_page(section, pfn);
}

#endif
