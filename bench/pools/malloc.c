/* SPDX-License-Identifier: MIT */
/* malloc: that of the C library, or of the library that is preloaded. */
#include <stdlib.h>

#include "pool.h"

/* All that malloc has to be told, beside the calls themselves. */
static size_t block_size;

static void *open_malloc(size_t size, pool_ctor *ctor)
{
	(void)ctor;
	block_size = size;
	return &block_size;
}

static void *alloc_block(void *state)
{
	return malloc(*(size_t *)state);
}

static void free_block(void *state, void *block)
{
	(void)state;
	free(block);
}

static void close_malloc(void *state)
{
	(void)state;
}

static const struct pool malloc_pool = {
	.name = "malloc",
	.objects = true,
	.pages = true,
	.open = open_malloc,
	.alloc = alloc_block,
	.free = free_block,
	.close = close_malloc,
};
POOL(malloc_pool);
