/* SPDX-License-Identifier: MIT */
/*
 * The two operations that everything else exists for. No lock, no atomic read-modify-write, no
 * call.
 *
 * A push checks two things that cost a few instructions and no memory beyond what it touches
 * anyway. The pointer must lie at a multiple of the object size from the start of its slab, and not
 * in what is left over at the slab's end. And an
 * object must not lie in this sheaf already: a push leaves in the object's second word where in the
 * sheaf it went. That word means nothing by itself (the program may have written anything there
 * since), it only says where to look: if the sheaf holds this very pointer at that place, below its
 * count, then the object is free and this is a double free. The idea is the sparse set of Briggs and
 * Torczon 1993, so nothing has to be cleared when the object is handed out again.
 */
#ifndef SLABUDDY_SLAB_FAST_H
#define SLABUDDY_SLAB_FAST_H

#include "slab/slot.h"

/* Take an object out of the main sheaf. Return: false when it is empty. */
static always_inline bool slot_pop(struct slot *slot, size_t tag, void **object)
{
	struct slot_cache *sc = &slot->cache[tag];
	size_t count = sc->count;

	if (unlikely(!count))
		return false;
	count--;
	WRITE_ONCE(sc->count, (uint32_t)count);
	*object = sc->objects[count];
	return true;
}

/* Where a free object's second word says it lies in the sheaf; any number if it was overwritten. */
static always_inline size_t sheaf_place(const struct slot_cache *sc, void *const *object)
{
	return ((uintptr_t)object[1] - (uintptr_t)sc->objects) / sizeof(void *);
}

static always_inline bool sheaf_holds(const struct slot_cache *sc, void *object)
{
	size_t place = sheaf_place(sc, object);

	return place < sc->count && sc->objects[place] == object;
}

/*
 * Put an object into the main sheaf. Return: false when the sheaf is full or the pointer is not
 * what it should be; the slow path finds out which.
 */
static always_inline bool slot_push(struct slot *slot, size_t tag, void *object)
{
	struct slot_cache *sc = &slot->cache[tag];
	size_t count = sc->count;
	uint32_t offset;
	void **place;

	if (unlikely(count >= sc->capacity))
		return false;
	offset = (uint32_t)(uintptr_t)object & sc->slab_mask;
	if (unlikely(!is_multiple(sc->reciprocal, offset) || offset >= sc->object_end))
		return false;
	if (unlikely(sheaf_holds(sc, object)))
		return false;
	place = &sc->objects[count];
	*place = object;
	((void **)object)[1] = place;
	/* the object first: a forked child may find this slot at any point in between */
	store_release(&sc->count, (uint32_t)(count + 1));
	return true;
}

#endif
