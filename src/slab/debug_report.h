/* SPDX-License-Identifier: MIT */
/*
 * What is said about watched caches, in the kernel's form and without a prefix, so that what reads kernel
 * logs reads it. Each report is collected first and written as a whole, with no lock held.
 */
#ifndef SLABUDDY_SLAB_DEBUG_REPORT_H
#define SLABUDDY_SLAB_DEBUG_REPORT_H

#include "slab/debug.h"

/* Bytes of a piece of memory that a report shows at most. Arbitrary: the kernel's page is too much for a
 * stack. */
#define DUMP_BYTES 256
#define ZONE_DUMP_BYTES 64

/* A piece of memory as it was. */
struct debug_dump {
	const char *title;
	const unsigned char *addr;
	unsigned int len;
	unsigned char bytes[DUMP_BYTES];
};

/* All of a report but its first words. */
struct debug_view {
	const void *slab;
	unsigned int objects, inuse;
	const void *free; /* first free object */
	const char *object; /* NULL: none in particular */
	struct debug_object tracks;
	struct debug_dump before, content, behind, padding;
};

/* A slab's first free object, or NULL. Racy without the list_lock. */
const void *debug_first_free(struct kmem_cache *cache, struct page *slab);

/* See what is at @object; the state is right if its node's list_lock is held, or nobody else has it.
 * @around: an address in it that must be seen. */
void debug_look(struct kmem_cache *cache, struct page *slab, const char *object, const void *around,
		struct debug_view *view);

/* What @fault says about what was seen; @here: the caller's stack tells how it was found. Then its repair. */
cold void debug_write_fault(struct kmem_cache *cache, const struct debug_view *view,
			    const struct debug_fault *fault, bool here);

/* Look and write: for an object that nobody else has. */
cold void debug_report_fault(struct kmem_cache *cache, struct page *slab, const char *object,
			     const struct debug_fault *fault);

/* "FIX name: …" */
cold void debug_report_fix(const struct kmem_cache *cache, const char *fmt, ...) format_printf(2, 3);

/* A slab whose numbers do not agree: @what. */
cold void debug_report_slab(struct kmem_cache *cache, const struct debug_view *view,
			    const char *what);

#endif
