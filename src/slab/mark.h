/* SPDX-License-Identifier: MIT */
/*
 * The mark of a free object, in its second word: its own address under a key of this run. Objects in
 * sheaves, barns and slabs carry it; an object that is handed out does not, nor does memory that is
 * no slab any more.
 */
#ifndef SLABUDDY_SLAB_MARK_H
#define SLABUDDY_SLAB_MARK_H

#include "base/compiler.h"

/* [const after slab_boot()] what marks are made with */
extern uintptr_t free_mark_key;

static always_inline uintptr_t free_mark(const void *object)
{
	return (uintptr_t)object ^ free_mark_key;
}

static always_inline bool object_is_marked(const void *object)
{
	return ((const uintptr_t *)object)[1] == free_mark(object);
}

static always_inline void object_mark(void *object)
{
	((uintptr_t *)object)[1] = free_mark(object);
}

static always_inline void object_unmark(void *object)
{
	((uintptr_t *)object)[1] = 0;
}

#endif
