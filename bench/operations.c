/* SPDX-License-Identifier: MIT */
/* bench/operations NAME TURNS: one operation over and over, for bench/fastpath to count its instructions.
 * Without arguments: the names, each with the operations of a turn. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slabuddy/gfp.h>
#include <slabuddy/slab.h>

enum {
	NR_BULK = 32,
	NR_MIXED = 1000, /* as a batch of bench/micro has */
};

static struct kmem_cache *cache;

/* Makes the compiler believe that somebody looks at p. */
static inline void *used(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

static void *must(void *p)
{
	if (!p) {
		perror("operations");
		abort();
	}
	return used(p);
}

static void malloc_pair(void)
{
	free(must(malloc(64)));
}

/* Sizes of 1 to 1024 bytes, mostly small ones, freed in another order than allocated: 7 and 1000
 * have no common divisor, so that each is freed once. */
static void malloc_batch(void)
{
	static void *blocks[NR_MIXED];
	unsigned int random = 1;

	for (int i = 0; i < NR_MIXED; i++) {
		random = random * 1664525 + 1013904223;
		blocks[i] = must(malloc(1 + (random >> 8) % (16u << (random >> 28) % 7)));
	}
	for (int i = 0; i < NR_MIXED; i++)
		free(blocks[i * 7 % NR_MIXED]);
}

static void kmalloc_pair(void)
{
	kfree(must(kmalloc(64, GFP_KERNEL)));
}

static void cache_pair(void)
{
	kmem_cache_free(cache, must(kmem_cache_alloc(cache, GFP_KERNEL)));
}

static void cache_bulk(void)
{
	void *objects[NR_BULK];

	if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, NR_BULK, objects) != NR_BULK)
		must(NULL);
	used(objects);
	kmem_cache_free_bulk(cache, NR_BULK, objects);
}

static void page_pair(void)
{
	__free_page(must(alloc_page(GFP_KERNEL)));
}

static void page_pair_order_3(void)
{
	__free_pages(must(alloc_pages(GFP_KERNEL, 3)), 3);
}

static const struct operation {
	const char *name;
	void (*turn)(void);
	unsigned int nr; /* operations a turn */
} operations[] = {
	{ "malloc", malloc_pair, 1 },
	{ "malloc_batch", malloc_batch, NR_MIXED },
	{ "kmalloc", kmalloc_pair, 1 },
	{ "kmem_cache", cache_pair, 1 },
	{ "kmem_cache_bulk", cache_bulk, NR_BULK },
	{ "page", page_pair, 1 },
	{ "pages_order_3", page_pair_order_3, 1 },
};

enum { NR_OPERATIONS = sizeof(operations) / sizeof(operations[0]) };

int main(int argc, char **argv)
{
	const struct operation *operation = NULL;

	for (int i = 0; i < NR_OPERATIONS; i++) {
		if (argc < 2)
			printf("%s %u\n", operations[i].name, operations[i].nr);
		else if (!strcmp(argv[1], operations[i].name))
			operation = &operations[i];
	}
	if (argc < 2)
		return 0;
	if (!operation || argc < 3) {
		fprintf(stderr, "operations: no such operation, or no number of turns\n");
		return 2;
	}
	cache = must(kmem_cache_create("bench", 64, 0, SLAB_NO_MERGE, NULL));
	for (unsigned long turns = strtoul(argv[2], NULL, 10); turns; turns--)
		operation->turn();
	kmem_cache_destroy(cache);
	return 0;
}
