/* SPDX-License-Identifier: MIT */
/* slabuddy's pages. */
#include <slabuddy/gfp.h>

#include "pool.h"

static unsigned int order;

static void *open_pages(size_t size, pool_ctor *ctor)
{
	(void)ctor;
	order = (unsigned int)get_order(size);
	return &order;
}

static void *alloc_block(void *state)
{
	return alloc_pages(GFP_KERNEL, *(unsigned int *)state);
}

static void free_block(void *state, void *page)
{
	__free_pages(page, *(unsigned int *)state);
}

static void close_pages(void *state)
{
	(void)state;
}

static const struct pool pages_pool = {
	.name = "alloc_pages",
	.pages = true,
	.open = open_pages,
	.alloc = alloc_block,
	.free = free_block,
	.close = close_pages,
};
POOL(pages_pool);
