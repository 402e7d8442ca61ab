/* SPDX-License-Identifier: MIT */
/*
 * The bytes of watched slabs: how they are set and checked.
 */
#ifndef SLABUDDY_SLAB_DEBUG_LAYOUT_H
#define SLABUDDY_SLAB_DEBUG_LAYOUT_H

#include "slab/debug.h"

/* All of a new slab. */
void debug_fill_slab(struct kmem_cache *cache, struct page *slab);

/* An object and what is around it, for one that is free, or in use as @size bytes. */
void debug_fill_object(struct kmem_cache *cache, char *object, bool in_use, size_t size);

/* Return: whether there is a byte that is not what it should be, the first such range in *@fault. */
bool debug_check_object(struct kmem_cache *cache, char *object, bool in_use, size_t size,
			struct debug_fault *fault);

/* The same for what is left over at the slab's end. */
bool debug_check_padding(struct kmem_cache *cache, struct page *slab, struct debug_fault *fault);

/* Make the bytes what they should be. */
void debug_restore(const struct debug_fault *fault);

#endif
