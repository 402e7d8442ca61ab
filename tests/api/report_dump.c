/* SPDX-License-Identifier: MIT */
/*
 * usage: report_dump DIRECTORY
 *
 * Makes a heap whose contents are known, and writes each report of it into DIRECTORY, under the name of
 * the kernel's file; and what is true of it into DIRECTORY/expected, a name and a number a line.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slabuddy/gfp.h>
#include <slabuddy/report.h>
#include <slabuddy/slab.h>

#include "base/bits.h"
#include "malloc/heap.h"
#include "malloc/large.h"

#define NR_THREADS 4
#define NR_CACHES 7
#define NR_LARGE 9

static struct kmem_cache *caches[NR_CACHES];
static void *large[NR_LARGE];
static pthread_barrier_t made, written;

/* Objects that each thread has of each cache in the end, after it had three times as many. */
static unsigned int kept(unsigned int cache)
{
	return cache * 37;
}

static void *work(void *unused)
{
	(void)unused;
	for (unsigned int cache = 0; cache < NR_CACHES; cache++) {
		unsigned int nr = kept(cache) * 3;
		void *objects[NR_CACHES * 37 * 3];

		for (unsigned int i = 0; i < nr; i++)
			objects[i] = kmem_cache_alloc(caches[cache], GFP_KERNEL);
		for (unsigned int i = kept(cache); i < nr; i++)
			kmem_cache_free(caches[cache], objects[i]);
	}
	pthread_barrier_wait(&made);
	/* alive, with a slot full of sheaves, while the reports are written */
	pthread_barrier_wait(&written);
	return NULL;
}

static FILE *open_in(const char *dir, const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	if (!file) {
		perror(path);
		exit(99);
	}
	return file;
}

static void dump(const char *dir, const char *name, int (*report)(FILE *file))
{
	FILE *file = open_in(dir, name);

	if (report(file)) {
		perror(name);
		exit(1);
	}
	fclose(file);
}

static void dump_expected(const char *dir)
{
	FILE *file = open_in(dir, "expected");

	for (unsigned int cache = 0; cache < NR_CACHES; cache++)
		fprintf(file, "active_objs:cache-%u %u\n", cache, kept(cache) * NR_THREADS + !cache);
	fprintf(file, "nr_large_blocks %u\nnr_block_pages 14\npgalloc_dma32 8\npgalloc_dma 2\n", NR_LARGE);
	fclose(file);
}

int main(int argc, char **argv)
{
	pthread_t threads[NR_THREADS];

	if (argc != 2)
		return 99;
	for (unsigned int cache = 0; cache < NR_CACHES; cache++) {
		char name[32];

		snprintf(name, sizeof(name), "cache-%u", cache);
		caches[cache] = kmem_cache_create(name, 24u << cache, NULL,
						  cache ? SLAB_NO_MERGE : SLAB_RECLAIM_ACCOUNT);
	}
	kmem_cache_create("other-name", 24, NULL, SLAB_RECLAIM_ACCOUNT);
	kmem_cache_alloc(caches[0], GFP_KERNEL);
	pthread_barrier_init(&made, NULL, NR_THREADS + 1);
	pthread_barrier_init(&written, NULL, NR_THREADS + 1);
	for (unsigned int i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (unsigned int i = 0; i < NR_LARGE; i++)
		large[i] = heap_malloc(MAX_SLAB_BYTES + 5000 * (i + 1));
	/* the zones that come to life at first use */
	if (!alloc_pages(GFP_DMA32, 3) || !alloc_pages(GFP_DMA, 1) || !alloc_pages(GFP_KERNEL, 2))
		return 1;
	pthread_barrier_wait(&made);
	dump(argv[1], "slabinfo", slabuddy_slabinfo);
	dump(argv[1], "buddyinfo", slabuddy_buddyinfo);
	dump(argv[1], "pagetypeinfo", slabuddy_pagetypeinfo);
	dump(argv[1], "extfrag_index", slabuddy_extfrag_index);
	dump(argv[1], "unusable_index", slabuddy_unusable_index);
	dump(argv[1], "zoneinfo", slabuddy_zoneinfo);
	dump(argv[1], "vmstat", slabuddy_vmstat);
	dump(argv[1], "aliases", slabuddy_aliases);
	dump_expected(argv[1]);
	pthread_barrier_wait(&written);
	for (unsigned int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
