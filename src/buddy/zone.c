/* SPDX-License-Identifier: MIT */
#include "buddy/zone.h"

#include "base/root.h"
#include "buddy/kswapd.h"
#include "buddy/wmark.h"
#include "os/info.h"
#include "page/limit.h"

struct pglist_data node_data[MAX_NUMNODES];
ROOT_PLACE(node_data);

const char *const zone_names[MAX_NR_ZONES] = {
	[ZONE_NORMAL] = "Normal",
	[ZONE_DMA32] = "DMA32",
	[ZONE_DMA] = "DMA",
};

static unsigned int os_nodes[MAX_NUMNODES] read_mostly; /* [atomic, const once nr_os_nodes is not 0] */
static unsigned int nr_os_nodes read_mostly; /* [atomic] */

/* Racy: whoever comes first writes the same. */
static cold unsigned int find_os_nodes(void)
{
	unsigned int found[MAX_NUMNODES] = { 0 };
	unsigned int nr = MIN(os_allowed_nodes(found, MAX_NUMNODES), MAX_NUMNODES);

	for (unsigned int i = 0; i < nr; i++)
		WRITE_ONCE(os_nodes[i], found[i]);
	nr = MAX(nr, 1);
	store_release(&nr_os_nodes, nr);
	return nr;
}

unsigned int nr_nodes(void)
{
	unsigned long wanted = READ_ONCE(options.numa);
	unsigned int nr;

	if (wanted != NUMA_AUTO)
		return (unsigned int)MIN(wanted, MAX_NUMNODES);
	nr = load_acquire(&nr_os_nodes);
	return likely(nr) ? nr : find_os_nodes();
}

unsigned int node_to_os(unsigned int nid)
{
	return READ_ONCE(os_nodes[nid]);
}

unsigned int node_here(void)
{
	unsigned int here;

	if (!nodes_are_real())
		return 0;
	here = os_current_node();
	for (unsigned int nid = 0; nid < nr_nodes(); nid++) {
		if (node_to_os(nid) == here)
			return nid;
	}
	return 0;
}

static cold void zone_init(struct zone *zone)
{
	size_t index = (size_t)((char *)zone - (char *)node_data);
	struct pglist_data *node = &node_data[index / sizeof(*node)];

	zone->nid = (uint8_t)(node - node_data);
	zone->type = (uint8_t)(zone - node->zones);
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		for (int mt = 0; mt < MIGRATE_TYPES; mt++)
			list_head_init(&zone->free_area[order].free_list[mt]);
	}
	list_head_init(&zone->uncommitted);
	zone->ready = true;
}

void zone_lock(struct zone *zone)
{
	lock_acquire(&zone->lock, LOCK_ZONE);
	if (unlikely(!zone->ready))
		zone_init(zone);
}

/* Pages that may have memory behind them, but for those that are being purged. */
static unsigned long held_pages(const struct zone *zone)
{
	/* locked memory is there whether it is in use or not */
	if (zone->type == ZONE_DMA)
		return zone->managed_pages;
	return zone->managed_pages - zone->nr_free_pages - zone->nr_isolated + zone->nr_dirty;
}

bool zone_may_hold(struct zone *zone)
{
	unsigned long held = held_pages(zone);

	ASSERT_HELD(&zone->lock, LOCK_ZONE);
	if (held <= zone->charged_pages)
		return true;
	if (unlikely(!limit_charge((held - zone->charged_pages) << PAGE_SHIFT)))
		return false;
	if (unlikely(zone->floor_cut))
		floor_refaulted(zone, held - zone->charged_pages);
	zone->charged_pages = held;
	return true;
}

/* What changed without being asked for: pages that went back, or that the OS would not take. */
static noinline void correct_charge(struct zone *zone, unsigned long held)
{
	if (held < zone->charged_pages)
		limit_uncharge((zone->charged_pages - held) << PAGE_SHIFT);
	else
		limit_charge_anyway((held - zone->charged_pages) << PAGE_SHIFT);
	zone->charged_pages = held;
}

void zone_unlock(struct zone *zone)
{
	unsigned long held = held_pages(zone);
	bool call;

	if (unlikely(held != zone->charged_pages))
		correct_charge(zone, held);
	/* here, where no pages are between two lists */
	if (zone->nr_dirty < zone->least_dirty)
		zone->least_dirty = zone->nr_dirty;
	call = unlikely(kswapd_is_on()) && kswapd_is_wanted(zone);
	lock_release(&zone->lock, LOCK_ZONE);
	if (unlikely(call))
		kswapd_call();
}

void zone_count(struct zone *zone, struct zone_pages *pages)
{
	zone_lock(zone);
	pages->managed = zone->managed_pages;
	pages->free = zone->nr_free_pages;
	pages->dirty = zone->nr_dirty;
	pages->isolated = zone->nr_isolated;
	pages->uncommitted = zone->uncommitted_pages;
	zone_unlock(zone);
}

void zone_walk_locks(lock_visit *visit, void *arg)
{
	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		for (int type = 0; type < MAX_NR_ZONES; type++)
			visit(&node_data[nid].zones[type].lock, arg);
	}
}
