/* SPDX-License-Identifier: MIT */
/*
 * zone_validate_all(): every page is exactly one of free, pcp, isolated, uncommitted or owned by
 * somebody, and the zones' counters say so too.
 */
#include <string.h>

#include "buddy/free_area.h"
#include "buddy/thp.h"
#include "page/section.h"

/* What the struct pages of a zone add up to. */
struct tally {
	unsigned long managed;
	unsigned long free;
	unsigned long dirty;
	unsigned long isolated;
	unsigned long uncommitted;
	unsigned long nr_free[NR_PAGE_ORDERS];
};

struct walk {
	struct audit *audit;
	struct tally tally[MAX_NUMNODES][MAX_NR_ZONES];
};

/* See thp.h: what a huge page may have made resident counts as dirty. */
static void check_asked(struct audit *audit, struct section *section, unsigned int pfn,
			unsigned int nr_pages)
{
	for (unsigned int at = pfn; at < pfn + nr_pages; at += PAGEBLOCK_PAGES) {
		unsigned int nr = MIN(nr_pages, PAGEBLOCK_PAGES);

		AUDIT(audit, !(thp_asked(section) >> (at >> PAGEBLOCK_ORDER) & 1) ||
				     bitmap_count_range(section->dirty, at, nr) == nr,
		      "free block at %p has clean pages in a pageblock that asked for a huge page",
		      page_start(section_page(section, at)));
	}
}

static void check_free_block(struct audit *audit, struct section *section, unsigned int pfn)
{
	struct page *page = section_page(section, pfn);
	unsigned int order = page->order;
	struct page *buddy;

	AUDIT(audit, order <= MAX_PAGE_ORDER && IS_ALIGNED(pfn, 1U << order),
	      "free block at %p has order %u", page_start(page), order);
	AUDIT(audit, page->nr_dirty == bitmap_count_range(section->dirty, pfn, 1U << order),
	      "free block at %p: %u dirty pages, its bitmap has %u", page_start(page),
	      page->nr_dirty, bitmap_count_range(section->dirty, pfn, 1U << order));
	check_asked(audit, section, pfn, 1U << order);
	if (order < MAX_PAGE_ORDER) {
		buddy = section_page(section, pfn ^ 1U << order);
		AUDIT(audit, page_type(buddy) != PAGE_BUDDY || buddy->order != order,
		      "free block at %p of order %u did not merge with its buddy",
		      page_start(page), order);
	}
}

/* Tails say PAGE_NONE, and a page of ours has a tag unless it is uncommitted. */
static void check_pages(struct audit *audit, struct section *section, unsigned int pfn,
			unsigned int nr)
{
	enum page_type type = page_type(section_page(section, pfn));

	for (unsigned int i = 0; i < nr; i++) {
		struct page *page = section_page(section, pfn + i);
		size_t tag = section_tag(section, pfn + i);

		AUDIT(audit, !i || page_type(page) == PAGE_NONE, "tail page %p is of type %u",
		      page_start(page), page_type(page));
		if (type == PAGE_UNCOMMITTED)
			AUDIT(audit, tag == TAG_NONE, "uncommitted page %p has tag %zu",
			      page_start(page), tag);
		else if (type == PAGE_SLAB)
			AUDIT(audit, tag != TAG_NONE, "slab page %p has no tag",
			      page_start(page));
		else
			AUDIT(audit, tag == TAG_PLAIN, "page %p of type %u has tag %zu",
			      page_start(page), type, tag);
	}
}

/* Count the block at @pfn. Return: its length in pages. */
static unsigned int check_block(struct audit *audit, struct tally *tally, struct section *section,
				unsigned int pfn)
{
	struct page *page = section_page(section, pfn);
	unsigned int nr = 1;

	switch (page_type(page)) {
	case PAGE_NONE:
		/* not ours, then; a tail would have been stepped over */
		AUDIT(audit, section_tag(section, pfn) == TAG_NONE, "page %p is lost",
		      page_start(page));
		return 1;
	case PAGE_UNCOMMITTED:
		nr = page->nr_pages;
		tally->uncommitted += nr;
		break;
	case PAGE_BUDDY:
		nr = 1U << page->order;
		check_free_block(audit, section, pfn);
		tally->free += nr;
		tally->dirty += page->nr_dirty;
		tally->nr_free[MIN(page->order, MAX_PAGE_ORDER)]++;
		break;
	case PAGE_ISOLATED:
		nr = 1U << page->order;
		tally->isolated += nr;
		break;
	case PAGE_BLOCK:
		AUDIT(audit, READ_ONCE(page->refcount) >= 0, "block at %p has %d references",
		      page_start(page), page->refcount);
		AUDIT(audit, IS_ALIGNED(pfn, 1U << page->order), "block at %p has order %u",
		      page_start(page), page->order);
		nr = 1U << page->order;
		break;
	case PAGE_PCP:
	case PAGE_SLAB:
		nr = 1U << page->order;
		break;
	case PAGE_PCP_RUN:
	case PAGE_USED:
	case PAGE_LARGE:
		nr = page->nr_pages;
		break;
	default:
		audit_fault(audit, "page %p is of unknown type %u", page_start(page), page->type);
		return 1;
	}
	if (!nr || pfn + nr > PAGES_PER_SECTION) {
		audit_fault(audit, "block at %p of type %u has %u pages", page_start(page),
			    page->type, nr);
		return 1;
	}
	if (page_type(page) != PAGE_UNCOMMITTED)
		tally->managed += nr;
	check_pages(audit, section, pfn, nr);
	return nr;
}

static void check_section(struct section *section, void *arg)
{
	struct walk *walk = arg;
	struct zone *zone = section->zone;
	struct tally *tally = &walk->tally[zone->nid][zone->type];

	for (unsigned int pfn = 0; pfn < PAGES_PER_SECTION;)
		pfn += check_block(walk->audit, tally, section, pfn);
}

static void check_list(struct audit *audit, struct zone *zone, unsigned int order, int mt,
		       unsigned long *nr)
{
	struct list_head *list = &zone->free_area[order].free_list[mt];
	struct list_head *pos;

	list_for_each (pos, list) {
		struct page *page = list_entry(pos, struct page, lru);

		AUDIT(audit, page_type(page) == PAGE_BUDDY && page->order == order,
		      "page %p on the list of order %u is of type %u, order %u",
		      page_start(page), order, page->type, page->order);
		AUDIT(audit, pageblock_type(page) == (enum migratetype)mt,
		      "page %p of a pageblock of type %d is on the list of type %d",
		      page_start(page), (int)pageblock_type(page), mt);
		AUDIT(audit, pos->next->prev == pos, "free list of order %u is broken at %p", order,
		      page_start(page));
		AUDIT(audit, page_zone(page) == zone, "page %p is on another zone's list",
		      page_start(page));
		(*nr)++;
	}
}

static void check_zone(struct audit *audit, struct zone *zone, const struct tally *tally)
{
	if (!zone->ready)
		return;
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		unsigned long nr = 0;

		for (int mt = 0; mt < MIGRATE_TYPES; mt++)
			check_list(audit, zone, order, mt, &nr);
		AUDIT(audit, nr == zone->free_area[order].nr_free && nr == tally->nr_free[order],
		      "order %u: nr_free %lu, on the lists %lu, in the map %lu", order,
		      zone->free_area[order].nr_free, nr, tally->nr_free[order]);
	}
	AUDIT(audit, zone->nr_free_pages == tally->free, "nr_free_pages %lu, found %lu",
	      zone->nr_free_pages, tally->free);
	AUDIT(audit, zone->nr_dirty == tally->dirty, "nr_dirty %lu, found %lu", zone->nr_dirty,
	      tally->dirty);
	AUDIT(audit, zone->nr_isolated == tally->isolated, "nr_isolated %lu, found %lu",
	      zone->nr_isolated, tally->isolated);
	AUDIT(audit, zone->managed_pages == tally->managed, "managed_pages %lu, found %lu",
	      zone->managed_pages, tally->managed);
	AUDIT(audit, zone->uncommitted_pages == tally->uncommitted,
	      "uncommitted_pages %lu, found %lu", zone->uncommitted_pages, tally->uncommitted);
}

void zone_validate_all(struct audit *audit)
{
	/* too large for a stack that may be small */
	static struct walk walk;

	memset(&walk, 0, sizeof(walk));
	walk.audit = audit;
	section_for_each(check_section, &walk);
	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		for (int type = 0; type < MAX_NR_ZONES; type++)
			check_zone(audit, &node_data[nid].zones[type], &walk.tally[nid][type]);
	}
}
