/* SPDX-License-Identifier: MIT */
/*
 * Caches that are watched (slab_debug, SLAB_RED_ZONE and so on), mm/slub.c's debugging. Such a cache has no
 * sheaves, so each call takes the slow path, which asks here; no other cache pays.
 *
 * An object of one, with what may be around it:
 *
 *	red_left    object_size      to inuse       a word      to the next
 *	left zone | object         | right zone   | mark      | padding
 *	bb / cc   | 6b 6b .. 6b a5 | bb / cc      | see mark.h| 5a
 *
 * Red zones (Z) are 0xbb around a free object, 0xcc around one in use. Poison (P) is 0x6b and a last 0xa5 in
 * a free object, unless it has a constructor or readers under RCU, and 0x5a in all bytes that nobody uses.
 * Where the object does not end at a multiple of a word, the right zone begins at once.
 *
 * Nothing that a report needs lies where an overflow reaches it: who allocated and freed an object, and its
 * size, is in a table in metadata memory, one a slab. The last word of the free map in the slab's last
 * struct page leads to it: no watched slab has so many objects that it would need that word.
 *
 * What a table has, and in which state an object's surroundings are, changes under the node's list_lock,
 * together with the free map, but for tracks and sizes, which are whoever has the object's.
 */
#ifndef SLABUDDY_SLAB_DEBUG_H
#define SLABUDDY_SLAB_DEBUG_H

#include "slab/cache.h"
#include "slab/depot.h"

#define RED_INACTIVE 0xbb
#define RED_ACTIVE   0xcc
#define POISON_FREE  0x6b
#define POISON_END   0xa5
#define POISON_INUSE 0x5a

/* Who did something to an object. */
struct track {
	const struct stack_record *stack;
	uint64_t when; /* see os_milliseconds(); 0: it never happened */
	uint32_t tid;
	uint32_t cpu;
};

struct debug_object {
	struct track allocated;
	struct track freed;
	uint32_t size; /* [atomic] bytes that its owner asked for */
};

struct debug_slab {
	struct page *slab;
	struct debug_slab *next_failed;
	uint32_t failed_object; /* [frozen] the one whose check failed */
	bool listed;		/* [list_lock] its node counts it */
	bool frozen;		/* [list_lock] a check failed: nothing of it is ever used again */
	struct debug_object objects[];
};

/* Bytes that one letter of slab_debug fills or checks, and where it found what it should not. */
struct debug_fault {
	const char *what;
	unsigned char *start, *end;  /* should all be @value */
	unsigned char *first, *last; /* the first byte that is not, and the one behind the last */
	unsigned char value;
	unsigned char found; /* instead of it, at @first */
};

/* What cache_describe() has not said yet: size, mark_word, first_offset. Drops the flags that cannot be. */
void debug_set_layout(struct kmem_cache *cache, const struct cache_params *params,
		      bool contents_stay);

/* The flags of a cache of this name: those that it was made with, and slab_debug's. */
slab_flags_t debug_cache_flags(const char *name, slab_flags_t flags);

static inline struct debug_slab **debug_slab_place(const struct kmem_cache *cache,
						   struct page *slab)
{
	return (struct debug_slab **)(void *)&slab[(1U << cache->order) - 1]
		.free_map[SLAB_MAP_WORDS - 1];
}

static inline struct debug_slab *debug_slab_of(const struct kmem_cache *cache, struct page *slab)
{
	return load_acquire(debug_slab_place(cache, slab));
}

/* A table for new pages, and their contents. Return: false: no memory. */
bool debug_slab_begin(struct kmem_cache *cache, struct page *slab);

/* Its pages go back. Harmless a second time. */
void debug_slab_end(struct kmem_cache *cache, struct page *slab);

/* Whether one of its checks failed, so that all its objects count as in use. */
static inline bool debug_slab_is_frozen(const struct kmem_cache *cache, struct page *slab)
{
	const struct debug_slab *table = cache->debug ? debug_slab_of(cache, slab) : NULL;

	return table && table->frozen;
}

/* [list_lock] Its node counts the slab from now on. */
void debug_slab_list(struct kmem_cache *cache, struct page *slab);

/* [list_lock] An empty slab is to go. Return: false: it fails its check, is frozen and stays, all in use. */
bool debug_slab_unlist(struct kmem_cache *cache, struct page *slab);

/* [list_lock] An object is taken. Return: false: it fails its check, and the slab is frozen. */
bool debug_take(struct kmem_cache *cache, struct page *slab, unsigned int object);

/* [list_lock] An object comes back. Return: false: its slab is frozen, so it stays in use. */
bool debug_put(struct kmem_cache *cache, struct page *slab, unsigned int object);

/*
 * Before and after the slow paths, with no lock held at all, not even the slot's: stacks are taken and
 * reports written here.
 */

/* Objects were handed out. */
void debug_allocated(struct kmem_cache *cache, void *const *objects, size_t nr);

/* Objects are about to come back; one that fails its check is reported, and not among those that are left.
 * Return: how many are. */
size_t debug_freeing(struct kmem_cache *cache, void **objects, size_t nr);

/* They have come back: an empty slab may have failed its check. */
void debug_freed(struct kmem_cache *cache);

/* A pointer that cannot be freed: @what. Nothing if @cache is not watched. */
cold void debug_report_bad_free(struct kmem_cache *cache, const void *addr, const char *what);

/* Who allocated and freed an object, for SLAB_STORE_USER. */
void debug_print_tracks(struct kmem_cache *cache, const void *object);

/* Note that somebody asked for less than the whole object: what is behind is red. */
void debug_set_size(struct kmem_cache *cache, void *object, size_t size);

/* The allocator itself is about to write the first @bytes of an object that is being freed. */
void debug_lend_bytes(struct kmem_cache *cache, void *object, size_t bytes);

/* Bytes of @object that its owner may use. */
size_t debug_object_size(struct kmem_cache *cache, const void *object);

/* Bytes of an object that its owner may use. */
static inline size_t cache_usable_bytes(struct kmem_cache *cache, const void *object)
{
	return likely(!cache->debug) ? cache->size : debug_object_size(cache, object);
}

/**
 * cache_validate() - check all slabs of a cache, and what is around and in their objects if it is watched.
 *
 * Each fault is reported, and put right where bytes are wrong.
 *
 * Return: the number of faults.
 * Context: no lock held.
 */
unsigned long cache_validate(struct kmem_cache *cache);

#endif
