/* SPDX-License-Identifier: MIT */
/*
 * What a heap looked like at a moment, in plain figures: collected by the layers that know, printed by
 * procfs.h. Nothing in here points into a heap, so it does not matter whose heap it was.
 */
#ifndef SLABUDDY_BASE_SNAPSHOT_H
#define SLABUDDY_BASE_SNAPSHOT_H

#include "base/lock.h"

/* Room for what a heap may have; how much of it there is, the snapshot says. */
#define SNAPSHOT_NAME_BYTES 32
#define SNAPSHOT_NODES 8
#define SNAPSHOT_ZONES (SNAPSHOT_NODES * 3)
#define SNAPSHOT_ORDERS 15
#define SNAPSHOT_TYPES 3

/* One cache. Objects are "active" while the program has them: those in sheaves are not. */
struct cache_snapshot {
	char name[SNAPSHOT_NAME_BYTES];
	unsigned long active_objs;
	unsigned long num_objs;	    /* all slabs' */
	unsigned long active_slabs; /* that have handed objects out */
	unsigned long num_slabs;
	unsigned int objsize; /* bytes from one object to the next */
	unsigned int objperslab;
	unsigned int pagesperslab;
};

/* Another name of a cache. */
struct alias_snapshot {
	char name[SNAPSHOT_NAME_BYTES];
	char cache[SNAPSHOT_NAME_BYTES];
};

/* Free pages that a slot keeps: the kernel's per-cpu pageset. */
struct pageset_snapshot {
	unsigned int nid;   /* node whose pages it keeps */
	unsigned int slot;  /* numbered in the order of their making */
	unsigned int count; /* pages in it */
	unsigned int high;  /* pages that it keeps at most */
	unsigned int batch; /* pages that the last refill brought */
};

/* Free blocks of one order, of one migrate type. */
struct type_count {
	unsigned long blocks;
	bool more; /* and there are more, which were not counted */
};

struct zone_snapshot {
	char name[8];
	unsigned int nid;
	bool has_pagesets;
	/* requests */
	unsigned long miss;    /* for another zone, which this one served */
	unsigned long foreign; /* for this zone, which another one served */
	/* pages */
	unsigned long free;	   /* on the zone's lists */
	unsigned long free_dirty;  /* of these, with memory behind them */
	unsigned long purging;	   /* on their way back to the OS */
	unsigned long low;	   /* a purge stops here, */
	unsigned long high;	   /* and starts with more free_dirty than this */
	unsigned long spanned;	   /* in the windows of addresses that the zone has something of */
	unsigned long present;	   /* addresses reserved */
	unsigned long managed;	   /* of these, committed */
	unsigned long start_pfn;   /* page number of the lowest window; 0: there is none */
	unsigned long nr_free[SNAPSHOT_ORDERS];			   /* blocks */
	struct type_count free_type[SNAPSHOT_TYPES][SNAPSHOT_ORDERS]; /* blocks */
	unsigned long pageblocks[SNAPSHOT_TYPES];
};

struct node_snapshot {
	unsigned long slab_reclaimable; /* pages */
	unsigned long slab_unreclaimable;
};

/* Figures and counters of the whole heap, each under its name in /proc/vmstat. Where the kernel has none
 * that fits, the name is ours. */
struct vm_snapshot {
	/* pages at present */
	unsigned long nr_free_pages;
	unsigned long nr_free_pages_blocks; /* in blocks of a pageblock and more */
	unsigned long nr_mlock;		    /* managed by zones whose memory is locked */
	unsigned long nr_slab_reclaimable;
	unsigned long nr_slab_unreclaimable;
	unsigned long nr_memmap_pages;
	unsigned long nr_free_dirty;
	unsigned long nr_purging;
	unsigned long nr_uncommitted;
	unsigned long nr_pcp_pages;
	unsigned long nr_block_pages; /* in blocks of alloc_pages() and its kin */
	unsigned long nr_large_pages;
	unsigned long nr_huge_pages; /* in blocks that are mappings of their own */
	unsigned long nr_metadata_pages;
	/* things at present */
	unsigned long nr_large_blocks;
	unsigned long nr_huge_blocks;
	unsigned long nr_slots;
	unsigned long nr_caches;
	/* events since the start */
	unsigned long pgalloc_dma; /* pages */
	unsigned long pgalloc_dma32;
	unsigned long pgalloc_normal;
	unsigned long allocstall_dma; /* allocations that had to reclaim memory */
	unsigned long allocstall_dma32;
	unsigned long allocstall_normal;
	unsigned long pgfree; /* pages */
	unsigned long slabs_scanned; /* objects that shrinkers looked at */
	unsigned long kswapd_run; /* times that kswapd looked at the heap */
	unsigned long kswapd_pressure; /* of these, because memory was short */
	unsigned long kswapd_limit; /* of these, because a cgroup was near its limit */
	unsigned long kswapd_blind; /* times that it began to work with nobody to tell it of pressure */
	unsigned long kswapd_fail; /* times that it could not be started */
	unsigned long alloc_fail; /* allocations that got no memory in the end */
	unsigned long zone_alloc; /* blocks and runs that a zone gave, to the lists of slots too */
	unsigned long zone_free;
	unsigned long zone_grow;      /* times that pages were committed */
	unsigned long zone_miss;      /* requests that another zone served than the one asked for */
	unsigned long buddy_split;    /* halvings */
	unsigned long buddy_merge;    /* unions */
	unsigned long pageblock_claim; /* that changed their migrate type */
	unsigned long pageblock_steal; /* blocks taken out of another type's pageblock */
	unsigned long pgpurge;	      /* pages given back to the OS */
	unsigned long purge_fail;     /* blocks that it would not take */
	unsigned long thp_ask;	      /* pageblocks that asked for a huge page */
	unsigned long thp_break_up;   /* of these, those that a purge took something of */
	unsigned long thp_dear;	      /* huge pages that took longer than as many small ones */
	unsigned long thp_refused;    /* wishes that the OS would not hear */
	unsigned long sheaf_refill;
	unsigned long sheaf_flush;
	unsigned long barn_get; /* full sheaves */
	unsigned long barn_put;
	unsigned long barn_remote; /* of barn_get, those that another slot had left there */
	unsigned long remote_free; /* objects put back into slabs that another slot took from last */
	unsigned long slab_alloc;
	unsigned long slab_free;
	unsigned long partial_add; /* slabs put on a partial list */
	unsigned long partial_del;
	/* locks, by rank */
	struct lock_count lock[NR_LOCK_RANKS];
};

struct heap_snapshot {
	unsigned int nr_orders;
	unsigned int nr_types;
	unsigned int nr_zones; /* in the kernel's order */
	unsigned int pageblock_order;
	char type_name[SNAPSHOT_TYPES][16];
	struct zone_snapshot zone[SNAPSHOT_ZONES];
	struct node_snapshot node[SNAPSHOT_NODES];
	struct vm_snapshot vm;
};

#endif
