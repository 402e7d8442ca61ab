/* SPDX-License-Identifier: MIT */
/*
 * Widths, blanks at the ends of lines and the order of lines are the kernel's: fs/proc, mm/vmstat.c,
 * mm/slab_common.c. Lines that would mean nothing here are left out of zoneinfo and vmstat; every
 * column of the other files is there.
 */
#include "base/procfs.h"

#include "base/bits.h"

void procfs_slabinfo_head(struct text *text)
{
	text_printf(text, "slabinfo - version: 2.1\n");
	text_printf(text, "# name            <active_objs> <num_objs> <objsize> <objperslab> "
			  "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata "
			  "<active_slabs> <num_slabs> <sharedavail>\n");
}

/* Tunables and sharedavail are always 0, as they are with SLUB. */
void procfs_slabinfo_row(struct text *text, const struct cache_snapshot *cache)
{
	text_printf(text,
		    "%-17s %6lu %6lu %6u %4u %4u : tunables %4u %4u %4u : slabdata %6lu %6lu %6lu\n",
		    cache->name, cache->active_objs, cache->num_objs, cache->objsize,
		    cache->objperslab, cache->pagesperslab, 0, 0, 0, cache->active_slabs,
		    cache->num_slabs, 0UL);
}

void procfs_buddyinfo(struct text *text, const struct heap_snapshot *heap)
{
	for (unsigned int i = 0; i < heap->nr_zones; i++) {
		const struct zone_snapshot *zone = &heap->zone[i];

		if (!zone_is_populated(zone))
			continue;
		text_printf(text, "Node %u, zone %8s ", zone->nid, zone->name);
		for (unsigned int order = 0; order < heap->nr_orders; order++)
			text_printf(text, "%6lu ", zone->nr_free[order]);
		text_printf(text, "\n");
	}
}

static void free_by_type(struct text *text, const struct heap_snapshot *heap,
			 const struct zone_snapshot *zone)
{
	for (unsigned int type = 0; type < heap->nr_types; type++) {
		text_printf(text, "Node %4u, zone %8s, type %12s ", zone->nid, zone->name,
			    heap->type_name[type]);
		for (unsigned int order = 0; order < heap->nr_orders; order++) {
			const struct type_count *count = &zone->free_type[type][order];

			text_printf(text, "%s%6lu ", count->more ? ">" : "", count->blocks);
		}
		text_printf(text, "\n");
	}
}

static void pageblocks_by_type(struct text *text, const struct heap_snapshot *heap,
			       const struct zone_snapshot *zone)
{
	text_printf(text, "Node %u, zone %8s ", zone->nid, zone->name);
	for (unsigned int type = 0; type < heap->nr_types; type++)
		text_printf(text, "%12lu ", zone->pageblocks[type]);
	text_printf(text, "\n");
}

void procfs_pagetypeinfo(struct text *text, const struct heap_snapshot *heap)
{
	text_printf(text, "Page block order: %u\n", heap->pageblock_order);
	text_printf(text, "Pages per block:  %lu\n\n", 1UL << heap->pageblock_order);
	text_printf(text, "%-43s ", "Free pages count per migrate type at order");
	for (unsigned int order = 0; order < heap->nr_orders; order++)
		text_printf(text, "%6u ", order);
	text_printf(text, "\n");
	for (unsigned int i = 0; i < heap->nr_zones; i++) {
		if (zone_is_populated(&heap->zone[i]))
			free_by_type(text, heap, &heap->zone[i]);
	}
	text_printf(text, "\n%-23s", "Number of blocks type ");
	for (unsigned int type = 0; type < heap->nr_types; type++)
		text_printf(text, "%12s ", heap->type_name[type]);
	text_printf(text, "\n");
	for (unsigned int i = 0; i < heap->nr_zones; i++) {
		if (zone_is_populated(&heap->zone[i]))
			pageblocks_by_type(text, heap, &heap->zone[i]);
	}
}

/* What one order can make of a zone's free pages. */
struct free_pages {
	unsigned long pages;
	unsigned long blocks;
	unsigned long suitable; /* pages in blocks that are large enough */
};

static struct free_pages count_free(const struct heap_snapshot *heap,
				    const struct zone_snapshot *zone, unsigned int order)
{
	struct free_pages free = { 0 };

	for (unsigned int i = 0; i < MIN(heap->nr_orders, SNAPSHOT_ORDERS); i++) {
		free.pages += zone->nr_free[i] << i;
		free.blocks += zone->nr_free[i];
		free.suitable += i >= order ? zone->nr_free[i] << i : 0;
	}
	return free;
}

/*
 * In thousandths: why would a block of this order not be had? -1000: it would; towards 0: too few
 * pages are free; towards 1000: they are, in blocks that are too small. Far less than one block's
 * pages give less than 0.
 */
static long extfrag_index(const struct free_pages *free, unsigned int order)
{
	unsigned long blocks_worth = (free->pages * 1000) >> order;

	if (!free->blocks)
		return 0;
	if (free->suitable)
		return -1000;
	return 1000 - (long)((1000 + blocks_worth) / free->blocks);
}

/* In thousandths: how much of what is free is in blocks that are too small. Of nothing, all. */
static long unusable_index(const struct free_pages *free, unsigned int order)
{
	(void)order;
	if (!free->pages)
		return 1000;
	return (long)((free->pages - free->suitable) * 1000 / free->pages);
}

/* @width: of a number's sign and whole part. */
static void index_rows(struct text *text, const struct heap_snapshot *heap, int width,
		       long (*index)(const struct free_pages *free, unsigned int order))
{
	for (unsigned int i = 0; i < heap->nr_zones; i++) {
		const struct zone_snapshot *zone = &heap->zone[i];

		if (!zone_is_populated(zone))
			continue;
		text_printf(text, "Node %u, zone %8s ", zone->nid, zone->name);
		for (unsigned int order = 0; order < heap->nr_orders; order++) {
			struct free_pages free = count_free(heap, zone, order);
			long value = index(&free, order);
			long size = value < 0 ? -value : value;

			/* above -1.000 the kernel writes the sign behind the point */
			text_printf(text, "%*s%ld.%03ld ", width - 1, value < 0 ? "-" : "",
				    size / 1000, size % 1000);
		}
		text_printf(text, "\n");
	}
}

void procfs_extfrag_index(struct text *text, const struct heap_snapshot *heap)
{
	index_rows(text, heap, 2, extfrag_index);
}

void procfs_unusable_index(struct text *text, const struct heap_snapshot *heap)
{
	index_rows(text, heap, 1, unusable_index);
}

/* The node's own figures stand under its first zone that has pages. */
static bool is_first_of_node(const struct heap_snapshot *heap, const struct zone_snapshot *zone)
{
	if (!zone_is_populated(zone))
		return false;
	for (const struct zone_snapshot *other = heap->zone; other < zone; other++) {
		if (other->nid == zone->nid && zone_is_populated(other))
			return false;
	}
	return true;
}

static void stat_line(struct text *text, const char *name, unsigned long value)
{
	text_printf(text, "\n      %-12s %lu", name, value);
}

void procfs_zoneinfo_head(struct text *text, const struct heap_snapshot *heap,
			  const struct zone_snapshot *zone)
{
	text_printf(text, "Node %u, zone %8s", zone->nid, zone->name);
	if (is_first_of_node(heap, zone)) {
		text_printf(text, "\n  per-node stats");
		stat_line(text, "nr_slab_reclaimable", heap->node[zone->nid].slab_reclaimable);
		stat_line(text, "nr_slab_unreclaimable", heap->node[zone->nid].slab_unreclaimable);
	}
	text_printf(text, "\n  pages free     %lu", zone->free);
	text_printf(text, "\n        boost    %lu\n        min      %lu", 0UL, 0UL);
	text_printf(text, "\n        low      %lu\n        high     %lu", zone->low, zone->high);
	text_printf(text, "\n        spanned  %lu\n        present  %lu\n        managed  %lu",
		    zone->spanned, zone->present, zone->managed);
	if (!zone_is_populated(zone))
		return;
	stat_line(text, "nr_free_pages", zone->free);
	stat_line(text, "nr_free_dirty", zone->free_dirty);
	stat_line(text, "nr_purging", zone->purging);
	stat_line(text, "zone_miss", zone->miss);
	stat_line(text, "zone_foreign", zone->foreign);
	text_printf(text, "\n  pagesets");
}

void procfs_zoneinfo_pageset(struct text *text, const struct pageset_snapshot *pageset)
{
	text_printf(text, "\n    cpu: %u", pageset->slot);
	text_printf(text,
		    "\n              count:    %u\n              high:     %u"
		    "\n              batch:    %u",
		    pageset->count, pageset->high, pageset->batch);
}

void procfs_zoneinfo_tail(struct text *text, const struct zone_snapshot *zone)
{
	if (zone_is_populated(zone))
		text_printf(text, "\n  start_pfn:           %lu", zone->start_pfn);
	text_printf(text, "\n");
}

#define ITEM(name) { #name, offsetof(struct vm_snapshot, name) }

static const struct {
	const char *name;
	size_t offset;
} vm_items[] = {
	ITEM(nr_free_pages),
	ITEM(nr_free_pages_blocks),
	ITEM(nr_mlock),
	ITEM(nr_slab_reclaimable),
	ITEM(nr_slab_unreclaimable),
	ITEM(nr_memmap_pages),
	ITEM(nr_free_dirty),
	ITEM(nr_purging),
	ITEM(nr_uncommitted),
	ITEM(nr_pcp_pages),
	ITEM(nr_block_pages),
	ITEM(nr_large_pages),
	ITEM(nr_huge_pages),
	ITEM(nr_metadata_pages),
	ITEM(nr_large_blocks),
	ITEM(nr_huge_blocks),
	ITEM(nr_slots),
	ITEM(nr_caches),
	ITEM(pgalloc_dma),
	ITEM(pgalloc_dma32),
	ITEM(pgalloc_normal),
	ITEM(allocstall_dma),
	ITEM(allocstall_dma32),
	ITEM(allocstall_normal),
	ITEM(pgfree),
	ITEM(slabs_scanned),
	ITEM(kswapd_run),
	ITEM(kswapd_pressure),
	ITEM(kswapd_limit),
	ITEM(kswapd_blind),
	ITEM(kswapd_fail),
	ITEM(alloc_fail),
	ITEM(zone_alloc),
	ITEM(zone_free),
	ITEM(zone_grow),
	ITEM(zone_miss),
	ITEM(buddy_split),
	ITEM(buddy_merge),
	ITEM(pageblock_claim),
	ITEM(pageblock_steal),
	ITEM(pgpurge),
	ITEM(purge_fail),
	ITEM(thp_ask),
	ITEM(thp_break_up),
	ITEM(thp_dear),
	ITEM(thp_refused),
	ITEM(sheaf_refill),
	ITEM(sheaf_flush),
	ITEM(barn_get),
	ITEM(barn_put),
	ITEM(barn_remote),
	ITEM(remote_free),
	ITEM(slab_alloc),
	ITEM(slab_free),
	ITEM(partial_add),
	ITEM(partial_del),
};

_Static_assert(ARRAY_SIZE(vm_items) * sizeof(unsigned long) == offsetof(struct vm_snapshot, lock),
	       "each figure has its line");

void procfs_vmstat(struct text *text, const struct heap_snapshot *heap)
{
	for (size_t i = 0; i < ARRAY_SIZE(vm_items); i++) {
		const void *value = (const char *)&heap->vm + vm_items[i].offset;

		text_printf(text, "%s %lu\n", vm_items[i].name, *(const unsigned long *)value);
	}
	for (int rank = 0; rank < NR_LOCK_RANKS; rank++) {
		const struct lock_count *count = &heap->vm.lock[rank];

		text_printf(text, "lock_%s %lu\n", lock_rank_names[rank], count->acquisitions);
		text_printf(text, "lock_%s_wait %lu\n", lock_rank_names[rank], count->waits);
	}
}

void procfs_alias(struct text *text, const struct alias_snapshot *alias)
{
	text_printf(text, "%s %s\n", alias->name, alias->cache);
}
