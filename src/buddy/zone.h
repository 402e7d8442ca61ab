/* SPDX-License-Identifier: MIT */
/*
 * Nodes and zones: sections under one lock, with free blocks by order and migrate type.
 *
 * For every zone, under its lock:
 *
 *     managed_pages == nr_free_pages + nr_isolated + pages in blocks handed out (pcp included)
 *     nr_free_pages == sum over orders of free_area[order].nr_free << order
 *     nr_dirty      == sum of nr_dirty over all blocks on a free_area
 *
 * and no two blocks on a free_area are buddies of one another (they would have merged).
 */
#ifndef SLABUDDY_BUDDY_ZONE_H
#define SLABUDDY_BUDDY_ZONE_H

#include "base/audit.h"
#include "base/lock.h"
#include "base/option.h"
#include "page/page.h"

/*
 * A machine may have more: threads on the nodes beyond these are served as if they ran on the first, with
 * memory that is far from them.
 */
#define MAX_NUMNODES 8

enum zone_type {
	ZONE_NORMAL, /* anywhere */
	ZONE_DMA32,  /* below 4 GiB */
	ZONE_DMA,    /* locked in memory */
	MAX_NR_ZONES,
};

struct free_area {
	struct list_head free_list[MIGRATE_TYPES]; /* dirty blocks before clean ones */
	unsigned long nr_free;			   /* blocks on all lists */
};

/* Events since the start, for reports. All [lock]. */
struct zone_events {
	unsigned long alloc;	/* blocks and runs handed out */
	unsigned long free;	/* blocks and runs taken back */
	unsigned long split;	/* halvings */
	unsigned long merge;	/* unions of two buddies */
	unsigned long claim;	/* pageblocks that changed their migrate type */
	unsigned long steal;	/* blocks taken out of another type's pageblock */
	unsigned long grow;	/* times pages were committed */
	unsigned long foreign;	/* requests for this zone that another one served */
	unsigned long miss;	/* requests for another zone that this one served */
	unsigned long purged;	/* dirty pages given back */
	unsigned long purge_failed; /* blocks that the OS would not take back */
	/* pages handed out and taken back; of what goes through a slot's lists, struct pcp counts its own */
	unsigned long pgalloc;
	unsigned long pgfree;
};

struct zone {
	struct lock lock;
	bool ready;	    /* [lock] lists are set up */
	bool cramped;	    /* [atomic] the OS refused when it was to grow last */
	bool purge_refused; /* [lock] the OS refused a purge for good: none until somebody asks for one */
	uint8_t nid;	    /* [const after ready] */
	uint8_t type;	    /* [const after ready] enum zone_type */
	struct free_area free_area[NR_PAGE_ORDERS]; /* [lock] */
	struct list_head uncommitted;		    /* [lock] ranges that have addresses only */
	unsigned long managed_pages;	 /* [lock] committed pages */
	unsigned long nr_free_pages;	 /* [lock] on a free_area */
	unsigned long nr_dirty;		 /* [lock] of these, resident */
	unsigned long nr_isolated;	 /* [lock] being purged */
	unsigned long least_dirty;	 /* [lock] least of nr_dirty in this step of kswapd */
	unsigned long nr_settled;	 /* [lock] dirty pages that kswapd leaves alone */
	unsigned long claim_above;	 /* [lock] dirty pages needed for the next try of claim_dirty() */
	unsigned long nr_stuck;		 /* [lock] dirty pages that the last purge could not get rid of */
	uint32_t clock;			 /* [lock] runs taken back so far: the time by which free blocks age */
	unsigned long nr_hollow;	 /* [atomic] pages of slabs without memory */
	unsigned long nr_sparse;	 /* [atomic] pages of slabs that nobody has looked for such in */
	unsigned long nr_refilled;	 /* [atomic] pages that were hollow, since somebody asked */
	unsigned long nr_kept;		 /* [atomic] pages that slots keep one way or another */
	unsigned long nr_lent;		 /* [lock] pages that slots may keep beyond what each has anyway */
	unsigned long floor_cut;	 /* [lock] what dirty_min is cut by, see buddy/wmark.h */
	unsigned long used_seen;	 /* [lock] pages in use after the last free */
	unsigned long fall;		 /* [lock] pages by which use has fallen; a rise counts twice */
	unsigned long refault_debt;	 /* [lock] pages by which it has to fall before the floor is cut in full again */
	unsigned long uncommitted_pages; /* [lock] */
	unsigned long charged_pages;	 /* [lock] what of it counts against the limit, see page/limit.h */
	struct zone_events events;	 /* [lock] */
};

struct pglist_data {
	struct zone zones[MAX_NR_ZONES];
};

extern struct pglist_data node_data[MAX_NUMNODES];

static inline struct zone *page_zone(const struct page *page)
{
	return page_section(page)->zone;
}

/* "Normal", "DMA32" and "DMA". */
extern const char *const zone_names[MAX_NR_ZONES];

/* Nodes in use: those whose memory the process may use, 1 with numa=off, or N with numa=fake=N. The first
 * call asks the OS, so no lock but the caller's slot may be held. */
unsigned int nr_nodes(void);

/* Whether a node is where memory really is. */
static inline bool nodes_are_real(void)
{
	return READ_ONCE(options.numa) == NUMA_AUTO && nr_nodes() > 1;
}

/* The node that the calling thread runs on; 0 when nodes mean nothing. */
unsigned int node_here(void);

/* What the OS calls a node that is real. */
unsigned int node_to_os(unsigned int nid);

/* Take the lock of a zone; the first time, set it up. */
void zone_lock(struct zone *zone);
void zone_unlock(struct zone *zone);

/*
 * Whether the memory limit lets the zone hold the pages that were just taken off its lists. If not, the caller puts
 * them back before anybody sees them. Under the zone's lock.
 */
bool zone_may_hold(struct zone *zone);

/* The pages of a zone by what they are, for reports. */
struct zone_pages {
	unsigned long managed;
	unsigned long free;
	unsigned long dirty; /* of the free ones */
	unsigned long isolated;
	unsigned long uncommitted;
};

void zone_count(struct zone *zone, struct zone_pages *pages);

/**
 * zone_validate_all() - check every zone, section and struct page against the invariants above.
 * @audit: gets the faults.
 *
 * Context: the world is frozen, or no other thread uses the heap.
 */
void zone_validate_all(struct audit *audit);

void zone_walk_locks(lock_visit *visit, void *arg);

#endif
