/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "tools/residence.h"
#include "tools/room.h"
#include "tools/view.h"

/* The kernel's names, by kind. */
static const char *const zone_names[NR_ZONE_KINDS] = { "DMA", "DMA32", "Normal" };

static void set_type_names(struct view *view)
{
	const struct layout *l = view->layout;
	struct heap_snapshot *heap = &view->snapshot;

	snprintf(heap->type_name[CONSTANT_OF(l, MIGRATE_UNMOVABLE)], sizeof(heap->type_name[0]),
		 "Unmovable");
	snprintf(heap->type_name[CONSTANT_OF(l, MIGRATE_MOVABLE)], sizeof(heap->type_name[0]),
		 "Movable");
	snprintf(heap->type_name[CONSTANT_OF(l, MIGRATE_RECLAIMABLE)], sizeof(heap->type_name[0]),
		 "Reclaimable");
}

static void add_zone(struct view *view, const char *zone, struct zone_snapshot *snap)
{
	const struct layout *l = view->layout;
	const char *areas = zone + OFFSET_OF(l, zone, free_area);

	snap->free = GET(l, zone, zone, nr_free_pages);
	snap->free_dirty = GET(l, zone, zone, nr_dirty);
	snap->purging = GET(l, zone, zone, nr_isolated);
	snap->managed = GET(l, zone, zone, managed_pages);
	snap->present = snap->managed + GET(l, zone, zone, uncommitted_pages);
	for (unsigned int order = 0; order < CONSTANT_OF(l, NR_PAGE_ORDERS); order++)
		snap->nr_free[order] =
			GET(l, areas + order * SIZE_OF(l, free_area), free_area, nr_free);
}

void view_add_zones(struct view *view)
{
	const struct layout *l = view->layout;
	struct heap_snapshot *heap = &view->snapshot;
	size_t bytes = (size_t)CONSTANT_OF(l, MAX_NUMNODES) * SIZE_OF(l, pglist_data);
	char *nodes = room_new(bytes);

	heap->nr_orders = CONSTANT_OF(l, NR_PAGE_ORDERS);
	heap->nr_types = CONSTANT_OF(l, MIGRATE_TYPES);
	heap->pageblock_order = CONSTANT_OF(l, PAGEBLOCK_ORDER);
	heap->nr_zones = CONSTANT_OF(l, MAX_NUMNODES) * NR_ZONE_KINDS;
	set_type_names(view);
	for (unsigned int i = 0; i < heap->nr_zones; i++) {
		heap->zone[i].nid = i / NR_ZONE_KINDS;
		snprintf(heap->zone[i].name, sizeof(heap->zone[i].name), "%s",
			 zone_names[i % NR_ZONE_KINDS]);
	}
	if (!residence_copy_variable(view->target, l->place[PLACE_node_data], nodes, bytes))
		view->target->torn = true;
	else
		for (unsigned int i = 0;
		     i < CONSTANT_OF(l, MAX_NUMNODES) * CONSTANT_OF(l, MAX_NR_ZONES); i++) {
			unsigned int nid = i / CONSTANT_OF(l, MAX_NR_ZONES);
			unsigned int type = i % CONSTANT_OF(l, MAX_NR_ZONES);
			struct zone_snapshot *snap = view_zone(view, nid, type);

			if (snap)
				add_zone(view,
					 nodes + nid * SIZE_OF(l, pglist_data) +
						 OFFSET_OF(l, pglist_data, zones) +
						 type * SIZE_OF(l, zone),
					 snap);
		}
	free(nodes);
}
