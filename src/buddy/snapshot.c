/* SPDX-License-Identifier: MIT */
#include "buddy/snapshot.h"

#include <string.h>

#include "buddy/grow.h"
#include "buddy/wmark.h"
#include "page/section.h"

_Static_assert(MAX_NUMNODES <= SNAPSHOT_NODES && MAX_NUMNODES * MAX_NR_ZONES <= SNAPSHOT_ZONES &&
		       NR_PAGE_ORDERS <= SNAPSHOT_ORDERS && MIGRATE_TYPES <= SNAPSHOT_TYPES,
	       "a snapshot has room for every heap");

/* In the kernel's order. */
static const enum zone_type zone_kinds[] = { ZONE_DMA, ZONE_DMA32, ZONE_NORMAL };

_Static_assert(ARRAY_SIZE(zone_kinds) == MAX_NR_ZONES, "each zone has its place");

static const char *const type_names[MIGRATE_TYPES] = {
	[MIGRATE_UNMOVABLE] = "Unmovable",
	[MIGRATE_MOVABLE] = "Movable",
	[MIGRATE_RECLAIMABLE] = "Reclaimable",
};

/* A list of more free blocks than that is not counted to its end, as in the kernel: others wait for the
 * zone. */
#define MAX_COUNTED 100000UL

static struct type_count count_list(const struct list_head *list)
{
	struct type_count count = { .blocks = 0 };
	const struct list_head *pos;

	list_for_each (pos, list) {
		if (count.blocks == MAX_COUNTED) {
			count.more = true;
			break;
		}
		count.blocks++;
	}
	return count;
}

/* The lock is let go of between the lists, of which one may be long. */
static void count_free_types(struct zone *zone, struct zone_snapshot *snap)
{
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
			zone_lock(zone);
			snap->free_type[mt][order] =
				count_list(&zone->free_area[order].free_list[mt]);
			zone_unlock(zone);
		}
	}
}

static void add_events(struct vm_snapshot *vm, const struct zone_events *events)
{
	vm->pgfree += events->pgfree;
	vm->zone_alloc += events->alloc;
	vm->zone_free += events->free;
	vm->zone_grow += events->grow;
	vm->zone_miss += events->miss;
	vm->buddy_split += events->split;
	vm->buddy_merge += events->merge;
	vm->pageblock_claim += events->claim;
	vm->pageblock_steal += events->steal;
	vm->pgpurge += events->purged;
	vm->purge_fail += events->purge_failed;
}

static unsigned long *pgalloc_of(struct vm_snapshot *vm, enum zone_type type)
{
	switch (type) {
	case ZONE_DMA:
		return &vm->pgalloc_dma;
	case ZONE_DMA32:
		return &vm->pgalloc_dma32;
	default:
		return &vm->pgalloc_normal;
	}
}

static void count_pages(struct zone *zone, struct zone_snapshot *snap, struct vm_snapshot *vm)
{
	zone_lock(zone);
	snap->free = zone->nr_free_pages;
	snap->free_dirty = zone->nr_dirty;
	snap->purging = zone->nr_isolated;
	snap->managed = zone->managed_pages;
	snap->present = zone->managed_pages + zone->uncommitted_pages;
	snap->miss = zone->events.miss;
	snap->foreign = zone->events.foreign;
	/* locked memory is never purged */
	if (zone->type != ZONE_DMA) {
		snap->low = low_wmark_pages(zone);
		snap->high = high_wmark_pages(zone);
	}
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++)
		snap->nr_free[order] = zone->free_area[order].nr_free;
	*pgalloc_of(vm, zone->type) += zone->events.pgalloc;
	add_events(vm, &zone->events);
	zone_unlock(zone);
}

static void add_zone(struct heap_snapshot *heap, unsigned int nid, unsigned int kind, bool by_type)
{
	struct zone *zone = &node_data[nid].zones[zone_kinds[kind]];
	struct zone_snapshot *snap = &heap->zone[heap->nr_zones++];
	struct vm_snapshot *vm = &heap->vm;

	strcpy(snap->name, zone_names[zone_kinds[kind]]);
	snap->nid = nid;
	snap->has_pagesets = zone_kinds[kind] == ZONE_NORMAL;
	count_pages(zone, snap, vm);
	if (by_type)
		count_free_types(zone, snap);
	vm->nr_free_pages += snap->free;
	vm->nr_free_dirty += snap->free_dirty;
	vm->nr_purging += snap->purging;
	vm->nr_uncommitted += snap->present - snap->managed;
	if (zone_kinds[kind] == ZONE_DMA)
		vm->nr_mlock += snap->managed;
	for (unsigned int order = PAGEBLOCK_ORDER; order <= MAX_PAGE_ORDER; order++)
		vm->nr_free_pages_blocks += snap->nr_free[order] << order;
}

/*
 * Whether any page of a pageblock is committed: ranges start at multiples of more than the step, and are
 * committed from their front. Racy: a tag of a page that is out may change.
 */
static bool pageblock_is_managed(const struct section *section, unsigned int first)
{
	for (unsigned int pfn = first; pfn < first + PAGEBLOCK_PAGES; pfn += COMMIT_GRAIN_PAGES) {
		if (section_tag(section, pfn) != TAG_NONE)
			return true;
	}
	return false;
}

static void count_pageblocks(struct section *section, struct zone_snapshot *snap)
{
	zone_lock(section->zone);
	for (unsigned int block = 0; block < PAGEBLOCKS_PER_SECTION; block++) {
		if (pageblock_is_managed(section, block << PAGEBLOCK_ORDER))
			snap->pageblocks[section->pageblock_type[block]]++;
	}
	zone_unlock(section->zone);
}

static struct zone_snapshot *zone_of(struct heap_snapshot *heap, const struct section *section)
{
	for (unsigned int i = 0; i < heap->nr_zones; i++) {
		struct zone_snapshot *snap = &heap->zone[i];
		enum zone_type type = zone_kinds[i % ARRAY_SIZE(zone_kinds)];

		if (section->zone == &node_data[snap->nid].zones[type])
			return snap;
	}
	return NULL;
}

static void add_section(struct heap_snapshot *heap, struct section *section, bool by_type)
{
	struct zone_snapshot *snap = zone_of(heap, section);
	unsigned long first = section->base >> PAGE_SHIFT;

	/* it came to life behind our back */
	if (!snap)
		return;
	snap->spanned += PAGES_PER_SECTION;
	if (!snap->start_pfn || first < snap->start_pfn)
		snap->start_pfn = first;
	if (by_type)
		count_pageblocks(section, snap);
}

/* A node that options have made, or that has pages all the same. */
static bool node_is_there(unsigned int nid)
{
	bool there = nid < nr_nodes();

	/* racy peek */
	for (int type = 0; type < MAX_NR_ZONES; type++)
		there |= READ_ONCE(node_data[nid].zones[type].managed_pages) != 0;
	return there;
}

void zones_snapshot(struct heap_snapshot *heap, bool by_type)
{
	heap->nr_orders = NR_PAGE_ORDERS;
	heap->nr_types = MIGRATE_TYPES;
	heap->pageblock_order = PAGEBLOCK_ORDER;
	for (int mt = 0; mt < MIGRATE_TYPES; mt++)
		strcpy(heap->type_name[mt], type_names[mt]);
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		if (!node_is_there(nid))
			continue;
		for (unsigned int kind = 0; kind < ARRAY_SIZE(zone_kinds); kind++)
			add_zone(heap, nid, kind, by_type);
	}
	for (struct section *section = section_next(NULL); section; section = section_next(section))
		add_section(heap, section, by_type);
	heap->vm.nr_memmap_pages = section_meta_bytes() >> PAGE_SHIFT;
}
