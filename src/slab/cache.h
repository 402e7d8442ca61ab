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

#include "buddy/page_alloc.h"
#include "slab/barn.h"

/* Partial slabs by how full they are: less than a quarter in use, less than half … */
#define NR_FULLNESS 4

#define CACHE_NAME_BYTES 32

/* Objects of this size and more may carry the mark of a free object, see fast.h. */
#define MIN_OBJECT_BYTES 16

struct kmem_cache_node {
	struct lock list_lock;
	uint32_t nr_partial;	 /* [list_lock] slabs on the partial lists */
	uint32_t nr_empty;	 /* [list_lock] of these, with no object in use */
	unsigned long nr_slabs;	 /* [list_lock] */
	unsigned long nr_inuse;	 /* [list_lock] objects handed out by all slabs */
	struct list_head partial[NR_FULLNESS]; /* [list_lock] */
	struct barn barn;
};

/*
 * All members but the node's contents are constant once the cache is on the list of caches.
 */
struct kmem_cache {
	char name[CACHE_NAME_BYTES];
	uint32_t object_size; /* bytes asked for */
	uint32_t size;	      /* bytes from one object to the next */
	uint32_t align;
	uint16_t objects; /* in one slab */
	uint8_t order;	  /* of a slab */
	uint8_t tag;	  /* index in every slot, and in the pages' tags */
	uint8_t migratetype;
	bool ready;	     /* [atomic] everything above is set */
	uint32_t slab_mask;  /* bytes of a slab - 1 */
	uint64_t reciprocal; /* 2^64 / size, rounded up: division by multiplication */
	uint64_t fullness;   /* NR_FULLNESS * 2^32 / objects */
	uint32_t sheaf_min;  /* capacity that a slot starts with */
	uint32_t sheaf_floor; /* how far it may grow without asking how much is in use */
	uint32_t sheaf_max;  /* and how far at most */
	uint32_t barn_max;   /* objects in full sheaves that a barn may hold */
	uint32_t min_empty;  /* empty slabs that a node keeps */
	struct list_head list; /* [CACHES] */
	struct kmem_cache_node *node[MAX_NUMNODES]; /* [atomic] made at first use */
	struct kmem_cache_node node0;
};

/* The cache of each tag, or NULL. [atomic] */
extern struct kmem_cache *tag_cache[NR_TAGS];

/**
 * cache_setup() - make a cache in memory that the caller provides.
 * @cache: all zero.
 * @name: copied; cut to CACHE_NAME_BYTES - 1.
 * @size: bytes of an object, 1 to a section.
 * @align: power of two, at most PAGE_SIZE; 0 for the natural one.
 * @max_order: see slab_order().
 * @tag: the tag wanted, or 0 for any.
 *
 * Return: 0, -EINVAL for a size or alignment that cannot be, -ENOSPC when all tags are taken.
 * Context: takes LOCK_CACHES.
 */
int cache_setup(struct kmem_cache *cache, const char *name, size_t size, size_t align,
		     unsigned int max_order, unsigned int tag);

/**
 * cache_teardown() - take a cache off the list.
 *
 * Return: 0; or -EBUSY when objects are left, or another thread's slot has a sheaf of it, and then
 * the cache stays as it is.
 */
int cache_teardown(struct kmem_cache *cache);

/**
 * cache_shrink() - give back what a cache holds without need: full sheaves in its barns,
 * empty slabs.
 *
 * Return: 0 when no empty slab is left, like the kernel's.
 */
int cache_shrink(struct kmem_cache *cache);

/* The part of a cache that is on node @nid, made when there is none; NULL: no memory. */
struct kmem_cache_node *cache_node(struct kmem_cache *cache, unsigned int nid);

/* Work out the limits that follow from options anew, for the caches that the dynamic linker used before
 * the options were known. While the process has one thread. */
void cache_options_changed(void);

/* Calls @visit for each cache, under LOCK_CACHES. */
void cache_for_each(void (*visit)(struct kmem_cache *cache, void *arg), void *arg);

/* What a cache holds, for reports. Objects are "cached" while they are free in a sheaf. */
struct cache_count {
	unsigned long slabs;
	unsigned long objects; /* all slabs' */
	unsigned long inuse;   /* handed out by slabs: live or in a sheaf of a slot or barn */
	unsigned long in_barns;
};

void cache_count(struct kmem_cache *cache, struct cache_count *count);

void cache_walk_caches(void (*visit)(struct lock *lock));
void cache_walk_barns(void (*visit)(struct lock *lock));
void cache_walk_nodes(void (*visit)(struct lock *lock));

/* Number of the object around @offset of a slab. */
static always_inline unsigned int object_number(const struct kmem_cache *cache, uint32_t offset)
{
	return (unsigned int)((unsigned __int128)cache->reciprocal * offset >> 64);
}

/*
 * Whether @offset is a multiple of the size that @reciprocal stands for.
 * Source: Lemire, Kaser, Kurz 2019, "Faster remainder by direct computation".
 */
static always_inline bool is_multiple(uint64_t reciprocal, uint32_t offset)
{
	return reciprocal * offset < reciprocal;
}

#endif
