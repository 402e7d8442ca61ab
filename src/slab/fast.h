/* SPDX-License-Identifier: MIT */
/*
 * The two operations that everything else exists for. No lock, no atomic read-modify-write, no
 * call.
 *
 * A push checks two things. The pointer must lie at a multiple of the object size from the start of
 * its slab, and not in what is left over at the slab's end. And the object must not be free already:
 * a push leaves a mark in the object's second word, a pop clears it. The mark is the object's own
 * address under a key that differs from run to run, so no program writes it by accident, not even
 * by copying what it finds in memory that it has freed. It is gone if the program wrote over it,
 * which is a bug of another kind.
 */
#ifndef SLABUDDY_SLAB_FAST_H
#define SLABUDDY_SLAB_FAST_H

#include "slab/mark.h"
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
	object_unmark(*object);
	return true;
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

	if (unlikely(count >= sc->capacity))
		return false;
	offset = (uint32_t)(uintptr_t)object & sc->slab_mask;
	if (unlikely(!is_multiple(sc->reciprocal, offset) || offset >= sc->object_end))
		return false;
	if (unlikely(object_is_marked(object)))
		return false;
	object_mark(object);
	sc->objects[count] = object;
	/* the object first: a forked child may find this slot at any point in between */
	store_release(&sc->count, (uint32_t)(count + 1));
	return true;
}

#endif
