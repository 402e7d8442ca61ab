/* SPDX-License-Identifier: MIT */
/*
 * Caches: objects of one size, cut out of slabs.
 *
 * A slab is a block of 2^order pages. Which of its objects are free is a bitmap in its struct
 * pages, a bit an object, so nothing of the allocator's lies in or beside an object. For every
 * slab, under its node's list_lock:
 *
 *     inuse + bits set in the free map == objects
 *
 * Objects that a sheaf holds count as in use here: the slab has handed them out.
 */
#ifndef SLABUDDY_SLAB_CACHE_H
#define SLABUDDY_SLAB_CACHE_H

#include <slabuddy/slab.h>

#include "buddy/page_alloc.h"
#include "slab/age.h"
#include "slab/barn.h"

/* Partial slabs by how full they are: less than a quarter in use, less than half … */
#define NR_FULLNESS 4

#define CACHE_NAME_BYTES (KMEM_CACHE_NAME_MAX + 1)

/* Objects of this size and more may carry the mark of a free object, see mark.h. */
#define MIN_OBJECT_BYTES 16

/* The least alignment of a named cache's objects, as in the kernel. */
#define MIN_OBJECT_ALIGN sizeof(void *)

/* The largest: of malloc's largest class. No slab is smaller than its objects' alignment. */
#define MAX_OBJECT_ALIGN KIB(32)

/* The audit's own count of a node's slabs. [frozen world] */
struct node_audit {
	unsigned long slabs;
	unsigned long inuse;
	uint32_t partial;
	uint32_t empty;
	uint32_t hollow;
};

/*
 * Events since the start, for reports. All [list_lock]. Slabs given back and slabs taken off the
 * lists are these less those that are there.
 */
struct node_events {
	unsigned long slab_alloc;  /* slabs made */
	unsigned long partial_add; /* slabs put on a partial list */
};

struct kmem_cache_node {
	_Alignas(CACHE_LINE_BYTES) struct lock list_lock;
	uint32_t nr_partial;	 /* [list_lock] slabs on the partial lists */
	uint32_t nr_empty;	 /* [list_lock] of these, with no object in use */
	unsigned long nr_slabs;	 /* [list_lock] */
	unsigned long nr_inuse;	 /* [list_lock] objects handed out by all slabs */
	struct list_head partial[NR_FULLNESS]; /* [list_lock] */
	struct node_events events;
	struct barn barn;
	unsigned long usual_inuse; /* [atomic] most of nr_inuse of late, see sheaf_policy.h */
	struct node_audit audit;
	struct idle idle; /* see age.h */
	struct list_head looked_through; /* [list_lock] more partial slabs, see hollow.h */
	uint32_t nr_sparse; /* [list_lock] slabs in the first quarter that have not been looked through */
	uint32_t nr_hollow; /* [list_lock] pages of slabs that have no memory */
};

/* How a watched cache's objects lie, see debug.h. [const] */
struct cache_debug {
	uint32_t red_left; /* bytes of the red zone in front of an object */
	uint32_t inuse;	   /* of an object: where the red zone or the unused bytes behind it end */
	uint32_t padding;  /* and where those in front of the next one begin */
	bool poison;	   /* what is in a free object is known */
	bool sized;	   /* who asks for less than the whole object may not touch the rest */
};

/*
 * What the fast paths read comes first, in one cache line. All members but the node's contents are
 * constant once the cache is on the list of caches, unless they say otherwise.
 */
struct kmem_cache {
	uint64_t reciprocal;   /* more than 2^64 / size: division by multiplication */
	uint64_t start_limit;  /* see starts_object_at() */
	uint32_t slab_mask;    /* bytes of a slab - 1 */
	uint32_t object_end;   /* bytes of a slab that objects fill; the rest is none */
	uint32_t first_offset; /* of the first object in its slab */
	uint32_t mark_word;    /* of an object: where a free one's mark is, see mark.h */
	uint32_t size;	       /* bytes from one object to the next */
	uint32_t group_place;  /* [named caches] bytes from a slot to its pointer to the group */
	uint16_t sheaf_place;  /* and from the group to its main sheaf; see slot_set_places() */
	uint16_t tag;	       /* of its pages; says which its place in every slot is */
	uint16_t objects;      /* in one slab */
	uint8_t order;	       /* of a slab */
	uint8_t migratetype : 7;
	uint8_t hollow : 1;    /* its slabs may be, see hollow.h */
	uint8_t zone;	       /* enum zone_type of its slabs */
	bool ready;	       /* [atomic] everything is set */
	uint16_t min_empty;    /* empty slabs that a node keeps */
	uint32_t object_size; /* [CACHES; atomic] bytes asked for; a merged cache may raise it */
	slab_flags_t flags;
	uint32_t align;
	void (*ctor)(void *object);
	struct cache_debug *debug; /* &debug_data, or NULL: the cache is not watched */
	struct cache_debug debug_data;

	uint32_t reciprocal_32;	 /* [malloc's caches] the same two in 32 bits, for struct slot_cache */
	uint32_t start_limit_32;
	uint64_t fullness;    /* NR_FULLNESS * 2^32 / objects */
	uint16_t sheaf_min;   /* capacity that a slot starts with; 0: no sheaves */
	uint16_t sheaf_floor; /* how far it may grow without asking how much is in use */
	uint16_t sheaf_max;   /* and how far at most */
	uint16_t sheaf_capacity; /* what the owner asked for; 0: nothing */
	uint32_t barn_max;    /* objects in full sheaves that a barn may hold */
	uint32_t nr_names;    /* [CACHES] its own and its aliases */
	char name[CACHE_NAME_BYTES];
	struct list_head list;	  /* [CACHES] */
	struct list_head aliases; /* [CACHES] struct cache_alias, newest first */
	struct kmem_cache_node *node[MAX_NUMNODES]; /* [atomic] made at first use */
	struct kmem_cache_node node0;
};

_Static_assert(offsetof(struct kmem_cache_node, barn) % CACHE_LINE_BYTES == 0,
	       "who holds the list_lock does not write in the line of the barn's lock");
_Static_assert(sizeof(struct kmem_cache) <= 512, "a cache that ends in the next 512 bytes takes them all");

/* Another name of a cache. */
struct cache_alias {
	struct list_head list; /* [CACHES] */
	char name[CACHE_NAME_BYTES];
};

/* What a cache is to be like. All zero but name, size and max_order is a plain one. */
struct cache_params {
	const char *name; /* copied; cut to CACHE_NAME_BYTES - 1 */
	size_t size;	  /* bytes of an object, 1 to a section */
	size_t align;	  /* power of two, at most MAX_OBJECT_ALIGN; 0: MIN_OBJECT_ALIGN */
	unsigned int max_order; /* see slab_order() */
	unsigned int tag;	/* of malloc's size classes; 0: a named cache, any tag */
	slab_flags_t flags;
	void (*ctor)(void *object);
	const size_t *mark_word; /* the one that may be written in a free object whose contents must stay */
	unsigned int sheaf_capacity;
};

/**
 * cache_setup() - make a cache in memory that the caller provides.
 * @cache: all zero.
 *
 * Return: 0, -EINVAL for a size or alignment that cannot be, -ENOSPC when all tags are taken.
 * Context: takes LOCK_CACHES.
 */
typedef int(cache_setup_fn)(struct kmem_cache *cache, const struct cache_params *params);
cache_setup_fn cache_setup;

/* The same; -EAGAIN when the lock is not free. */
cache_setup_fn cache_try_setup;

/* Set all that follows from @params in a cache that is on no list. Return: 0 or -EINVAL. */
int cache_describe(struct kmem_cache *cache, const struct cache_params *params);

/* Find a cache that serves whoever wants one like @wanted, see merge.h, and give it @alias. Return: NULL:
 * there is none. */
struct kmem_cache *cache_join(const struct kmem_cache *wanted, struct cache_alias *alias);

/* One name less. Which one is meant nobody can tell: the newest alias goes, if there is one. Return: whether
 * the cache has names left, and then *@alias is the caller's. */
bool cache_drop_name(struct kmem_cache *cache, struct cache_alias **alias);

/**
 * cache_teardown() - take a cache off the list.
 *
 * Takes what all slots hold of it, so no thread may use it any more. Waits for RCU when its slabs do.
 *
 * Return: 0; or -EBUSY when objects are left, and then the cache stays.
 */
int cache_teardown(struct kmem_cache *cache);

/**
 * cache_shrink() - give back what a cache holds without need: full sheaves in its barns, empty slabs.
 *
 * Return: 0 when no empty slab is left, like the kernel's.
 */
int cache_shrink(struct kmem_cache *cache);

/* The same for what is on one of its nodes. */
void cache_shrink_node(struct kmem_cache *cache, struct kmem_cache_node *node);

/* The part of a cache that is on node @nid, made when there is none; NULL: no memory. */
struct kmem_cache_node *cache_node(struct kmem_cache *cache, unsigned int nid);

/* Work out the limits that follow from options anew, for the caches that the dynamic linker used before
 * the options were known. While the process has one thread. */
void cache_options_changed(void);

/* Calls @visit for each cache, under LOCK_CACHES. */
void cache_for_each(void (*visit)(struct kmem_cache *cache, void *arg), void *arg);

/* The same under LOCK_LIFETIME, which keeps caches from ending; system calls are allowed. */
void cache_for_each_alive(void (*visit)(struct kmem_cache *cache, void *arg), void *arg);

/* What a cache holds, for reports. Objects are "cached" while they are free in a sheaf. */
struct cache_count {
	unsigned long slabs;
	unsigned long objects;	/* all slabs' */
	unsigned long inuse;	/* handed out by slabs: live or in a sheaf of a slot or barn */
	unsigned long hollow;	/* pages of the slabs that have no memory */
	unsigned long in_barns;
	unsigned long in_slots;
};

/* Racy where threads run: what they take and give meanwhile is counted or not. */
void cache_count(struct kmem_cache *cache, struct cache_count *count);

/* What happened on the nodes of all caches that there have been. */
struct slab_events {
	unsigned long slab_alloc;
	unsigned long slab_free;
	unsigned long partial_add;
	unsigned long partial_del;
};

void cache_count_events(struct slab_events *events);

/* The cache with a tag, or NULL. */
struct kmem_cache *tag_to_cache(size_t tag);

/* The cache of the slab that @addr lies in, or NULL. Any address. */
static inline struct kmem_cache *addr_to_cache(const void *addr)
{
	const struct section *section = addr_to_section(addr);
	size_t tag = section ? section_tag(section, addr_to_pfn(addr)) : TAG_NONE;

	return tag >= TAG_FIRST_CACHE ? tag_to_cache(tag) : NULL;
}

void cache_walk_lifetime(lock_visit *visit, void *arg);
void cache_walk_caches(lock_visit *visit, void *arg);
void cache_walk_barns(lock_visit *visit, void *arg);
void cache_walk_nodes(lock_visit *visit, void *arg);

/* Number of the object around @offset of a slab, counted from first_offset. */
static always_inline unsigned int object_number(const struct kmem_cache *cache, uint32_t offset)
{
	return (unsigned int)((unsigned __int128)cache->reciprocal * offset >> 64);
}

/*
 * Whether an object starts at @offset of a slab, counted from first_offset: it must be a multiple of the
 * size, and there is no object in the rest at the slab's end.
 *
 * The reciprocal is the least number of which size times it is over 2^64: by e, the excess. Cut to
 * 64 bits, offset * reciprocal is j * e for the start of object j, and r * reciprocal more for r bytes
 * behind it. So with n objects, all of n * e and more is no start, as long as n * e < reciprocal.
 * Source: Lemire, Kaser, Kurz 2019, "Faster remainder by direct computation", but for the limit, which
 * there is the reciprocal.
 */
static always_inline bool starts_object_at(const struct kmem_cache *cache, uint32_t offset)
{
	return cache->reciprocal * offset < cache->start_limit;
}

#endif
