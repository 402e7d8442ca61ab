/* SPDX-License-Identifier: MIT */
#include "slab/alloc.h"

#include <string.h>

#include "page/meta.h"
#include "slab/debug.h"
#include "slab/deferred.h"
#include "slab/percpu.h"
#include "slab/report.h"
#include "slab/sheaf_policy.h"
#include "slab/slab.h"

/* The calling thread's slot, with the cache's main sheaf closed. */
static struct slot *enter(const struct kmem_cache *cache)
{
	for (;;) {
		struct slot *slot = slot_enter();

		if (likely(slot_close(slot, cache)))
			return slot;
		slot_leave(slot);
	}
}

static void leave(struct slot *slot, const struct kmem_cache *cache)
{
	slot_open(slot, cache);
	slot_leave(slot);
}

/*
 * In all that follows the slot is entered and the cache's main sheaf closed, so that main->size is true.
 */

/* Make @sheaf the main one. */
static void set_main(struct slot *slot, struct kmem_cache *cache, struct sheaf *sheaf)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	uint32_t room = MIN(sheaf->capacity, cache->sheaf_max);

	if (sheaves->limit)
		room = MIN(room, sheaves->limit);
	/* one that comes from a barn, or from before the options were known, may hold more */
	room = MAX(room, sheaf->size);
	slot->sheaf_bytes += (size_t)room * cache->size;
	slot->sheaf_bytes -= (size_t)sheaves->room * cache->size;
	sheaves->room = room;
	WRITE_ONCE(sheaves->main, sheaf);
}

static bool has_group(struct slot *slot, const struct kmem_cache *cache)
{
	struct slot_group **group = &slot->group[cache->tag >> 8];

	if (cache->tag < NR_CLASS_TAGS || *group)
		return true;
	/* others look at all slots' sheaves of a cache without the slot's lock: it is zero before it is there */
	store_release(group, meta_alloc(sizeof(**group)));
	return *group;
}

static bool has_main(struct slot *slot, struct kmem_cache *cache)
{
	struct sheaf *first;

	if (unlikely(!cache->sheaf_min || !has_group(slot, cache)))
		return false;
	if (likely(slot_sheaves_of(slot, cache)->main))
		return true;
	first = sheaf_alloc(cache->sheaf_min);
	if (!first)
		return false;
	if (!sheaves_may_hold(slot, cache, cache->sheaf_min))
		slot_sheaves_of(slot, cache)->limit = 1;
	set_main(slot, cache, first);
	return true;
}

static bool has_sheaf(struct slot *slot, const struct kmem_cache *cache)
{
	const struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);

	return sheaves && sheaves->main;
}

static void swap_spare(struct slot *slot, struct kmem_cache *cache)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	struct sheaf *main = sheaves->main;

	slot->spare_bytes -= (size_t)sheaves->spare->size * cache->size;
	slot->spare_bytes += (size_t)main->size * cache->size;
	set_main(slot, cache, sheaves->spare);
	sheaves->spare = main;
}

/* Raise the main sheaf's capacity to what it usually begins with, or to about twice, in another one with the same
 * objects if need be. */
static bool grow_main(struct slot *slot, struct kmem_cache *cache)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	uint32_t twice = MIN(sheaves->room * 2 + 4, cache->sheaf_max);
	uint32_t wanted = sheaves->room < cache->sheaf_min ? cache->sheaf_min : twice;
	struct sheaf *main = sheaves->main;
	struct sheaf *larger;

	if (wanted <= main->capacity) {
		sheaves->limit = (uint16_t)wanted;
		set_main(slot, cache, main);
		return true;
	}
	larger = sheaf_alloc(wanted);
	if (!larger)
		return false;
	sheaves->limit = 0;
	memcpy(larger->objects, main->objects, main->size * sizeof(void *));
	larger->size = main->size;
	set_main(slot, cache, larger);
	sheaf_free(main);
	return true;
}

/*
 * Policy: the first objects of a cache that a slot has, where several share a cache line, lie in a slab of its
 * own, and what comes back to it before goes to its slab. Else one thread's object would stay in the line of
 * another one's who had given it away (cache-scratch in bench/workloads: 4 times slower). Later refills
 * take from everybody's slabs, a dozen neighbours and more at a time.
 */
static bool should_keep_apart(const struct slot_sheaves *sheaves, const struct kmem_cache *cache)
{
	return !sheaves->refilled && cache->size < CACHE_LINE_BYTES && slot_count_busy() > 1;
}

static unsigned int refill_from_slabs(struct slot *slot, struct kmem_cache *cache,
				      struct kmem_cache_node *node)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	void **objects = sheaves->main->objects;
	unsigned int got = 0;

	if (unlikely(should_keep_apart(sheaves, cache)))
		got = slab_refill_apart(cache, slot->nid, objects, sheaves->room, &slot->pcp);
	if (!got)
		got = slab_refill(cache, slot->nid, objects, sheaves->room, &slot->pcp);
	sheaves->refilled = true;
	if (node)
		sheaves_note_inuse(node);
	return got;
}

/* The main sheaf is empty: put objects into it. Return: whether there are any now. */
static bool refill_main(struct slot *slot, struct kmem_cache *cache)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	struct kmem_cache_node *node = cache_node(cache, slot->nid);
	struct sheaf *full, *main;

	if (sheaves->spare && sheaves->spare->size) {
		swap_spare(slot, cache);
		sheaves_note_return(sheaves, sheaves->main->size);
		return true;
	}
	full = node ? barn_trade_empty(&node->barn, sheaves->main) : NULL;
	if (full) {
		sheaves_note_return(sheaves, full->size);
		ADD_ONCE(slot->events.barn_get, 1);
		ADD_ONCE(slot->events.barn_remote, full->owner != slot->pcp.owner);
		set_main(slot, cache, full);
		return true;
	}
	if (sheaves_note_refill(sheaves))
		set_main(slot, cache, sheaves->main);
	if (sheaves_should_grow(slot, cache, node))
		grow_main(slot, cache);
	main = sheaves->main;
	main->size = refill_from_slabs(slot, cache, node);
	ADD_ONCE(slot->events.sheaf_refill, main->size > 0);
	return main->size > 0;
}

/*
 * Up to @want objects for the caller, still marked: from the main sheaf and what refills it, the last ones
 * straight from the slabs when they are more than sheaves are for, or when there is no sheaf.
 */
static size_t take_objects(struct slot *slot, struct kmem_cache *cache, void **objects, size_t want)
{
	size_t got = 0;

	if (has_main(slot, cache)) {
		const struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);

		while (got < want && (sheaves->main->size || (want - got <= cache->sheaf_max &&
							      refill_main(slot, cache)))) {
			struct sheaf *main = sheaves->main;
			uint32_t nr = (uint32_t)MIN(want - got, main->size);

			main->size -= nr;
			memcpy(objects + got, main->objects + main->size, nr * sizeof(void *));
			got += nr;
		}
	}
	while (got < want) {
		unsigned int step = (unsigned int)MIN(want - got, SHEAF_MAX_CAPACITY);
		unsigned int nr = slab_refill(cache, slot->nid, objects + got, step, &slot->pcp);

		if (!nr)
			break;
		got += nr;
	}
	return got;
}

size_t cache_take(struct kmem_cache *cache, void **objects, size_t want)
{
	unsigned int nid;
	size_t got = 0;

	if (cache_refuses(cache))
		return 0;
	do {
		struct slot *slot = enter(cache);

		nid = slot->nid;
		got += take_objects(slot, cache, objects + got, want - got);
		leave(slot, cache);
		/* constructors are the program's code: they run while nothing is held */
	} while (got < want && cache->ctor && slab_construct(cache, nid));
	if (unlikely(cache->debug))
		debug_allocated(cache, objects, got);
	return got;
}

noinline void *cache_alloc_slow(struct kmem_cache *cache)
{
	void *object;

	if (percpu_is_mine() && (object = percpu_pop(cache)))
		return object;
	deferred_drain();
	if (!cache_take(cache, &object, 1))
		return NULL;
	object_unmark(object, cache->mark_word);
	return object;
}

noinline void *cache_alloc_node_slow(struct kmem_cache *cache, unsigned int nid)
{
	void *object;
	unsigned int got;

	if (cache_refuses(cache))
		return NULL;
	do {
		struct slot *slot = slot_enter();

		got = slab_refill(cache, nid, &object, 1, slot->nid == nid ? &slot->pcp : NULL);
		slot_leave(slot);
	} while (!got && cache->ctor && slab_construct(cache, nid));
	if (unlikely(cache->debug))
		debug_allocated(cache, &object, got);
	if (!got)
		return NULL;
	object_unmark(object, cache->mark_word);
	return object;
}

/* Hand the full main sheaf to the barn. Return: false when it does not want it. */
static bool store_main(struct slot *slot, struct kmem_cache *cache, struct kmem_cache_node *node)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	struct sheaf *full = sheaves->main;
	struct sheaf *fresh;
	uint32_t limit;

	if (!node)
		return false;
	limit = sheaves_barn_limit(slot, cache, node);
	/* racy peek; rechecked under the lock */
	if (READ_ONCE(node->barn.nr_objects) + full->size > limit)
		return false;
	full->owner = slot->pcp.owner;
	fresh = barn_trade_full(&node->barn, full, limit, sheaves->room);
	if (!fresh) {
		fresh = sheaf_alloc(sheaves->room);
		if (!fresh)
			return false;
		if (!barn_put_full(&node->barn, full, limit)) {
			sheaf_free(fresh);
			return false;
		}
	}
	ADD_ONCE(slot->events.barn_put, 1);
	set_main(slot, cache, fresh);
	return true;
}

static void flush_sheaf(struct slot *slot, struct kmem_cache *cache, struct sheaf *sheaf)
{
	size_t remote = slab_flush(cache, sheaf->objects, sheaf->size, &slot->pcp, slot->nid);

	ADD_ONCE(slot->events.remote_free, remote);
	ADD_ONCE(slot->events.sheaf_flush, sheaf->size > 0);
	sheaf->size = 0;
}

static void flush_main(struct slot *slot, struct kmem_cache *cache)
{
	flush_sheaf(slot, cache, slot_sheaves_of(slot, cache)->main);
}

/* What the barn holds follows the objects in use too. The sheaves are empty. */
static void shrink_barn(struct slot *slot, struct kmem_cache *cache, struct kmem_cache_node *node)
{
	while (READ_ONCE(node->barn.nr_objects) > sheaves_barn_limit(slot, cache, node) ||
	       sheaves_pin_too_much(slot, cache, node)) {
		struct sheaf *full = barn_get_full(&node->barn);

		if (!full)
			break;
		flush_sheaf(slot, cache, full);
		sheaf_free(full);
	}
}

static void flush_all(struct slot *slot, struct kmem_cache *cache, struct kmem_cache_node *node)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);

	flush_main(slot, cache);
	if (sheaves->spare) {
		slot->spare_bytes -= (size_t)sheaves->spare->size * cache->size;
		flush_sheaf(slot, cache, sheaves->spare);
	}
	shrink_barn(slot, cache, node);
}

/*
 * How much more room a sheaf may have than it uses. Arbitrary: sheaves that shrink and grow in turn, as those of
 * a thread do that frees for another one, need not be made anew each time.
 */
#define MAX_UNUSED_ROOM 4

/* Go on with a main sheaf of half the capacity. */
static void shrink_sheaves(struct slot *slot, struct kmem_cache *cache,
			   struct kmem_cache_node *node)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	uint32_t wanted = MAX(sheaves->room / 2, cache->sheaf_floor);
	struct sheaf *main = sheaves->main;
	struct sheaf *smaller = NULL;

	flush_all(slot, cache, node);
	if (main->capacity > wanted * MAX_UNUSED_ROOM)
		smaller = sheaf_alloc(wanted);
	sheaves->limit = (uint16_t)wanted;
	set_main(slot, cache, smaller ? smaller : main);
	if (!smaller)
		return;
	sheaf_free(main);
	if (sheaves->spare)
		sheaf_free(sheaves->spare);
	sheaves->spare = NULL;
}

/* The same until the next refill. */
static void let_go(struct slot *slot, struct kmem_cache *cache, struct kmem_cache_node *node)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);

	flush_all(slot, cache, node);
	if (!sheaves->usual)
		sheaves->usual = (uint16_t)sheaves->room;
	sheaves->limit = (uint16_t)MAX(sheaves->room / 2, 1);
	set_main(slot, cache, sheaves->main);
}

/*
 * The main sheaf is full: make room in it. With no memory for another sheaf there is still the
 * flush, which needs none.
 */
static void make_room(struct slot *slot, struct kmem_cache *cache)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	struct kmem_cache_node *node = cache_node(cache, slot->nid);

	sheaves_note_full(sheaves);
	if (node && sheaves_should_let_go(slot, cache, node)) {
		sheaves_note_flush(sheaves);
		let_go(slot, cache, node);
		return;
	}
	if (!sheaves->spare)
		sheaves->spare = sheaf_alloc(sheaves->room);
	if (sheaves->spare && !sheaves->spare->size &&
	    sheaves_may_hold(slot, cache, sheaves->main->size)) {
		if (!sheaves_should_grow_at_swap(slot, cache) || !grow_main(slot, cache))
			swap_spare(slot, cache);
		return;
	}
	sheaves_note_flush(sheaves);
	if (node && sheaves_should_shrink(slot, cache, node)) {
		shrink_sheaves(slot, cache, node);
		return;
	}
	if (sheaves_should_grow(slot, cache, node) && grow_main(slot, cache))
		return;
	/* what was too much in the sheaves is so in a barn */
	if (sheaves->usual || !store_main(slot, cache, node))
		flush_main(slot, cache);
}

static void give(struct kmem_cache *cache, void **objects, size_t nr)
{
	struct slot *slot = enter(cache);
	bool first = !has_sheaf(slot, cache);
	size_t given = 0;

	while (given < nr && has_main(slot, cache)) {
		const struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
		struct sheaf *main = sheaves->main;
		size_t step = MIN(nr - given, sheaves->room - main->size);

		if (unlikely(first) && should_keep_apart(sheaves, cache))
			break;

		memcpy(main->objects + main->size, objects + given, step * sizeof(void *));
		main->size += (uint32_t)step;
		given += step;
		if (given == nr)
			break;
		/* more than sheaves are for */
		if (nr - given > cache->sheaf_max)
			break;
		make_room(slot, cache);
	}
	if (given < nr)
		ADD_ONCE(slot->events.remote_free,
			 slab_flush(cache, objects + given, nr - given, &slot->pcp, slot->nid));
	leave(slot, cache);
}

void cache_give(struct kmem_cache *cache, void **objects, size_t nr)
{
	if (unlikely(cache->debug))
		nr = debug_freeing(cache, objects, nr);
	give(cache, objects, nr);
	if (unlikely(cache->debug))
		debug_freed(cache);
}

noinline void cache_free_slow(struct kmem_cache *cache, void *object)
{
	if (percpu_is_mine() && percpu_push(cache, object))
		return;
	deferred_drain();
	if (!slab_of(cache, object) || !slab_is_object(cache, object)) {
		debug_report_bad_free(cache, object, "Invalid object pointer");
		report_not_an_object(cache, object);
	} else if (object_is_marked(object, cache->mark_word) ||
		   !slab_object_in_use(cache, object)) {
		debug_report_bad_free(cache, object, "Object already free");
		report_double_free(cache, object);
	} else {
		object_mark(object, cache->mark_word);
		cache_give(cache, &object, 1);
	}
}
