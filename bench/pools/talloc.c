/* SPDX-License-Identifier: MIT */
/* Samba's talloc: chunks in a tree, and freeing one frees its children. A context is for one thread. */
#include "pool.h"

#ifdef HAVE_TALLOC
#include <talloc.h>

static _Thread_local size_t chunk_size;

static void *open_context(size_t size, pool_ctor *ctor)
{
	(void)ctor;
	chunk_size = size;
	return talloc_named_const(NULL, 0, "bench");
}

static void *alloc_chunk(void *context)
{
	return talloc_size(context, chunk_size);
}

static void free_chunk(void *context, void *chunk)
{
	(void)context;
	talloc_free(chunk);
}

static void close_context(void *context)
{
	talloc_free(context);
}

static const struct pool chunks = {
	.name = "talloc",
	.objects = true,
	.one_thread = true,
	.open = open_context,
	.alloc = alloc_chunk,
	.free = free_chunk,
	.close = close_context,
};
POOL(chunks);
#else
POOL_MISSING("talloc", "libtalloc-dev");
#endif
