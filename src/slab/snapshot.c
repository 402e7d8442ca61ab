/* SPDX-License-Identifier: MIT */
#include "slab/snapshot.h"

#include <string.h>

#include "slab/cache.h"
#include "slab/slot.h"

_Static_assert(CACHE_NAME_BYTES <= SNAPSHOT_NAME_BYTES, "a snapshot has room for every name");

static unsigned long empty_slabs(struct kmem_cache *cache)
{
	unsigned long nr = 0;

	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

		/* racy peek, of a figure that others change meanwhile */
		nr += node ? READ_ONCE(node->nr_empty) : 0;
	}
	return nr;
}

static void fill_cache(struct kmem_cache *cache, struct cache_snapshot *snap)
{
	struct cache_count count;
	unsigned long idle;

	cache_count(cache, &count);
	idle = count.in_barns + count.in_slots;
	strcpy(snap->name, cache->name);
	snap->active_objs = count.inuse - MIN(idle, count.inuse);
	snap->num_objs = count.objects;
	snap->num_slabs = count.slabs;
	snap->active_slabs = count.slabs - MIN(empty_slabs(cache), count.slabs);
	snap->objsize = cache->size;
	snap->objperslab = cache->objects;
	snap->pagesperslab = 1U << cache->order;
}

/* What is collected, and how many rows there was no room for. */
struct collection {
	struct rows *rows;
	size_t missing;
};

/*
 * Caches and their names stand still under LOCK_CACHES only, where no memory may be asked for: so once
 * more, with more room, until it is enough. (Not under LOCK_LIFETIME: whoever ends a cache may hold that
 * while waiting for RCU, and the caller may be a reader.)
 */
static bool collect(struct rows *rows, void (*add)(struct kmem_cache *cache, void *arg))
{
	struct collection all = { .rows = rows };

	do {
		if (!rows_reserve(rows, rows->nr + all.missing))
			return false;
		rows_clear(rows);
		all.missing = 0;
		cache_for_each(add, &all);
	} while (all.missing);
	return true;
}

static void add_cache(struct kmem_cache *cache, void *arg)
{
	struct collection *all = arg;
	struct cache_snapshot *snap = rows_add(all->rows);

	if (snap)
		fill_cache(cache, snap);
	else
		all->missing++;
}

bool caches_snapshot(struct rows *rows)
{
	return collect(rows, add_cache);
}

static void add_aliases(struct kmem_cache *cache, void *arg)
{
	struct collection *all = arg;
	struct list_head *pos;

	list_for_each (pos, &cache->aliases) {
		struct cache_alias *alias = list_entry(pos, struct cache_alias, list);
		struct alias_snapshot *snap = rows_add(all->rows);

		if (!snap) {
			all->missing++;
			continue;
		}
		strcpy(snap->name, alias->name);
		strcpy(snap->cache, cache->name);
	}
}

bool aliases_snapshot(struct rows *rows)
{
	return collect(rows, add_aliases);
}

static void fill_pageset(struct slot *slot, struct pageset_snapshot *snap)
{
	struct page_sheaves_count sheaves;

	lock_acquire(&slot->lock, LOCK_SLOT);
	pcp_snapshot(&slot->pcp, snap);
	page_sheaves_count(slot->page_sheaves, &sheaves);
	lock_release(&slot->lock, LOCK_SLOT);
	snap->count += (unsigned int)sheaves.pages;
	snap->high += (unsigned int)sheaves.high;
	snap->nid = slot->nid;
}

bool pagesets_snapshot(struct rows *rows)
{
	struct slot *first = slot_first();
	unsigned int nr = 0;

	for (struct slot *slot = first; slot; slot = slot->next) {
		if (!rows_reserve(rows, rows->nr + 1))
			return false;
		rows_add(rows);
		nr++;
	}
	/* slots come newest first */
	for (struct slot *slot = first; slot; slot = slot->next) {
		struct pageset_snapshot *snap = rows_at(rows, --nr);

		fill_pageset(slot, snap);
		snap->slot = nr;
	}
	return true;
}

static void add_slab_pages(struct kmem_cache *cache, void *arg)
{
	struct heap_snapshot *heap = arg;

	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = load_acquire(&cache->node[nid]);
		unsigned long pages = node ? READ_ONCE(node->nr_slabs) << cache->order : 0;

		if (cache->migratetype == MIGRATE_RECLAIMABLE) {
			heap->node[nid].slab_reclaimable += pages;
			heap->vm.nr_slab_reclaimable += pages;
		} else {
			heap->node[nid].slab_unreclaimable += pages;
			heap->vm.nr_slab_unreclaimable += pages;
		}
	}
	heap->vm.nr_caches++;
}

static void add_slot(struct slot *slot, struct vm_snapshot *vm)
{
	struct page_sheaves_count sheaves;
	struct pageset_snapshot pageset;

	fill_pageset(slot, &pageset);
	page_sheaves_count(load_acquire(&slot->page_sheaves), &sheaves);
	vm->pgalloc_normal += sheaves.pgalloc;
	vm->pgfree += sheaves.pgfree;
	vm->nr_pcp_pages += pageset.count;
	vm->nr_slots++;
	vm->pgalloc_normal += READ_ONCE(slot->pcp.pgalloc) + READ_ONCE(slot->pcp.runs.pgalloc);
	vm->pgfree += READ_ONCE(slot->pcp.pgfree) + READ_ONCE(slot->pcp.runs.pgfree);
	vm->sheaf_refill += READ_ONCE(slot->events.sheaf_refill);
	vm->sheaf_flush += READ_ONCE(slot->events.sheaf_flush);
	vm->barn_get += READ_ONCE(slot->events.barn_get);
	vm->barn_put += READ_ONCE(slot->events.barn_put);
	vm->barn_remote += READ_ONCE(slot->events.barn_remote);
	vm->remote_free += READ_ONCE(slot->events.remote_free);
}

static void add_nodes(struct vm_snapshot *vm)
{
	struct slab_events events;

	cache_count_events(&events);
	vm->slab_alloc = events.slab_alloc;
	vm->slab_free = events.slab_free;
	vm->partial_add = events.partial_add;
	vm->partial_del = events.partial_del;
}

void slots_snapshot(struct heap_snapshot *heap)
{
	cache_for_each(add_slab_pages, heap);
	for (struct slot *slot = slot_first(); slot; slot = slot->next)
		add_slot(slot, &heap->vm);
	add_nodes(&heap->vm);
}
