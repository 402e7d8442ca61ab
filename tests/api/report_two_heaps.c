/* SPDX-License-Identifier: MIT */
/* A program of libslabuddy that runs with libslabuddy-malloc preloaded has two heaps, and asks each for its
 * own figures: this one's by the names it is linked to, the other's by their version. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <slabuddy/report.h>
#include <slabuddy/slab.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	int (*malloc_slabinfo)(FILE *file) = (int (*)(FILE *))dlvsym(
		RTLD_DEFAULT, "slabuddy_slabinfo", "SLABUDDY_MALLOC_0");
	struct kmem_cache *cache = kmem_cache_create("inode", 100, NULL, SLAB_NO_MERGE);
	void *objects[33], *blocks[44];

	for (int i = 0; i < 33; i++)
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (int i = 0; i < 44; i++)
		blocks[i] = malloc(6000);
	puts("libslabuddy");
	if (slabuddy_slabinfo(stdout))
		return 1;
	puts("libslabuddy-malloc");
	if (!malloc_slabinfo || malloc_slabinfo(stdout))
		return 1;
	for (int i = 0; i < 33; i++)
		kmem_cache_free(cache, objects[i]);
	for (int i = 0; i < 44; i++)
		free(blocks[i]);
	kmem_cache_destroy(cache);
	return 0;
}
