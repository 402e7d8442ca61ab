/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/bits.h"
#include "tools/residence.h"
#include "tools/room.h"
#include "tools/view.h"
#include "tools/walk.h"

/* Named caches and malloc's classes; a walk that sees more goes in circles. */
static uint64_t max_caches(const struct layout *l)
{
	return (uint64_t)CONSTANT_OF(l, NR_GROUPS) * CONSTANT_OF(l, CACHES_PER_GROUP) +
	       CONSTANT_OF(l, NR_CLASS_TAGS);
}

static void add_node(struct view *view, struct cache_view *cache, uint64_t addr)
{
	const struct layout *l = view->layout;
	char *node = room_new(SIZE_OF(l, kmem_cache_node));

	/* nr_slabs lies in one cache line with the heads of lists, which are not zero */
	if (residence_copy(view->target, addr, OFFSET_OF(l, kmem_cache_node, nr_slabs), node,
			   SIZE_OF(l, kmem_cache_node))) {
		const char *barn = node + OFFSET_OF(l, kmem_cache_node, barn);

		cache->slabs += GET(l, node, kmem_cache_node, nr_slabs);
		cache->nr_empty += GET(l, node, kmem_cache_node, nr_empty);
		cache->inuse += GET(l, node, kmem_cache_node, nr_inuse);
		cache->hollow += GET(l, node, kmem_cache_node, nr_hollow);
		cache->in_barns += GET(l, barn, barn, nr_objects);
	} else {
		view->target->torn = true;
	}
	free(node);
}

static void add_cache(struct view *view, const char *object)
{
	const struct layout *l = view->layout;
	const char *nodes = object + OFFSET_OF(l, kmem_cache, node);
	struct cache_view *cache;

	view->cache = room_for(view->cache, view->nr_caches, sizeof(*cache));
	cache = &view->cache[view->nr_caches++];
	layout_get_string(l, object, FIELD_kmem_cache_name, cache->name, sizeof(cache->name));
	cache->size = GET(l, object, kmem_cache, size);
	cache->per_slab = GET(l, object, kmem_cache, objects);
	cache->order = (unsigned int)GET(l, object, kmem_cache, order) % BITS_PER_WORD;
	cache->tag = (unsigned int)GET(l, object, kmem_cache, tag) % NR_TAGS;
	view->cache_of_tag[cache->tag] = (int32_t)view->nr_caches;
	for (unsigned int nid = 0; nid < CONSTANT_OF(l, MAX_NUMNODES); nid++) {
		uint64_t node = ((const uint64_t *)(const void *)nodes)[nid];

		if (node)
			add_node(view, cache, node);
	}
}

static void add_list(struct view *view)
{
	const struct layout *l = view->layout;
	uint64_t head = l->place[PLACE_caches];
	uint64_t link = OFFSET_OF(l, kmem_cache, list);
	char *object = room_new(SIZE_OF(l, kmem_cache));
	struct walk walk = { .left = max_caches(l) };
	uint64_t at = residence_variable(view->target, head, sizeof(at));

	/* all zero: nothing was allocated yet */
	while (at && at != head) {
		if (!walk_goes_on(&walk, at) || !residence_copy(view->target, at - link, link,
								object, SIZE_OF(l, kmem_cache))) {
			view->target->torn = true;
			break;
		}
		add_cache(view, object);
		at = GET(l, object + link, list_head, next);
	}
	/* one that has just ended leads nowhere */
	if (!at && view->nr_caches)
		view->target->torn = true;
	free(object);
}

/* What a slot has of a cache. @place, @sheaves: its struct slot_cache and slot_sheaves. */
static void add_sheaves(struct view *view, unsigned int tag, const char *place, const char *sheaves)
{
	const struct layout *l = view->layout;
	uint64_t spare = GET(l, sheaves, slot_sheaves, spare);
	uint64_t most = CONSTANT_OF(l, SHEAF_MAX_CAPACITY);
	int32_t number = view->cache_of_tag[tag];
	struct cache_view *cache;
	uint64_t size = 0;

	if (!number || !GET(l, sheaves, slot_sheaves, main))
		return;
	cache = &view->cache[number - 1];
	if (spare && !target_read_number(view->target, spare + OFFSET_OF(l, sheaf, size),
					 l->number[FIELD_sheaf_size].bytes, &size))
		view->target->torn = true;
	/* what became something else meanwhile has any size */
	cache->in_slots += MIN(size, most) + MIN(GET(l, place, slot_cache, count), most);
}

static void add_group(struct view *view, unsigned int number, uint64_t addr)
{
	const struct layout *l = view->layout;
	char *group = room_new(SIZE_OF(l, slot_group));
	unsigned int first = number << 8 | CONSTANT_OF(l, NR_CLASS_TAGS);

	if (!target_read(view->target, addr, group, SIZE_OF(l, slot_group)))
		view->target->torn = true;
	else
		for (unsigned int i = 0; i < CONSTANT_OF(l, CACHES_PER_GROUP); i++)
			add_sheaves(view, (first + i) % NR_TAGS,
				    group + OFFSET_OF(l, slot_group, cache) +
					    i * SIZE_OF(l, slot_cache),
				    group + OFFSET_OF(l, slot_group, sheaves) +
					    i * SIZE_OF(l, slot_sheaves));
	free(group);
}

static void add_slot(struct view *view, const char *slot)
{
	const struct layout *l = view->layout;
	const char *groups = slot + OFFSET_OF(l, slot, group);

	for (unsigned int tag = CONSTANT_OF(l, TAG_FIRST_CACHE);
	     tag < CONSTANT_OF(l, NR_CLASS_TAGS); tag++)
		add_sheaves(view, tag,
			    slot + OFFSET_OF(l, slot, cache) + tag * SIZE_OF(l, slot_cache),
			    slot + OFFSET_OF(l, slot, sheaves) + tag * SIZE_OF(l, slot_sheaves));
	for (unsigned int number = 0; number < CONSTANT_OF(l, NR_GROUPS); number++) {
		uint64_t group = ((const uint64_t *)(const void *)groups)[number];

		if (group)
			add_group(view, number, group);
	}
}

static void add_slots(struct view *view)
{
	const struct layout *l = view->layout;
	char *slot = room_new(SIZE_OF(l, slot));
	struct walk walk;
	uint64_t nr, at;

	at = residence_variable(view->target, l->place[PLACE_all_slots], sizeof(at));
	/* they never end, and new ones come in front; the shared one is not counted */
	nr = residence_variable(view->target, l->place[PLACE_nr_slots], sizeof(uint32_t));
	walk = (struct walk){ .left = nr + 1024 };
	while (at) {
		if (!walk_goes_on(&walk, at) ||
		    !residence_copy(view->target, at, OFFSET_OF(l, slot, next), slot,
				    SIZE_OF(l, slot))) {
			view->target->torn = true;
			break;
		}
		add_slot(view, slot);
		view->nr_slots++;
		at = GET(l, slot, slot, next);
	}
	free(slot);
}

void view_add_caches(struct view *view)
{
	add_list(view);
	add_slots(view);
}
