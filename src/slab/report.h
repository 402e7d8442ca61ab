/* SPDX-License-Identifier: MIT */
/*
 * What is said about a pointer that cannot be freed. One line, then abort(), or with the option
 * bad_free=warn the pointer is left alone.
 */
#ifndef SLABUDDY_SLAB_REPORT_H
#define SLABUDDY_SLAB_REPORT_H

#include "base/compiler.h"

struct kmem_cache;

cold void report_double_free(const struct kmem_cache *cache, const void *object);
cold void report_not_an_object(const struct kmem_cache *cache, const void *addr);

/* An object given back to @cache, which is NULL or not its @owner's; @owner: NULL if it lies in no slab. */
cold void report_wrong_cache(const struct kmem_cache *cache, const struct kmem_cache *owner,
			     const void *object);

/* The same for the page API. @what: the function's name, and what is wrong with the page at @addr. */
cold void report_bad_page(const char *function, const void *addr, const char *what, ...)
	format_printf(3, 4);

/* A prefilled sheaf of @owner, which is NULL if that has ended, in a call of @function for @cache. */
cold void report_wrong_sheaf(const char *function, const struct kmem_cache *cache,
			     const struct kmem_cache *owner);

/* The same for pointers outside of slabs. @what: what the address is instead. */
cold void report_bad_free(const void *addr, const char *what);

#endif
