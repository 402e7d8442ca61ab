/* SPDX-License-Identifier: MIT */
/*
 * A sheaf grows with the rate at which it runs empty or full, up to an eighth of the objects
 * in use. It grows further while refills and flushes take turns: what it gives away is what it
 * needs next. It shrinks when more flushes than usual come in a row and it holds more than a
 * quarter of the objects in use: after many frees what lies in sheaves comes from everywhere, and
 * each object of it keeps a slab from going back. redis after FLUSHALL held 6 MiB of slabs by 200
 * KiB of free objects.
 *
 * While more than is usual is freed, less than half of what was in use is left, and that would do
 * with far fewer slabs, sheaves and barns are small, down to nothing, until the next refill. 192
 * MiB of small objects, all freed, left 49 MiB of slabs with 3 MiB of free objects in them before,
 * now 3 MiB.
 */
#include "slab/sheaf_policy.h"

#define GROW_BELOW_SHARE   8
#define SHRINK_ABOVE_SHARE 4

/* Bytes of slabs that a cache's free objects in sheaves may keep without need, beside a share of
 * the slabs that objects in use need. Of all slots together. Arbitrary: 54 classes, 2.1 MiB. */
#define PINNED_BYTES KIB(40)
#define PINNED_SHARE 8

/*
 * Bytes of objects that all main sheaves of a slot may hold, with those in its spares, before they
 * stop growing; and the same of all slots together, beside a share of the pages in use. Measured
 * with 8 threads, 2, 4 and 6 MiB, processor time to that without a limit: xmalloc 1.7, 1.2, 1.05;
 * prodcons 1.3, 1.2, 1.05. 5 leaves a margin to what may stay at rest.
 */
#define SLOT_SHEAF_BYTES MIB(2)
#define ALL_SHEAF_BYTES	 MIB(5)
#define ALL_SHEAF_SHARE	 64

/* Refills and flushes that make a sheaf grow. Arbitrary: one is an accident, two are a rate. */
#define EVENTS_TO_GROW 2

/* Changes from flushes to refills that do, and how much longer than usual a row of flushes is that
 * lets it shrink. Arbitrary. */
#define TURNS_TO_GROW 2
#define ROW_TO_SHRINK 4

/* Sheaves freed beyond what is usual that let go of what keeps slabs. Arbitrary. */
#define SHEAVES_TO_LET_GO 4

/* Objects, and bytes of them, that are no usual batch any more, however often so many are freed.
 * Arbitrary: enough that smaller sheaves for the last of them cost little beside the others. */
#define MOST_USUALLY_FREED	 2048U
#define MOST_BYTES_USUALLY_FREED MIB(8)

/* Swaps with the spare that do. Measured, ns an object of bulks of 16, 32 and 64: 6.2, 4.6, 3.2
 * without. */
#define SWAPS_TO_GROW 8

bool sheaves_may_hold(const struct slot *slot, const struct kmem_cache *cache, size_t nr)
{
	const struct zone *zone = slot_zone(slot);
	size_t managed = READ_ONCE(zone->managed_pages);
	size_t used = managed - MIN(managed, READ_ONCE(zone->nr_free_pages));
	size_t all = ALL_SHEAF_BYTES + (used << PAGE_SHIFT) / ALL_SHEAF_SHARE;

	if (cache->size >= PAGE_SIZE)
		all /= 4;
	return slot->sheaf_bytes + slot->spare_bytes + nr * cache->size <=
	       MIN(all / slot_count_busy(), SLOT_SHEAF_BYTES);
}

/* What lies in the barn and in this slot. Racy, and blind for other slots: a hint, as all that
 * follows. */
static unsigned long idle_objects(struct slot *slot, struct kmem_cache *cache,
				  const struct kmem_cache_node *node)
{
	const struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	unsigned long idle = sheaves->main->size;

	idle += sheaves->spare ? sheaves->spare->size : 0;
	return idle + (node ? READ_ONCE(node->barn.nr_objects) : 0);
}

/* What slabs have handed out, less that. */
static unsigned long objects_in_use(struct slot *slot, struct kmem_cache *cache,
				    const struct kmem_cache_node *node)
{
	unsigned long out = node ? READ_ONCE(node->nr_inuse) : 0;

	return out - MIN(out, idle_objects(slot, cache, node));
}

/* This slot's part of that, so that all slots' sheaves together stay within a share of it. */
static unsigned long own_objects_in_use(struct slot *slot, struct kmem_cache *cache,
					const struct kmem_cache_node *node)
{
	return objects_in_use(slot, cache, node) / slot_count_busy();
}

bool sheaves_pin_too_much(struct slot *slot, struct kmem_cache *cache,
			  const struct kmem_cache_node *node)
{
	unsigned long needed = objects_in_use(slot, cache, node) / cache->objects + 1;
	unsigned long nr_slabs = READ_ONCE(node->nr_slabs) - READ_ONCE(node->nr_empty);
	unsigned long most = PINNED_BYTES / (cache->slab_mask + 1UL) + needed / PINNED_SHARE;

	/* an owner who has said how large they are to be has said what they may keep */
	return !cache->sheaf_capacity && nr_slabs > needed &&
	       MIN(nr_slabs - needed, idle_objects(slot, cache, node)) > most / slot_count_busy();
}

/* The part of the way by which what is usual follows what is less, at a refill. Arbitrary. */
#define USUAL_DECAY 8

void sheaves_note_inuse(struct kmem_cache_node *node)
{
	unsigned long inuse = READ_ONCE(node->nr_inuse);
	unsigned long usual = READ_ONCE(node->usual_inuse);

	if (inuse < usual)
		inuse = usual - (usual - inuse) / USUAL_DECAY;
	WRITE_ONCE(node->usual_inuse, inuse);
}

bool sheaves_note_refill(struct slot_sheaves *sheaves)
{
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
	if (!sheaves->usual)
		return false;
	sheaves->limit = sheaves->usual;
	sheaves->usual = 0;
	return true;
}

void sheaves_note_return(struct slot_sheaves *sheaves, uint32_t nr)
{
	sheaves->most = MAX(sheaves->most, sheaves->freed);
	sheaves->freed -= (uint16_t)MIN(sheaves->freed, nr);
}

void sheaves_note_full(struct slot_sheaves *sheaves)
{
	sheaves->freed = (uint16_t)MIN(sheaves->freed + sheaves->main->size, UINT16_MAX);
}

void sheaves_note_flush(struct slot_sheaves *sheaves)
{
	sheaves->events++;
	if (sheaves->row < UINT16_MAX)
		sheaves->row++;
}

bool sheaves_should_grow(struct slot *slot, struct kmem_cache *cache,
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
	       /* others have used the slot's part up: with a sheaf of one, each second call would take a lock for good */
	       (capacity < cache->sheaf_min || sheaves_may_hold(slot, cache, capacity));
}

bool sheaves_should_grow_at_swap(struct slot *slot, struct kmem_cache *cache)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	size_t capacity = sheaves->room;

	if (++sheaves->swaps < SWAPS_TO_GROW)
		return false;
	sheaves->swaps = 0;
	return capacity < cache->sheaf_floor && sheaves_may_hold(slot, cache, capacity);
}

bool sheaves_should_shrink(struct slot *slot, struct kmem_cache *cache,
			   const struct kmem_cache_node *node)
{
	const struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	size_t capacity = sheaves->room;

	return capacity > cache->sheaf_floor &&
	       sheaves->row >= ROW_TO_SHRINK + 2U * sheaves->longest &&
	       capacity > own_objects_in_use(slot, cache, node) / SHRINK_ABOVE_SHARE;
}

bool sheaves_should_let_go(struct slot *slot, struct kmem_cache *cache,
			   const struct kmem_cache_node *node)
{
	const struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	size_t usual = MIN(2U * sheaves->most, MOST_USUALLY_FREED);

	usual = MIN(usual, MOST_BYTES_USUALLY_FREED / cache->size);

	return READ_ONCE(node->nr_inuse) < READ_ONCE(node->usual_inuse) / 2 &&
	       sheaves->freed >= SHEAVES_TO_LET_GO * sheaves->room + usual &&
	       sheaves_pin_too_much(slot, cache, node);
}

uint32_t sheaves_barn_limit(struct slot *slot, struct kmem_cache *cache,
			    const struct kmem_cache_node *node)
{
	size_t two = (size_t)slot_sheaves_of(slot, cache)->room * 2;
	size_t share = objects_in_use(slot, cache, node) / SHRINK_ABOVE_SHARE;

	return (uint32_t)MIN(MAX(two, share), cache->barn_max);
}
