/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "tools/residence.h"
#include "tools/room.h"
#include "tools/view.h"
#include "tools/walk.h"

/* As many as there are windows of 64 MiB below 2^48. */
#define MAX_SECTIONS ((uint64_t)1 << 22)

/* A section that has been copied. */
struct section_copy {
	struct view *view;
	char *copy; /* struct section */
	uint64_t base;
	struct zone_snapshot *zone; /* NULL: none that is known */
	uint64_t *resident;
	uint64_t *backed;
};

struct zone_snapshot *view_zone(struct view *view, uint64_t nid, uint64_t type)
{
	const struct layout *l = view->layout;
	/* the kernel's order */
	const uint64_t kinds[NR_ZONE_KINDS] = { CONSTANT_OF(l, ZONE_DMA),
						CONSTANT_OF(l, ZONE_DMA32),
						CONSTANT_OF(l, ZONE_NORMAL) };

	for (unsigned int kind = 0; kind < NR_ZONE_KINDS; kind++) {
		if (kinds[kind] == type && nid < SNAPSHOT_NODES)
			return &view->snapshot.zone[nid * NR_ZONE_KINDS + kind];
	}
	return NULL;
}

/* The zone that a pointer into node_data[] means. */
static struct zone_snapshot *zone_at(struct view *view, uint64_t addr)
{
	const struct layout *l = view->layout;
	uint64_t offset = addr - l->place[PLACE_node_data];
	uint64_t nid = offset / SIZE_OF(l, pglist_data);
	uint64_t in_node = offset % SIZE_OF(l, pglist_data) - OFFSET_OF(l, pglist_data, zones);

	return view_zone(view, nid, in_node / SIZE_OF(l, zone));
}

/* A block that is only addresses. */
#define PAGES_UNCOMMITTED NR_PAGE_KINDS

static const struct {
	enum number_id type;
	int kind;
	bool by_order; /* its head tells the order, or else the number of pages */
} block_types[] = {
	{ CONSTANT_PAGE_SLAB, PAGES_SLAB, true },
	{ CONSTANT_PAGE_LARGE, PAGES_LARGE, false },
	{ CONSTANT_PAGE_BLOCK, PAGES_BLOCK, true },
	{ CONSTANT_PAGE_PCP, PAGES_SLOT, true },
	{ CONSTANT_PAGE_PCP_RUN, PAGES_SLOT, false },
	{ CONSTANT_PAGE_BUDDY, PAGES_FREE, true },
	{ CONSTANT_PAGE_ISOLATED, PAGES_PURGING, true },
	{ CONSTANT_PAGE_USED, PAGES_MOVING, false },
	{ CONSTANT_PAGE_UNCOMMITTED, PAGES_UNCOMMITTED, false },
};

/* How many pages the block has that a struct page heads, and what they are. Return: 0: it heads
 * none of ours. */
static uint64_t block_length(const struct layout *l, const char *page, int *kind)
{
	uint64_t type = GET(l, page, page, type);
	uint64_t order = GET(l, page, page, order);

	for (size_t i = 0; i < ARRAY_SIZE(block_types); i++) {
		if (type != l->number[block_types[i].type].value)
			continue;
		*kind = block_types[i].kind;
		if (!block_types[i].by_order)
			return GET(l, page, page, nr_pages);
		return order < BITS_PER_WORD ? (uint64_t)1 << order : 0;
	}
	return 0;
}

/* Pages without memory have a tag of their own; one with objects in use has the cache's. */
static uint16_t tag_of_slab(const struct layout *l, const char *page, const uint16_t *tags)
{
	uint64_t nr_pages = (uint64_t)1 << GET(l, page, page, order) % BITS_PER_WORD;
	uint16_t tag = tags[0];

	for (uint64_t i = 1; i < nr_pages && tag < CONSTANT_OF(l, TAG_FIRST_CACHE); i++)
		tag = tags[i];
	return tag;
}

static void add_slab(struct section_copy *section, const char *page, unsigned int pfn)
{
	struct view *view = section->view;
	const struct layout *l = view->layout;
	const uint16_t *tags =
		(const uint16_t *)(const void *)(section->copy + OFFSET_OF(l, section, tag));
	int32_t number = view->cache_of_tag[tag_of_slab(l, page, &tags[pfn])];
	uint64_t inuse = GET(l, page, page, inuse);
	uint64_t objects = GET(l, page, page, objects);
	struct cache_view *cache;

	/* its cache is newer than the list that was read */
	if (!number)
		return;
	cache = &view->cache[number - 1];
	if (!inuse) {
		cache->empty++;
	} else if (inuse >= objects) {
		cache->full++;
	} else {
		cache->partial++;
		cache->partial_inuse += inuse;
		cache->partial_objects += objects;
	}
}

static void add_free(struct section_copy *section, const char *page, unsigned int pfn)
{
	const struct layout *l = section->view->layout;
	const uint8_t *types =
		(const uint8_t *)section->copy + OFFSET_OF(l, section, pageblock_type);
	uint8_t type = types[pfn >> CONSTANT_OF(l, PAGEBLOCK_ORDER)];
	uint64_t order = GET(l, page, page, order);

	section->view->free_dirty += GET(l, page, page, nr_dirty) * RESIDENCE_PAGE_BYTES;
	if (section->zone && type < SNAPSHOT_TYPES && order < SNAPSHOT_ORDERS)
		section->zone->free_type[type][order].blocks++;
}

/* Take in the block that page number @pfn heads. Return: its pages, at least 1. */
static unsigned int add_block(struct section_copy *section, unsigned int pfn)
{
	struct view *view = section->view;
	const struct layout *l = view->layout;
	const char *page =
		section->copy + OFFSET_OF(l, section, mem_map) + (size_t)pfn * SIZE_OF(l, page);
	unsigned int left = CONSTANT_OF(l, PAGES_PER_SECTION) - pfn;
	int kind = PAGES_UNCOMMITTED;
	uint64_t length = block_length(l, page, &kind);

	if (!length)
		return 1;
	/* a struct page that was being written to says anything */
	if (length > left) {
		view->target->torn = true;
		return 1;
	}
	view_add_range(view, section->base + (uint64_t)pfn * RESIDENCE_PAGE_BYTES,
		       length * RESIDENCE_PAGE_BYTES);
	if (kind == PAGES_UNCOMMITTED) {
		view->uncommitted += length * RESIDENCE_PAGE_BYTES;
		return (unsigned int)length;
	}
	view->pages[kind].bytes += length * RESIDENCE_PAGE_BYTES;
	if (view->residence)
		view->pages[kind].resident +=
			(uint64_t)bitmap_count_range(section->resident, pfn, (unsigned int)length) *
			RESIDENCE_PAGE_BYTES;
	if (kind == PAGES_SLAB)
		add_slab(section, page, pfn);
	if (kind == PAGES_FREE)
		add_free(section, page, pfn);
	view->nr_large += kind == PAGES_LARGE;
	return (unsigned int)length;
}

/* As in buddy/snapshot.c: a pageblock counts when some of it is committed. */
static bool pageblock_is_managed(const uint16_t *tag, unsigned int pages, unsigned int grain)
{
	for (unsigned int pfn = 0; pfn < pages; pfn += grain) {
		if (tag[pfn])
			return true;
	}
	return false;
}

static void add_pageblocks(struct section_copy *section)
{
	const struct layout *l = section->view->layout;
	const uint16_t *tags =
		(const uint16_t *)(const void *)(section->copy + OFFSET_OF(l, section, tag));
	const uint8_t *types =
		(const uint8_t *)section->copy + OFFSET_OF(l, section, pageblock_type);
	unsigned int pages = 1U << CONSTANT_OF(l, PAGEBLOCK_ORDER);

	for (unsigned int block = 0; block < CONSTANT_OF(l, PAGES_PER_SECTION) / pages; block++) {
		if (types[block] < SNAPSHOT_TYPES &&
		    pageblock_is_managed(tags + (size_t)block * pages, pages,
					 CONSTANT_OF(l, COMMIT_GRAIN_PAGES)))
			section->zone->pageblocks[types[block]]++;
	}
}

static void add_section(struct section_copy *section)
{
	const struct layout *l = section->view->layout;
	unsigned int nr_pages = CONSTANT_OF(l, PAGES_PER_SECTION);

	section->base = GET(l, section->copy, section, base);
	section->zone = zone_at(section->view, GET(l, section->copy, section, zone));
	residence_read(section->view->target, section->base, nr_pages, section->resident,
		       section->backed);
	for (unsigned int pfn = 0; pfn < nr_pages;)
		pfn += add_block(section, pfn);
	if (section->zone)
		add_pageblocks(section);
}

static void add_section_struct(struct view *view, uint64_t addr)
{
	uint64_t bytes =
		ALIGN_UP((uint64_t)SIZE_OF(view->layout, section), view->target->page_size);

	view_add_range(view, addr, bytes);
	view->sections.bytes += bytes;
	view->sections.resident += residence_bytes(view->target, addr, bytes);
}

void view_add_pages(struct view *view)
{
	const struct layout *l = view->layout;
	size_t words = CONSTANT_OF(l, PAGES_PER_SECTION) / BITS_PER_WORD;
	struct section_copy section = {
		.view = view,
		.copy = room_new(SIZE_OF(l, section)),
		.resident = room_new(words * sizeof(uint64_t)),
		.backed = room_new(words * sizeof(uint64_t)),
	};
	uint64_t link = OFFSET_OF(l, section, list);
	uint64_t head = l->place[PLACE_sections];
	struct walk walk;
	uint64_t nr, at;

	at = residence_variable(view->target, head, sizeof(at));
	/* they never end; arbitrarily many may have come meanwhile */
	nr = residence_variable(view->target, l->place[PLACE_nr_sections], sizeof(nr));
	walk = (struct walk){ .left = MIN(nr, MAX_SECTIONS) + 64 };
	while (at && at != head) {
		if (!walk_goes_on(&walk, at) ||
		    !residence_copy(view->target, at - link, link, section.copy,
				    SIZE_OF(l, section))) {
			view->target->torn = true;
			break;
		}
		add_section_struct(view, at - link);
		add_section(&section);
		at = GET(l, section.copy + link, list_head, next);
	}
	free(section.copy);
	free(section.resident);
	free(section.backed);
}
