/* SPDX-License-Identifier: MIT */
/*
 * A sheaf: an array of pointers to free objects of one cache, last in, first out. The kernel's
 * name for what Bonwick and Adams call a magazine.
 *
 * Capacities are such that header and array fill a power of two: 4, 12, 28, 60, 124 … 1020; a
 * cache may use less than the whole of one.
 */
#ifndef SLABUDDY_SLAB_SHEAF_H
#define SLABUDDY_SLAB_SHEAF_H

#include "base/compiler.h"

struct sheaf {
	struct sheaf *next; /* in a barn */
	uint32_t bytes;	    /* [const] of this structure with its array */
	uint32_t capacity;  /* [const] pointers it may hold */
	uint32_t size;	    /* pointers in it; out of date while it is a slot's main sheaf */
	uint32_t tag;	    /* [prefilled] of its cache */
	uint32_t owner;	    /* [full, in a barn] the slot that left it there, see struct pcp */
	uint32_t reserved;
	void *objects[];
};

#define SHEAF_MAX_CAPACITY 1020U

/* Return: an empty sheaf for @capacity pointers, or SHEAF_MAX_CAPACITY if that is less; or NULL. May map memory. */
struct sheaf *sheaf_alloc(uint32_t capacity);

/* The same for any number up to KMEM_SHEAF_MAX; NULL for more. */
struct sheaf *sheaf_alloc_exact(uint32_t capacity);
void sheaf_free(struct sheaf *sheaf);

#endif
