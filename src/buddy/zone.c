/* SPDX-License-Identifier: MIT */
#include "buddy/zone.h"

#include "base/option.h"

struct pglist_data node_data[MAX_NUMNODES];

unsigned int nr_nodes(void)
{
	unsigned long fake = READ_ONCE(options.numa_fake);

	return fake ? (unsigned int)MIN(fake, MAX_NUMNODES) : 1;
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

void zone_unlock(struct zone *zone)
{
	lock_release(&zone->lock, LOCK_ZONE);
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

void zone_walk_locks(void (*visit)(struct lock *lock))
{
	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		for (int type = 0; type < MAX_NR_ZONES; type++)
			visit(&node_data[nid].zones[type].lock);
	}
}
