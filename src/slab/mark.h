/* SPDX-License-Identifier: MIT */
/*
 * The mark of a free object: its own address under a key of this run. Objects in sheaves, barns and
 * slabs carry it; an object that is handed out does not, nor does memory that is no slab any more.
 *
 * It lies in the object's second word; where what is in a free object must stay (a constructor, readers
 * under RCU), in a word behind it or where the cache's owner allows it.
 */
#ifndef SLABUDDY_SLAB_MARK_H
#define SLABUDDY_SLAB_MARK_H

#include "base/compiler.h"

/* [const after slab_boot()] what marks are made with */
extern hidden uintptr_t free_mark_key;

static always_inline uintptr_t free_mark(const void *object)
{
	return (uintptr_t)object ^ free_mark_key;
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
