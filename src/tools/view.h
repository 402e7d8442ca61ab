/* SPDX-License-Identifier: MIT */
/*
 * A heap as it is seen from outside, in figures: collected by one function family for each layer of
 * the heap.
 *
 * What the process does meanwhile is in some figures and not in others. What does not fit together
 * for that reason is left out, and target->torn is set.
 */
#ifndef SLABUDDY_TOOLS_VIEW_H
#define SLABUDDY_TOOLS_VIEW_H

#include "base/snapshot.h"
#include "tools/heaps.h"

#define NR_TAGS 65536

/* One cache. Objects in sheaves count as in use for their slabs. */
struct cache_view {
	char name[SNAPSHOT_NAME_BYTES];
	unsigned int tag;
	uint64_t size;	   /* bytes from one object to the next */
	uint64_t per_slab; /* objects */
	unsigned int order;
	/* by the counters of its nodes, and of slots */
	uint64_t slabs;
	uint64_t nr_empty;
	uint64_t inuse;
	uint64_t hollow; /* pages of the slabs that have no memory */
	uint64_t in_barns;
	uint64_t in_slots;
	/* by its slabs, one by one */
	uint64_t full;
	uint64_t partial;
	uint64_t empty;
	uint64_t partial_inuse;	  /* objects in use in partly used slabs, */
	uint64_t partial_objects; /* and those that they have */
};

/* What pages are. */
enum page_kind {
	PAGES_SLAB,
	PAGES_LARGE,
	PAGES_BLOCK, /* of the page API */
	PAGES_SLOT,  /* free, kept by slots */
	PAGES_FREE,
	PAGES_PURGING, /* on their way back to the OS */
	PAGES_MOVING,  /* on their way between these */
	NR_PAGE_KINDS,
};

struct amount {
	uint64_t bytes;
	uint64_t resident;
};

struct view {
	struct target *target;
	const struct layout *layout;
	bool residence; /* it is known what is resident */

	struct cache_view *cache; /* in the order of their making */
	size_t nr_caches;
	int32_t cache_of_tag[NR_TAGS]; /* their number + 1 */

	struct amount pages[NR_PAGE_KINDS];
	uint64_t free_dirty;  /* bytes of PAGES_FREE */
	uint64_t uncommitted; /* bytes of addresses */
	uint64_t nr_large;
	struct amount huge;
	uint64_t nr_huge;
	struct amount retired;	/* mappings of former huge blocks, whose memory went back */
	struct amount sections; /* struct section */
	struct amount metadata; /* mapped */
	uint64_t metadata_used;
	struct amount image; /* the library itself */
	uint64_t nr_slots;

	struct range *range; /* all that is ours */
	size_t nr_ranges;

	struct heap_snapshot snapshot; /* the zones */
};

/* An empty view, to be ended by view_free(). */
struct view *view_new(struct target *target, const struct heap *heap);
void view_free(struct view *view);

/* Caches, and what slots have of them. */
void view_add_caches(struct view *view);

/* Zones, by their counters. */
void view_add_zones(struct view *view);

/* Pages one by one, section by section: their kinds, slabs of caches, free blocks by migrate type.
 */
void view_add_pages(struct view *view);

/* What is outside of sections: huge blocks, metadata, the library. */
void view_add_mappings(struct view *view, const struct heap *heap);

/* Note a range as the heap's. */
void view_add_range(struct view *view, uint64_t start, uint64_t bytes);

/* Mappings that have something of the heap in them. The kernel makes one of neighbours, so there
 * may be more in them. */
struct rss {
	uint64_t bytes;	 /* by smaps */
	uint64_t others; /* resident, and not the heap's */
};

/* Return: false: they cannot be read. */
bool view_rss(struct view *view, struct rss *rss);

/*
 * The kinds of zones in the kernel's order, and each zone's place in the snapshot.
 */
#define NR_ZONE_KINDS 3
struct zone_snapshot *view_zone(struct view *view, uint64_t nid, uint64_t type);

#endif
