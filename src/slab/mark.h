/* SPDX-License-Identifier: MIT */
/*
 * The mark of a free object: a number that only its own address gives. Objects in sheaves, barns and
 * slabs carry it; an object that is handed out does not, nor does memory that is no slab any more. So a
 * program finds none to copy to where it would be taken for one.
 *
 * It lies in the object's second word; where what is in a free object must stay (a constructor, readers
 * under RCU), in a word behind it or where the cache's owner allows it.
 */
#ifndef SLABUDDY_SLAB_MARK_H
#define SLABUDDY_SLAB_MARK_H

#include "base/compiler.h"

/*
 * Random, and odd: the mark is no address of anything aligned, and nobody adds just this to an address.
 * A constant, so that a mark is one instruction. A key of each run's own would keep nobody away who may
 * write to a free object: he may as well wipe the mark.
 */
#define MARK_DISTANCE 0x5851f42d

static always_inline uintptr_t free_mark(const void *object)
{
	return (uintptr_t)object + MARK_DISTANCE;
}

/* The word that it is, unless the cache says otherwise, and in all of malloc's objects. */
#define MARK_WORD 1

static always_inline bool object_is_marked(const void *object, size_t word)
{
	return ((const uintptr_t *)object)[word] == free_mark(object);
}

static always_inline void object_mark(void *object, size_t word)
{
	((uintptr_t *)object)[word] = free_mark(object);
}

static always_inline void object_unmark(void *object, size_t word)
{
	((uintptr_t *)object)[word] = 0;
}

#endif
