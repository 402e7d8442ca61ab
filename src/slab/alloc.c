/* SPDX-License-Identifier: MIT */
#include "slab/alloc.h"

#include <string.h>

#include "page/meta.h"
#include "slab/debug.h"
#include "slab/deferred.h"
#include "slab/percpu.h"
#include "slab/report.h"
#include "slab/slab.h"

/*
 * Bytes of objects that all main sheaves of a slot may hold, with those in its spares, before they stop growing; and
 * the same of all slots together, beside a share of the pages in use. Measured with 8 threads, 2, 4 and 6 MiB, processor
 * time to that without a limit: xmalloc 1.7, 1.2, 1.05; prodcons 1.3, 1.2, 1.05.
 */
#define SLOT_SHEAF_BYTES MIB(2)
#define ALL_SHEAF_BYTES MIB(5)
#define ALL_SHEAF_SHARE 64

/* Refills and flushes that make a sheaf grow. Arbitrary: one is an accident, two are a rate. */
#define EVENTS_TO_GROW 2

/* Changes from flushes to refills that do, and how much longer than usual a row of flushes is that lets it
 * shrink. Arbitrary. */
#define TURNS_TO_GROW 2
#define ROW_TO_SHRINK 4

/* Sheaves freed beyond what is usual that let go of what keeps slabs. Arbitrary. */
#define SHEAVES_TO_LET_GO 4

/* Objects, and bytes of them, that are no usual batch any more, however often so many are freed. Arbitrary: enough that
 * smaller sheaves for the last of them cost little beside the others. */
#define MOST_USUALLY_FREED 4096U
#define MOST_BYTES_USUALLY_FREED MIB(16)

/* Swaps with the spare that do. Measured, ns an object of bulks of 16, 32 and 64: 6.2, 4.6, 3.2 without. */
#define SWAPS_TO_GROW 8

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

/*
 * Whether a slot's sheaves may have @nr more objects: large ones only while it holds a quarter of its part, as a lock is
 * little beside their first touch. Racy: a hint.
 */
static bool may_hold(const struct slot *slot, const struct kmem_cache *cache, size_t nr)
{
	const struct zone *zone = slot_zone(slot);
	size_t used = READ_ONCE(zone->managed_pages) - READ_ONCE(zone->nr_free_pages);
	size_t all = ALL_SHEAF_BYTES + (used << PAGE_SHIFT) / ALL_SHEAF_SHARE;

	if (cache->size >= PAGE_SIZE)
		all /= 4;
	return slot->sheaf_bytes + slot->spare_bytes + nr * cache->size <=
	       MIN(all / slot_count_busy(), SLOT_SHEAF_BYTES);
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
	if (!may_hold(slot, cache, cache->sheaf_min))
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

/*
 * Policy: a sheaf grows with the rate at which it runs empty or full, up to an eighth of the objects
 * in use. It grows further while refills and flushes take turns: what it gives away is what it
 * needs next. It shrinks when more flushes than usual come in a row and it holds more than a quarter of
 * the objects in use: after many frees what lies in sheaves comes from everywhere, and each object of it keeps a
 * slab from going back. redis after FLUSHALL held 6 MiB of slabs by 200 KiB of free objects.
 *
 * While more than is usual is freed, less than half of what was in use is left, and that would do with far fewer slabs,
 * sheaves and barns are small, down to nothing, until the next refill. 192 MiB of small objects, all freed, left 49 MiB
 * of slabs with 3 MiB of free objects in them before, now 3 MiB.
 */
#define GROW_BELOW_SHARE 8
#define SHRINK_ABOVE_SHARE 4

/* Bytes of slabs that a cache's free objects in sheaves may keep without need, beside a share of the slabs that
 * objects in use need. Of all slots together. Arbitrary: with 36 classes, 2 MiB. */
#define PINNED_BYTES KIB(64)
#define PINNED_SHARE 8

/*
 * What slabs have handed out, less what lies in the barn and in this slot. Racy, and blind for other
 * slots: a hint.
 */
static unsigned long objects_in_use(struct slot *slot, struct kmem_cache *cache,
				    const struct kmem_cache_node *node)
{
	const struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	unsigned long out = node ? READ_ONCE(node->nr_inuse) : 0;
	unsigned long idle = sheaves->main->size;

	idle += sheaves->spare ? sheaves->spare->size : 0;
	idle += node ? READ_ONCE(node->barn.nr_objects) : 0;
	return out > idle ? out - idle : 0;
}

/* This slot's part of that, so that all slots' sheaves together stay within a share of it. */
static unsigned long own_objects_in_use(struct slot *slot, struct kmem_cache *cache,
					const struct kmem_cache_node *node)
{
	return objects_in_use(slot, cache, node) / slot_count_busy();
}

/*
 * The slabs that would be empty if nothing of the cache lay in this slot's sheaves and the barn, as far as
 * numbers can tell: what is in use might lie in as few slabs as it needs. Return: whether they are too many.
 */
static bool pins_too_much(struct slot *slot, struct kmem_cache *cache,
			  const struct kmem_cache_node *node)
{
	const struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	unsigned long needed = objects_in_use(slot, cache, node) / cache->objects + 1;
	unsigned long nr_slabs = READ_ONCE(node->nr_slabs) - READ_ONCE(node->nr_empty);
	unsigned long idle = sheaves->main->size + READ_ONCE(node->barn.nr_objects);
	unsigned long most = PINNED_BYTES / (cache->slab_mask + 1UL) + needed / PINNED_SHARE;

	idle += sheaves->spare ? sheaves->spare->size : 0;
	return nr_slabs > needed && MIN(nr_slabs - needed, idle) > most / slot_count_busy();
}

/*
 * The most that slabs have handed out of late: half of it and less means that objects go for good, not to and fro
 * between threads. Racy: a hint.
 */
#define USUAL_DECAY 8

static void note_inuse(struct kmem_cache_node *node)
{
	unsigned long inuse = READ_ONCE(node->nr_inuse);
	unsigned long usual = READ_ONCE(node->usual_inuse);

	if (inuse < usual)
		inuse = usual - (usual - inuse) / USUAL_DECAY;
	WRITE_ONCE(node->usual_inuse, inuse);
}

static void note_refill(struct slot *slot, struct kmem_cache *cache)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);

	sheaves->events++;
	if (sheaves->row) {
		sheaves->turns++;
		sheaves->longest = MAX(sheaves->row, (uint16_t)(sheaves->longest / 2));
		sheaves->row = 0;
	}
	if (sheaves->freed) {
		sheaves->most = MAX(sheaves->freed, (uint16_t)(sheaves->most / 2));
		sheaves->freed = 0;
	}
	if (sheaves->usual) {
		sheaves->limit = sheaves->usual;
		sheaves->usual = 0;
		set_main(slot, cache, sheaves->main);
	}
}

/* Objects that were freed lately are wanted again. */
static void note_return(struct slot_sheaves *sheaves, uint32_t nr)
{
	sheaves->most = MAX(sheaves->most, sheaves->freed);
	sheaves->freed -= (uint16_t)MIN(sheaves->freed, nr);
}

/* The main sheaf is full. */
static void note_full(struct slot_sheaves *sheaves)
{
	sheaves->freed = (uint16_t)MIN(sheaves->freed + sheaves->main->size, UINT16_MAX);
}

static void note_flush(struct slot_sheaves *sheaves)
{
	sheaves->events++;
	if (sheaves->row < UINT16_MAX)
		sheaves->row++;
}

static bool should_grow(struct slot *slot, struct kmem_cache *cache,
			const struct kmem_cache_node *node)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	size_t capacity = sheaves->room;
	bool turns = sheaves->turns >= TURNS_TO_GROW;

	if (sheaves->events < EVENTS_TO_GROW)
		return false;
	sheaves->events = 0;
	if (turns)
		sheaves->turns = 0;
	return capacity < cache->sheaf_max &&
	       (turns || capacity < cache->sheaf_floor ||
		capacity < own_objects_in_use(slot, cache, node) / GROW_BELOW_SHARE) &&
	       may_hold(slot, cache, capacity);
}

/*
 * Whoever goes to and fro over the edge between the two sheaves, as bulks of more than a sheaf do, gets a
 * larger one, up to what needs no justification.
 */
static bool should_grow_at_swap(struct slot *slot, struct kmem_cache *cache)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	size_t capacity = sheaves->room;

	if (++sheaves->swaps < SWAPS_TO_GROW)
		return false;
	sheaves->swaps = 0;
	return capacity < cache->sheaf_floor &&
	       may_hold(slot, cache, capacity);
}

static bool should_shrink(struct slot *slot, struct kmem_cache *cache,
			  const struct kmem_cache_node *node)
{
	const struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	size_t capacity = sheaves->room;

	return capacity > cache->sheaf_floor &&
	       sheaves->row >= ROW_TO_SHRINK + 2U * sheaves->longest &&
	       capacity > own_objects_in_use(slot, cache, node) / SHRINK_ABOVE_SHARE;
}

/* Whether the sheaves shall be small until the next refill. */
static bool should_let_go(struct slot *slot, struct kmem_cache *cache,
			  const struct kmem_cache_node *node)
{
	const struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	size_t usual = MIN(2U * sheaves->most, MOST_USUALLY_FREED);

	usual = MIN(usual, MOST_BYTES_USUALLY_FREED / cache->size);

	/* an owner who has said how large they are to be has said what they may keep */
	return !cache->sheaf_capacity &&
	       READ_ONCE(node->nr_inuse) < READ_ONCE(node->usual_inuse) / 2 &&
	       sheaves->freed >= SHEAVES_TO_LET_GO * sheaves->room + usual &&
	       pins_too_much(slot, cache, node);
}

/* Raise the main sheaf's capacity to about twice, in another one with the same objects if need be. */
static bool grow_main(struct slot *slot, struct kmem_cache *cache)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	uint32_t wanted = MIN(sheaves->room * 2 + 4, cache->sheaf_max);
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

static unsigned int refill_from_slabs(struct slot *slot, struct kmem_cache *cache)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	void **objects = sheaves->main->objects;
	unsigned int got = 0;

	if (unlikely(should_keep_apart(sheaves, cache)))
		got = slab_refill_apart(cache, slot->nid, objects, sheaves->room, &slot->pcp);
	if (!got)
		got = slab_refill(cache, slot->nid, objects, sheaves->room, &slot->pcp);
	sheaves->refilled = true;
	if (cache_node(cache, slot->nid))
		note_inuse(cache_node(cache, slot->nid));
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
		note_return(sheaves, sheaves->main->size);
		return true;
	}
	full = node ? barn_trade_empty(&node->barn, sheaves->main) : NULL;
	if (full) {
		note_return(sheaves, full->size);
		ADD_ONCE(slot->events.barn_get, 1);
		ADD_ONCE(slot->events.barn_remote, full->owner != slot->pcp.owner);
		set_main(slot, cache, full);
		return true;
	}
	note_refill(slot, cache);
	if (should_grow(slot, cache, node))
		grow_main(slot, cache);
	main = sheaves->main;
	main->size = refill_from_slabs(slot, cache);
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

/* What a barn may hold: two sheaves like this slot's, more only by the objects in use. */
static uint32_t barn_limit(struct slot *slot, struct kmem_cache *cache,
			   const struct kmem_cache_node *node)
{
	size_t two = (size_t)slot_sheaves_of(slot, cache)->room * 2;
	size_t share = objects_in_use(slot, cache, node) / SHRINK_ABOVE_SHARE;

	return (uint32_t)MIN(MAX(two, share), cache->barn_max);
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
	limit = barn_limit(slot, cache, node);
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
	while (READ_ONCE(node->barn.nr_objects) > barn_limit(slot, cache, node) ||
	       (!cache->sheaf_capacity && pins_too_much(slot, cache, node))) {
		struct sheaf *full = barn_get_full(&node->barn);

		if (!full)
			break;
		flush_sheaf(slot, cache, full);
		sheaf_free(full);
	}
}

/*
 * How much more room a sheaf may have than it uses. Arbitrary: sheaves that shrink and grow in turn, as those of
 * a thread do that frees for another one, need not be made anew each time.
 */
#define MAX_UNUSED_ROOM 4

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

	note_full(sheaves);
	if (node && should_let_go(slot, cache, node)) {
		note_flush(sheaves);
		let_go(slot, cache, node);
		return;
	}
	if (!sheaves->spare)
		sheaves->spare = sheaf_alloc(sheaves->room);
	if (sheaves->spare && !sheaves->spare->size &&
	    may_hold(slot, cache, sheaves->main->size)) {
		if (!should_grow_at_swap(slot, cache) || !grow_main(slot, cache))
			swap_spare(slot, cache);
		return;
	}
	note_flush(sheaves);
	if (node && should_shrink(slot, cache, node)) {
		shrink_sheaves(slot, cache, node);
		return;
	}
	if (should_grow(slot, cache, node) && grow_main(slot, cache))
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
