/* SPDX-License-Identifier: MIT */
/* GLib's slices, which are a slab allocator up to GLib 2.74 and malloc from then on. */
#include "pool.h"

#ifdef HAVE_GLIB
#include <glib.h>

static size_t slice_size;

static void *open_slices(size_t size, pool_ctor *ctor)
{
	(void)ctor;
	slice_size = size;
	return &slice_size;
}

static void *alloc_slice(void *state)
{
	return g_slice_alloc(*(size_t *)state);
}

static void free_slice(void *state, void *slice)
{
	g_slice_free1(*(size_t *)state, slice);
}

static void close_slices(void *state)
{
	(void)state;
}

static const struct pool g_slice_pool = {
	.name = "g_slice",
	.objects = true,
	.open = open_slices,
	.alloc = alloc_slice,
	.free = free_slice,
	.close = close_slices,
};
POOL(g_slice_pool);
#else
POOL_MISSING("g_slice", "libglib2.0-dev");
#endif
