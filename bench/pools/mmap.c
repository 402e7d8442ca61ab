/* SPDX-License-Identifier: MIT */
/* Pages as the kernel gives them: a mapping each. Nobody touches them here; each page touched would cost a
 * page fault on top. */
#include <sys/mman.h>

#include "pool.h"

static size_t mapping_size;

static void *open_mappings(size_t size, pool_ctor *ctor)
{
	(void)ctor;
	mapping_size = size;
	return &mapping_size;
}

static void *alloc_mapping(void *state)
{
	void *p = mmap(NULL, *(size_t *)state, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void free_mapping(void *state, void *mapping)
{
	munmap(mapping, *(size_t *)state);
}

static void close_mappings(void *state)
{
	(void)state;
}

static const struct pool mmap_pool = {
	.name = "mmap",
	.pages = true,
	.open = open_mappings,
	.alloc = alloc_mapping,
	.free = free_mapping,
	.close = close_mappings,
};
POOL(mmap_pool);
