/* SPDX-License-Identifier: MIT */
/*
 * What a program needs that reads a heap from outside: the symbol slabuddy_root, which both
 * libraries export, leads to it. It says by name where members of structures lie and what constants
 * are, so reader and library may be of different builds; what the reader looks for and does not
 * find, it cannot read.
 *
 * All of it is there at link time. The numbers need no relocation and are never touched by the
 * process itself; of places, which do, there are few, and they lie among the library's variables.
 */
#ifndef SLABUDDY_BASE_ROOT_H
#define SLABUDDY_BASE_ROOT_H

#include "base/compiler.h"

/* Another one when a name that is there means something else; names that come or go need none. */
#define ROOT_VERSION 1

#define ROOT_MAGIC "slabuddy's root"

/*
 * "zone.nr_dirty": where a member is, and its bytes. "zone": 0, and the bytes of the structure.
 * "MAX_NUMNODES": a constant, and 0.
 */
struct root_number {
	char name[40];
	uint32_t value;
	uint32_t bytes;
};

/* A variable. */
struct root_place {
	char name[24];
	const void *address;
};

struct root {
	char magic[16];
	uint32_t version;
	uint32_t nr_numbers;
	const struct root_number *numbers;
	const struct root_place *places; /* those without a name are gaps */
	const struct root_place *places_end;
};

/*
 * Say where @variable is, also one that is its file's own: the linker gathers them. The alignment is
 * that of the size, so that compilers which like more for large variables leave no gap.
 */
#define ROOT_PLACE(variable)							\
	static const struct root_place root_place_##variable			\
		__attribute__((__used__, __section__("slabuddy_places"),	\
			       __aligned__(sizeof(struct root_place)))) = { #variable, &variable }

/*
 * The names, for the library, which knows their values, and for the reader, which looks for them.
 *
 * SIZE(type); FIELD(type, member), PLACE(variable), CONSTANT(name).
 */
#define ROOT_PLACES(PLACE)	\
	PLACE(node_data)	\
	PLACE(options)		\
	PLACE(sections)		\
	PLACE(nr_sections)	\
	PLACE(caches)		\
	PLACE(all_slots)	\
	PLACE(nr_slots)		\
	PLACE(mapped_bytes)	\
	PLACE(used_bytes)	\
	PLACE(meta_mappings)	\
	PLACE(huge_blocks)	\
	PLACE(retired)		\
	PLACE(nr_blocks)

#define ROOT_SIZES(SIZE)	\
	SIZE(list_head)		\
	SIZE(options)		\
	SIZE(pglist_data)	\
	SIZE(zone)		\
	SIZE(free_area)		\
	SIZE(section)		\
	SIZE(page)		\
	SIZE(kmem_cache)	\
	SIZE(kmem_cache_node)	\
	SIZE(barn)		\
	SIZE(sheaf)		\
	SIZE(huge)		\
	SIZE(meta_mapping)	\
	SIZE(slot)		\
	SIZE(slot_group)	\
	SIZE(slot_cache)	\
	SIZE(slot_sheaves)

#define ROOT_FIELDS(FIELD)			\
	FIELD(list_head, next)			\
	FIELD(options, dirty_min_kib)		\
	FIELD(options, dirty_percent)		\
	FIELD(pglist_data, zones)		\
	FIELD(zone, free_area)			\
	FIELD(zone, managed_pages)		\
	FIELD(zone, nr_free_pages)		\
	FIELD(zone, nr_dirty)			\
	FIELD(zone, nr_isolated)		\
	FIELD(zone, uncommitted_pages)		\
	FIELD(free_area, nr_free)		\
	FIELD(section, tag)			\
	FIELD(section, base)			\
	FIELD(section, zone)			\
	FIELD(section, list)			\
	FIELD(section, pageblock_type)		\
	FIELD(section, mem_map)			\
	FIELD(page, type)			\
	FIELD(page, order)			\
	FIELD(page, nr_pages)			\
	FIELD(page, nr_dirty)			\
	FIELD(page, inuse)			\
	FIELD(page, objects)			\
	FIELD(kmem_cache, name)			\
	FIELD(kmem_cache, size)			\
	FIELD(kmem_cache, objects)		\
	FIELD(kmem_cache, order)		\
	FIELD(kmem_cache, tag)			\
	FIELD(kmem_cache, list)			\
	FIELD(kmem_cache, node)			\
	FIELD(kmem_cache_node, nr_empty)	\
	FIELD(kmem_cache_node, nr_slabs)	\
	FIELD(kmem_cache_node, nr_inuse)	\
	FIELD(kmem_cache_node, nr_hollow)	\
	FIELD(kmem_cache_node, barn)		\
	FIELD(barn, nr_objects)			\
	FIELD(slot, cache)			\
	FIELD(slot, group)			\
	FIELD(slot, sheaves)			\
	FIELD(slot, next)			\
	FIELD(slot_group, cache)		\
	FIELD(slot_group, sheaves)		\
	FIELD(slot_cache, count)		\
	FIELD(slot_sheaves, main)		\
	FIELD(slot_sheaves, spare)		\
	FIELD(sheaf, size)			\
	FIELD(huge, next)			\
	FIELD(huge, addr)			\
	FIELD(huge, bytes)			\
	FIELD(meta_mapping, next)		\
	FIELD(meta_mapping, bytes)

#define ROOT_CONSTANTS(CONSTANT)	\
	CONSTANT(MAX_NUMNODES)		\
	CONSTANT(MAX_NR_ZONES)		\
	CONSTANT(ZONE_NORMAL)		\
	CONSTANT(ZONE_DMA32)		\
	CONSTANT(ZONE_DMA)		\
	CONSTANT(NR_PAGE_ORDERS)	\
	CONSTANT(PAGEBLOCK_ORDER)	\
	CONSTANT(PAGES_PER_SECTION)	\
	CONSTANT(COMMIT_GRAIN_PAGES)	\
	CONSTANT(MIGRATE_UNMOVABLE)	\
	CONSTANT(MIGRATE_MOVABLE)	\
	CONSTANT(MIGRATE_RECLAIMABLE)	\
	CONSTANT(MIGRATE_TYPES)		\
	CONSTANT(TAG_FIRST_CACHE)	\
	CONSTANT(NR_CLASS_TAGS)		\
	CONSTANT(NR_GROUPS)		\
	CONSTANT(CACHES_PER_GROUP)	\
	CONSTANT(SHEAF_MAX_CAPACITY)	\
	CONSTANT(NR_HUGE_BUCKETS)	\
	CONSTANT(PAGE_NONE)		\
	CONSTANT(PAGE_UNCOMMITTED)	\
	CONSTANT(PAGE_BUDDY)		\
	CONSTANT(PAGE_PCP)		\
	CONSTANT(PAGE_PCP_RUN)		\
	CONSTANT(PAGE_ISOLATED)		\
	CONSTANT(PAGE_USED)		\
	CONSTANT(PAGE_SLAB)		\
	CONSTANT(PAGE_LARGE)		\
	CONSTANT(PAGE_BLOCK)

#endif
