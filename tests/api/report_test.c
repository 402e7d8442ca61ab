/* SPDX-License-Identifier: MIT */
/* The reports are true, are written whole or say that they were not, and hold nothing meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabuddy/gfp.h>
#include <slabuddy/report.h>
#include <slabuddy/shrinker.h>
#include <slabuddy/slab.h>

#include "../own_slot.h"
#include "../testing.h"
#include "base/option.h"
#include "base/text.h"
#include "buddy/page_alloc.h"
#include "buddy/wmark.h"
#include "malloc/heap.h"
#include "malloc/large.h"
#include "page/meta.h"

/* Not merged: each is to have a row of its own. */
static struct kmem_cache *make_cache(const char *name, unsigned int size)
{
	return kmem_cache_create(name, size, NULL, SLAB_NO_MERGE);
}

struct kind {
	const char *name;
	int (*to_file)(FILE *file);
	int (*to_fd)(int fd);
};

static const struct kind kinds[] = {
	{ "slabinfo", slabuddy_slabinfo, slabuddy_slabinfo_fd },
	{ "buddyinfo", slabuddy_buddyinfo, slabuddy_buddyinfo_fd },
	{ "pagetypeinfo", slabuddy_pagetypeinfo, slabuddy_pagetypeinfo_fd },
	{ "extfrag_index", slabuddy_extfrag_index, slabuddy_extfrag_index_fd },
	{ "unusable_index", slabuddy_unusable_index, slabuddy_unusable_index_fd },
	{ "zoneinfo", slabuddy_zoneinfo, slabuddy_zoneinfo_fd },
	{ "vmstat", slabuddy_vmstat, slabuddy_vmstat_fd },
	{ "aliases", slabuddy_aliases, slabuddy_aliases_fd },
};

/* A report as one string, to be freed. */
static char *text_of(int (*report)(FILE *file))
{
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	if (!file || report(file) || fclose(file))
		abort();
	return text;
}

/* The line that starts with @start, at its first character; NULL: there is none. */
static const char *line_of(const char *text, const char *start)
{
	size_t len = strlen(start);

	while (text && strncmp(text, start, len)) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text;
}

struct slab_row {
	char name[64];
	unsigned long active_objs, num_objs, active_slabs, num_slabs;
	unsigned int objsize, objperslab, pagesperslab;
};

/* Return: whether the line has exactly the kernel's form. */
static bool parse_row(const char *line, struct slab_row *row)
{
	char again[512];
	int len;

	if (sscanf(line, "%63s %lu %lu %u %u %u : tunables 0 0 0 : slabdata %lu %lu 0", row->name,
		   &row->active_objs, &row->num_objs, &row->objsize, &row->objperslab,
		   &row->pagesperslab, &row->active_slabs, &row->num_slabs) != 8)
		return false;
	len = snprintf(again, sizeof(again),
		       "%-17s %6lu %6lu %6u %4u %4d : tunables %4u %4u %4u : slabdata %6lu %6lu %6lu\n",
		       row->name, row->active_objs, row->num_objs, row->objsize, row->objperslab,
		       (int)row->pagesperslab, 0, 0, 0, row->active_slabs, row->num_slabs, 0UL);
	return !strncmp(line, again, (size_t)len);
}

static struct slab_row row_of(const char *name)
{
	char *text = text_of(slabuddy_slabinfo);
	struct slab_row row = { .num_objs = 0 };
	const char *line;
	char start[64];

	snprintf(start, sizeof(start), "%s ", name);
	line = line_of(text, start);
	ck_assert_msg(line && parse_row(line, &row), "no row of %s", name);
	free(text);
	return row;
}

static unsigned long vmstat(const char *name)
{
	char *text = text_of(slabuddy_vmstat);
	unsigned long value;
	char start[64];
	const char *line;

	snprintf(start, sizeof(start), "%s ", name);
	line = line_of(text, start);
	ck_assert_msg(line && sscanf(line + strlen(start), "%lu\n", &value) == 1, "no %s", name);
	free(text);
	return value;
}

START_TEST(an_untouched_heap)
{
	static const char head[] =
		"slabinfo - version: 2.1\n"
		"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : "
		"tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> "
		"<sharedavail>\n";
	char *text = text_of(slabuddy_slabinfo);

	ck_assert_str_eq(text, head);
	free(text);
	text = text_of(slabuddy_buddyinfo);
	ck_assert_str_eq(text, "");
	free(text);
	text = text_of(slabuddy_aliases);
	ck_assert_str_eq(text, "");
	free(text);
	/* like a zone of the kernel's that has no pages */
	text = text_of(slabuddy_zoneinfo);
	ck_assert_ptr_nonnull(line_of(text, "Node 0, zone   Normal\n  pages free     0\n"));
	free(text);
	ck_assert_uint_eq(vmstat("nr_free_pages"), 0);
	ck_assert_uint_eq(vmstat("pgalloc_normal"), 0);
}
END_TEST

#define NR_OBJECTS 5000

START_TEST(active_objects)
{
	struct kmem_cache *cache = make_cache("inode", 100);
	static void *objects[NR_OBJECTS];
	uint64_t seed = test_seed();
	unsigned int live = 0;
	struct slab_row row;

	row = row_of("inode");
	ck_assert_uint_eq(row.active_objs, 0);
	ck_assert_uint_eq(row.num_slabs, 0);
	ck_assert_uint_eq(row.objsize, 104);
	for (int round = 0; round < 50; round++) {
		unsigned int target = random_below(&seed, NR_OBJECTS);

		for (; live < target; live++)
			objects[live] = kmem_cache_alloc(cache, GFP_KERNEL);
		while (live > target)
			kmem_cache_free(cache, objects[--live]);
		row = row_of("inode");
		ck_assert_uint_eq(row.active_objs, live);
		ck_assert_uint_ge(row.num_objs, live);
		ck_assert_uint_eq(row.num_objs, row.num_slabs * row.objperslab);
		ck_assert_uint_le(row.active_slabs, row.num_slabs);
		ck_assert_uint_ge(row.active_slabs * row.objperslab, live);
		ck_assert_uint_le((size_t)row.objperslab * row.objsize, row.pagesperslab * PAGE_SIZE);
	}
	ck_assert_uint_eq(vmstat("nr_slab_unreclaimable"), row.num_slabs * row.pagesperslab);
	assert_heap_sound();
}
END_TEST

/* A slab that nobody has anything of is none that is active. */
START_TEST(active_slabs)
{
	struct kmem_cache *cache = make_cache("inode", 1000);
	unsigned long empty = 0;
	void *objects[200];
	struct slab_row row;

	ck_assert_int_eq(kmem_cache_alloc_bulk(cache, GFP_KERNEL, ARRAY_SIZE(objects), objects),
			 ARRAY_SIZE(objects));
	row = row_of("inode");
	ck_assert_uint_eq(row.active_slabs, row.num_slabs);
	ck_assert_uint_eq(row.active_objs, ARRAY_SIZE(objects));
	/* what is more than sheaves are for goes to its slabs, and a few of these stay, empty */
	kmem_cache_free_bulk(cache, ARRAY_SIZE(objects), objects);
	slot_drain_all();
	row = row_of("inode");
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++)
		empty += cache->node[nid] ? cache->node[nid]->nr_empty : 0;
	ck_assert_uint_gt(empty, 0);
	ck_assert_uint_eq(row.num_slabs - row.active_slabs, empty);
	ck_assert_uint_eq(row.active_objs, 0);
	assert_heap_sound();
}
END_TEST

#define NR_THREADS 5

static pthread_barrier_t filled, seen;
static struct kmem_cache *shared_cache;

static void *hold(void *arg)
{
	unsigned int keep = (unsigned int)(uintptr_t)arg;
	void *objects[2000];

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = kmem_cache_alloc(shared_cache, GFP_KERNEL);
	for (size_t i = keep; i < ARRAY_SIZE(objects); i++)
		kmem_cache_free(shared_cache, objects[i]);
	pthread_barrier_wait(&filled);
	pthread_barrier_wait(&seen);
	for (size_t i = 0; i < keep; i++)
		kmem_cache_free(shared_cache, objects[i]);
	pthread_barrier_wait(&filled);
	pthread_barrier_wait(&seen);
	return NULL;
}

/* What other threads' slots hold is free, whoever asks. */
START_TEST(active_objects_of_threads)
{
	pthread_t threads[NR_THREADS];
	unsigned int live = 0;

	shared_cache = make_cache("dentry", 192);
	pthread_barrier_init(&filled, NULL, NR_THREADS + 1);
	pthread_barrier_init(&seen, NULL, NR_THREADS + 1);
	for (unsigned int i = 0; i < NR_THREADS; i++) {
		unsigned int keep = i * 300 + 7;

		live += keep;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hold, (void *)(uintptr_t)keep), 0);
	}
	pthread_barrier_wait(&filled);
	ck_assert_uint_eq(row_of("dentry").active_objs, live);
	ck_assert_uint_gt(row_of("dentry").num_objs, live);
	assert_heap_sound();
	pthread_barrier_wait(&seen);
	pthread_barrier_wait(&filled);
	ck_assert_uint_eq(row_of("dentry").active_objs, 0);
	ck_assert_uint_gt(row_of("dentry").num_objs, 0);
	pthread_barrier_wait(&seen);
	for (unsigned int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(row_of("dentry").active_objs, 0);
}
END_TEST

START_TEST(size_classes)
{
	void *blocks[77];

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		blocks[i] = heap_malloc(100);
	ck_assert_uint_eq(row_of("kmalloc-112").active_objs, ARRAY_SIZE(blocks));
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		heap_free(blocks[i]);
	ck_assert_uint_eq(row_of("kmalloc-112").active_objs, 0);
}
END_TEST

/* A watched cache keeps more of each object than the program asked for. */
START_TEST(watched)
{
	struct kmem_cache *cache = kmem_cache_create(
		"watched", 100, NULL,
		SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER);
	void *objects[100];

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (size_t i = 60; i < ARRAY_SIZE(objects); i++)
		kmem_cache_free(cache, objects[i]);
	ck_assert_uint_eq(row_of("watched").active_objs, 60);
	ck_assert_uint_gt(row_of("watched").objsize, 104);
	ck_assert_uint_eq(kmem_cache_size(cache), 100);
	for (size_t i = 0; i < 60; i++)
		kmem_cache_free(cache, objects[i]);
	ck_assert_uint_eq(row_of("watched").active_objs, 0);
	assert_heap_sound();
}
END_TEST

/* What a signal handler has freed waits for somebody to do it: the report does. */
START_TEST(freed_by_handlers)
{
	void *block;

	/* a slab, which a handler could not get */
	heap_free(heap_malloc(100));
	block = kmalloc_nolock(100, 0, NUMA_NO_NODE);
	ck_assert_ptr_nonnull(block);
	ck_assert_uint_eq(row_of("kmalloc-112").active_objs, 1);
	kfree_nolock(block);
	ck_assert_uint_eq(row_of("kmalloc-112").active_objs, 0);
}
END_TEST

/* Objects of a prefilled sheaf are the program's. */
START_TEST(prefilled)
{
	struct kmem_cache *cache = make_cache("inode", 100);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(cache, GFP_KERNEL, 10);
	unsigned int size = kmem_cache_sheaf_size(sheaf);
	void *object = kmem_cache_alloc_from_sheaf(cache, GFP_KERNEL, sheaf);

	ck_assert_uint_ge(size, 10);
	ck_assert_uint_eq(row_of("inode").active_objs, size);
	kmem_cache_return_sheaf(cache, GFP_KERNEL, sheaf);
	ck_assert_uint_eq(row_of("inode").active_objs, 1);
	kmem_cache_free(cache, object);
	ck_assert_uint_eq(row_of("inode").active_objs, 0);
}
END_TEST

#define NR_CACHES 5000

/* Rows stand in the order in which the caches were made. */
START_TEST(thousands_of_caches)
{
	static struct kmem_cache *caches[NR_CACHES];
	char *text;
	const char *line;

	for (unsigned int i = 0; i < NR_CACHES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "cache-%u", i);
		caches[i] = make_cache(name, 8 + i % 300);
		ck_assert_ptr_nonnull(caches[i]);
		for (unsigned int nr = i % 3; nr; nr--)
			ck_assert_ptr_nonnull(kmem_cache_alloc(caches[i], GFP_KERNEL));
	}
	text = text_of(slabuddy_slabinfo);
	line = line_of(text, "cache-0 ");
	for (unsigned int i = 0; i < NR_CACHES; i++) {
		struct slab_row row;
		char name[32];

		snprintf(name, sizeof(name), "cache-%u", i);
		ck_assert_msg(parse_row(line, &row), "row of %s", name);
		ck_assert_str_eq(row.name, name);
		ck_assert_uint_eq(row.active_objs, i % 3);
		line = strchr(line, '\n') + 1;
	}
	ck_assert_str_eq(line, "");
	free(text);
	ck_assert_uint_eq(vmstat("nr_caches"), NR_CACHES);
}
END_TEST

static int strcmp_pointers(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A merged cache has one row, and a line for each other name. */
START_TEST(other_names)
{
	static const char *const names[] = { "dentry", "inode", "filp", "sock" };
	struct kmem_cache *caches[ARRAY_SIZE(names)];
	char *lines[ARRAY_SIZE(names) - 1];
	char *text, *rest;

	make_cache("on_its_own", 200);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		caches[i] = kmem_cache_create(names[i], 200, NULL, 0);
	ck_assert_ptr_eq(caches[0], caches[3]);
	kmem_cache_alloc(caches[1], GFP_KERNEL);
	kmem_cache_alloc(caches[2], GFP_KERNEL);
	ck_assert_uint_eq(row_of("dentry").active_objs, 2);
	ck_assert_uint_eq(row_of("on_its_own").active_objs, 0);
	ck_assert_uint_eq(vmstat("nr_caches"), 2);
	text = text_of(slabuddy_slabinfo);
	ck_assert_ptr_null(strstr(text, "inode"));
	free(text);
	rest = text = text_of(slabuddy_aliases);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		lines[i] = strsep(&rest, "\n");
	ck_assert_str_eq(rest, "");
	qsort(lines, ARRAY_SIZE(lines), sizeof(*lines), strcmp_pointers);
	ck_assert_str_eq(lines[0], "filp dentry");
	ck_assert_str_eq(lines[1], "inode dentry");
	ck_assert_str_eq(lines[2], "sock dentry");
	free(text);
}
END_TEST

/* More names than one piece of memory takes. */
START_TEST(many_other_names)
{
	struct kmem_cache *first = kmem_cache_create("first", 64, NULL, 0);
	char *text;

	for (unsigned int i = 0; i < NR_CACHES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "alias-%u", i);
		ck_assert_ptr_eq(kmem_cache_create(name, 64, NULL, 0), first);
	}
	text = text_of(slabuddy_aliases);
	ck_assert_uint_eq(count_char(text, '\n'), NR_CACHES);
	for (unsigned int i = 0; i < NR_CACHES; i += 99) {
		char line[64];

		snprintf(line, sizeof(line), "alias-%u first\n", i);
		ck_assert_ptr_nonnull(line_of(text, line));
	}
	free(text);
}
END_TEST

/* ---- Zones ---- */

#define NR_BLOCKS 1000

static void *blocks[NR_BLOCKS];

/* Large blocks and small ones come and go, some grow and shrink. */
static void mix(uint64_t *seed)
{
	for (int step = 0; step < 20000; step++) {
		void **block = &blocks[random_below(seed, NR_BLOCKS)];
		size_t size = random_below(seed, random_below(seed, 5) ? 3000 : 400000);

		if (random_below(seed, 3)) {
			heap_free(*block);
			*block = NULL;
		} else {
			*block = heap_realloc(*block, size + 1);
		}
	}
}

static struct zone_pages count_zone(struct zone *zone)
{
	struct zone_pages pages;

	zone_count(zone, &pages);
	return pages;
}

/* The numbers behind the blanks of @line, up to its end. */
static unsigned int numbers(const char *line, unsigned long *values, unsigned int room)
{
	unsigned int nr = 0;

	while (*line != '\n' && nr < room) {
		char *end;

		values[nr] = strtoul(line, &end, 10);
		if (end == line)
			break;
		nr++;
		line = end + strspn(end, " ");
	}
	return *line == '\n' ? nr : 0;
}

START_TEST(free_blocks)
{
	struct zone *zone = &node_data[0].zones[ZONE_NORMAL];
	static const char start[] = "Node 0, zone   Normal ";
	uint64_t seed = test_seed();

	for (int round = 0; round < 5; round++) {
		unsigned long nr_free[NR_PAGE_ORDERS], by_type[MIGRATE_TYPES][NR_PAGE_ORDERS];
		unsigned long pageblocks[MIGRATE_TYPES];
		unsigned long pages = 0;
		const char *line;
		char *text;

		mix(&seed);
		text = text_of(slabuddy_buddyinfo);
		ck_assert_int_eq(strncmp(text, start, strlen(start)), 0);
		ck_assert_uint_eq(numbers(text + strlen(start), nr_free, NR_PAGE_ORDERS),
				  NR_PAGE_ORDERS);
		for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
			ck_assert_uint_eq(nr_free[order], zone->free_area[order].nr_free);
			pages += nr_free[order] << order;
		}
		ck_assert_uint_eq(pages, count_zone(zone).free);
		free(text);

		text = text_of(slabuddy_pagetypeinfo);
		line = line_of(text, "Node    0,");
		for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
			line = strstr(line, ", type ") + 7 + 13;
			ck_assert_uint_eq(numbers(line, by_type[mt], NR_PAGE_ORDERS),
					  NR_PAGE_ORDERS);
		}
		for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
			unsigned long sum = 0;

			for (int mt = 0; mt < MIGRATE_TYPES; mt++)
				sum += by_type[mt][order];
			ck_assert_uint_eq(sum, nr_free[order]);
		}
		line = line_of(text, start);
		ck_assert_uint_eq(numbers(line + strlen(start), pageblocks, MIGRATE_TYPES),
				  MIGRATE_TYPES);
		ck_assert_uint_eq(pageblocks[0] + pageblocks[1] + pageblocks[2],
				  count_zone(zone).managed / PAGEBLOCK_PAGES);
		ck_assert_uint_gt(pageblocks[MIGRATE_UNMOVABLE], 0);
		ck_assert_uint_gt(pageblocks[MIGRATE_MOVABLE], 0);
		free(text);
	}
}
END_TEST

/* Where each committed page is, and how it came there. */
START_TEST(pages_add_up)
{
	struct zone *zone = &node_data[0].zones[ZONE_NORMAL];
	uint64_t seed = test_seed();

	for (int round = 0; round < 5; round++) {
		unsigned long pgfree = vmstat("pgfree");
		struct zone_pages pages;
		unsigned long used;

		mix(&seed);
		pages = count_zone(zone);
		used = vmstat("nr_slab_unreclaimable") + vmstat("nr_large_pages");
		ck_assert_uint_gt(used, 0);
		ck_assert_uint_eq(used + vmstat("nr_pcp_pages") + vmstat("nr_free_pages") +
					  vmstat("nr_purging"),
				  pages.managed);
		ck_assert_uint_eq(vmstat("nr_free_dirty"), pages.dirty);
		ck_assert_uint_eq(vmstat("nr_uncommitted"), pages.uncommitted);
		ck_assert_uint_eq(vmstat("nr_large_blocks"), large_count());
		ck_assert_uint_eq(vmstat("pgalloc_normal") - vmstat("pgfree"), used);
		ck_assert_uint_gt(vmstat("pgfree"), pgfree);
	}
	heap_trim();
	ck_assert_uint_eq(vmstat("nr_free_dirty"), 0);
	ck_assert_uint_gt(vmstat("pgpurge"), 0);
	assert_heap_sound();
}
END_TEST

/* Enough of them for main sheaf, spare and barn, and no more than a usual batch. */
#define BATCH 2500
_Static_assert(BATCH <= NR_OBJECTS, "a batch is a part of them");

static void free_some(struct kmem_cache *cache, void **objects, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		kmem_cache_free(cache, objects[i]);
}

static void take_some(struct kmem_cache *cache, void **objects, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
}

START_TEST(events)
{
	struct kmem_cache *cache = make_cache("inode", 100);
	static void *objects[NR_OBJECTS];
	unsigned long grown, refills;

	take_some(cache, objects, NR_OBJECTS);
	grown = vmstat("zone_grow");
	refills = vmstat("sheaf_refill");
	ck_assert_uint_gt(grown, 0);
	ck_assert_uint_gt(vmstat("buddy_split"), 0);
	ck_assert_uint_gt(refills, 10);
	ck_assert_uint_eq(vmstat("sheaf_flush"), 0);
	free_some(cache, objects, BATCH);
	ck_assert_uint_gt(vmstat("barn_put"), 0);
	take_some(cache, objects, BATCH);
	ck_assert_uint_gt(vmstat("barn_get"), 0);
	refills = vmstat("sheaf_refill");
	free_some(cache, objects, NR_OBJECTS);
	ck_assert_uint_eq(vmstat("zone_grow"), grown);
	ck_assert_uint_eq(vmstat("sheaf_refill"), refills);
	ck_assert_uint_gt(vmstat("sheaf_flush"), 0);
	take_some(cache, objects, NR_OBJECTS);
	ck_assert_uint_gt(vmstat("sheaf_refill"), refills);
	ck_assert_uint_eq(vmstat("zone_grow"), grown);
}
END_TEST

/* What a cache has counted outlives it. */
START_TEST(events_of_a_cache_that_ends)
{
	static void *objects[NR_OBJECTS];
	struct kmem_cache *cache;
	unsigned long slabs, adds, nodes, barns;

	slabs = vmstat("slab_alloc");
	ck_assert_uint_eq(slabs, vmstat("slab_free"));
	cache = make_cache("inode", 100);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	slabs = vmstat("slab_alloc");
	ck_assert_uint_eq(slabs - vmstat("slab_free"), row_of("inode").num_slabs);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		kmem_cache_free(cache, objects[i]);
	adds = vmstat("partial_add");
	nodes = vmstat("lock_node");
	barns = vmstat("lock_barn");
	ck_assert_uint_gt(adds, 0);
	ck_assert_uint_gt(barns, 0);
	kmem_cache_destroy(cache);
	ck_assert_uint_eq(vmstat("slab_alloc"), slabs);
	ck_assert_uint_eq(vmstat("slab_free"), slabs);
	ck_assert_uint_ge(vmstat("partial_add"), adds);
	ck_assert_uint_eq(vmstat("partial_del"), vmstat("partial_add"));
	ck_assert_uint_gt(vmstat("lock_node"), nodes);
	ck_assert_uint_gt(vmstat("lock_barn"), barns);
}
END_TEST

struct heap_of_another {
	struct kmem_cache *cache;
	void *objects[NR_OBJECTS];
};

static void *free_all(void *arg)
{
	struct heap_of_another *other = arg;

	take_own_slot();
	for (size_t i = 0; i < NR_OBJECTS; i++)
		kmem_cache_free(other->cache, other->objects[i]);
	return NULL;
}

START_TEST(events_between_threads)
{
	static struct heap_of_another other;
	pthread_t thread;

	take_own_slot();
	other.cache = make_cache("inode", 100);
	take_some(other.cache, other.objects, NR_OBJECTS);
	free_some(other.cache, other.objects, BATCH);
	take_some(other.cache, other.objects, BATCH);
	free_some(other.cache, other.objects, NR_OBJECTS);
	take_some(other.cache, other.objects, NR_OBJECTS);
	/* all by itself so far */
	ck_assert_uint_gt(vmstat("barn_get"), 0);
	ck_assert_uint_eq(vmstat("barn_remote"), 0);
	ck_assert_uint_gt(vmstat("sheaf_flush"), 0);
	ck_assert_uint_eq(vmstat("remote_free"), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, free_all, &other), 0);
	pthread_join(thread, NULL);
	ck_assert_uint_gt(vmstat("remote_free"), 0);
	ck_assert_uint_eq(vmstat("barn_remote"), 0);
	for (size_t i = 0; i < NR_OBJECTS; i++)
		other.objects[i] = kmem_cache_alloc(other.cache, GFP_KERNEL);
	ck_assert_uint_gt(vmstat("barn_remote"), 0);
	ck_assert_uint_le(vmstat("barn_remote"), vmstat("barn_get"));
}
END_TEST

static unsigned long zone_figure(const char *zone, const char *name)
{
	char *text = text_of(slabuddy_zoneinfo);
	const char *line = line_of(text, zone);
	unsigned long value;

	ck_assert_msg(line != NULL, "no %s", zone);
	line = strstr(line, name);
	ck_assert_msg(line != NULL, "no %s", name);
	ck_assert_int_eq(sscanf(line + strlen(name), " %lu\n", &value), 1);
	free(text);
	return value;
}

START_TEST(zone_figures)
{
	static const char name[] = "Node 0, zone   Normal\n";
	struct zone *zone = &node_data[0].zones[ZONE_NORMAL];
	uint64_t seed = test_seed();
	struct zone_pages pages;

	take_own_slot();
	mix(&seed);
	pages = count_zone(zone);
	ck_assert_uint_eq(zone_figure(name, "  pages free "), pages.free);
	ck_assert_uint_eq(zone_figure(name, "        managed "), pages.managed);
	ck_assert_uint_eq(zone_figure(name, "        present "), pages.managed + pages.uncommitted);
	ck_assert_uint_eq(zone_figure(name, "        low "), low_wmark_pages(zone));
	ck_assert_uint_eq(zone_figure(name, "        high "), high_wmark_pages(zone));
	ck_assert_uint_eq(zone_figure(name, "      nr_free_dirty "), pages.dirty);
	ck_assert_uint_eq(zone_figure(name, "      nr_slab_unreclaimable "),
			  vmstat("nr_slab_unreclaimable"));
	ck_assert_uint_eq(zone_figure(name, "        spanned ") % PAGES_PER_SECTION, 0);
	ck_assert_uint_ge(zone_figure(name, "        spanned "), pages.managed + pages.uncommitted);
	ck_assert_uint_eq(zone_figure(name, "  start_pfn: ") % PAGES_PER_SECTION, 0);
	/* the shared slot, and this thread's; the room of a run counts whether it is resident or not */
	ck_assert_uint_eq(zone_figure(name, "    cpu: 1\n              count: "),
			  this_slot->pcp.nr_pages + run_sheaf_pages(&this_slot->pcp.runs));
}
END_TEST

START_TEST(nodes)
{
	char *text;

	options.numa = 2;
	/* this thread's slot is on node 0, the next one's on node 1 */
	take_own_slot();
	slot_instead_of(slot_none + NR_NONE - 1);
	ck_assert_ptr_nonnull(heap_malloc(100000));
	text = text_of(slabuddy_buddyinfo);
	ck_assert_ptr_nonnull(line_of(text, "Node 1, zone   Normal "));
	free(text);
	text = text_of(slabuddy_zoneinfo);
	ck_assert_ptr_nonnull(line_of(text, "Node 0, zone   Normal\n"));
	ck_assert_ptr_nonnull(line_of(text, "Node 1, zone   Normal\n  per-node stats\n"));
	free(text);
	text = text_of(slabuddy_pagetypeinfo);
	ck_assert_ptr_nonnull(line_of(text, "Node    1, zone   Normal, type    Unmovable "));
	free(text);
}
END_TEST

/* Blocks of the page API, whose free ones lie in sheaves of their own. */
START_TEST(pages_of_the_program)
{
	struct zone *zone = &node_data[0].zones[ZONE_NORMAL];
	static struct { struct page *page; unsigned int order; } held[500];
	uint64_t seed = test_seed();
	unsigned long nr = 0;

	for (int step = 0; step < 20000; step++) {
		unsigned int i = random_below(&seed, ARRAY_SIZE(held));
		unsigned int order = random_below(&seed, 6);

		if (held[i].page) {
			nr -= 1UL << held[i].order;
			__free_pages(held[i].page, held[i].order);
			held[i].page = NULL;
		} else {
			held[i].page = alloc_pages(GFP_KERNEL, order);
			held[i].order = order;
			ck_assert_ptr_nonnull(held[i].page);
			nr += 1UL << order;
		}
		if (step % 2000)
			continue;
		ck_assert_uint_eq(vmstat("nr_block_pages"), nr);
		ck_assert_uint_eq(vmstat("pgalloc_normal") - vmstat("pgfree"),
				  nr + vmstat("nr_slab_unreclaimable"));
		ck_assert_uint_eq(zone_figure("Node 0, zone   Normal\n", "  pages free "),
				  count_zone(zone).free);
	}
	ck_assert_uint_gt(vmstat("nr_pcp_pages"), 0);
	assert_heap_sound();
}
END_TEST

/* They appear with their first page, in the kernel's order. */
START_TEST(scarce_zones)
{
	struct zone *dma = &node_data[0].zones[ZONE_DMA];
	const char *line, *next;
	struct page *page;
	char *text;

	ck_assert_ptr_nonnull(page_alloc(0, __GFP_DMA32, 2, NULL));
	page = page_alloc(0, __GFP_DMA, 0, NULL);
	ck_assert_ptr_nonnull(page);
	ck_assert_ptr_nonnull(page_alloc(0, GFP_KERNEL, 0, NULL));
	text = text_of(slabuddy_buddyinfo);
	line = line_of(text, "Node 0, zone      DMA ");
	ck_assert_ptr_eq(line, text);
	next = line_of(text, "Node 0, zone    DMA32 ");
	ck_assert_ptr_eq(next, strchr(line, '\n') + 1);
	ck_assert_ptr_eq(line_of(text, "Node 0, zone   Normal "), strchr(next, '\n') + 1);
	free(text);
	ck_assert_uint_eq(vmstat("pgalloc_dma32"), 4);
	ck_assert_uint_eq(vmstat("pgalloc_dma"), 1);
	ck_assert_uint_eq(vmstat("pgalloc_normal"), 1);
	ck_assert_uint_eq(vmstat("nr_mlock"), count_zone(dma).managed);
	ck_assert_uint_eq(zone_figure("Node 0, zone      DMA\n", "        managed "),
			  count_zone(dma).managed);
	text = text_of(slabuddy_pagetypeinfo);
	/* less than a pageblock is one all the same */
	ck_assert_ptr_nonnull(line_of(text, "Node 0, zone      DMA            1            0 "));
	free(text);
	page_free(page, 0, MIGRATE_UNMOVABLE, NULL, 0);
	ck_assert_uint_eq(vmstat("pgfree"), 1);
}
END_TEST

/* ---- Where it goes ---- */

/* End @text at a line that begins with @start. */
static void cut(char *text, const char *start)
{
	char *line = strstr(text, start);

	if (line)
		*line = '\0';
}

/* @report is the same to a stream and to a descriptor, and errno stays. */
START_TEST(files_and_descriptors)
{
	const struct kind *kind = &kinds[_i];
	static char from_fd[1 << 16];
	uint64_t seed = 1;
	char *from_file;
	ssize_t bytes;
	int fd;

	mix(&seed);
	fd = memfd_create("report", MFD_CLOEXEC);
	from_file = text_of(kind->to_file);
	errno = EXDEV;
	ck_assert_int_eq(kind->to_fd(fd), 0);
	ck_assert_int_eq(errno, EXDEV);
	bytes = pread(fd, from_fd, sizeof(from_fd) - 1, 0);
	ck_assert_int_ge(bytes, 0);
	from_fd[bytes] = '\0';
	/* the first report has taken locks, which the second one counts */
	cut(from_fd, "lock_init ");
	cut(from_file, "lock_init ");
	ck_assert_str_eq(from_fd, from_file);
	free(from_file);
	close(fd);
}
END_TEST

START_TEST(a_full_disk)
{
	const struct kind *kind = &kinds[_i];
	FILE *file = fopen("/dev/full", "w");
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	uint64_t seed = 1;
	unsigned long used;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fd, 0);
	mix(&seed);
	used = meta_used_bytes();
	if (!strcmp(kind->name, "aliases")) {
		/* nothing fits everywhere */
		ck_assert_int_eq(kind->to_file(file), 0);
		ck_assert_int_eq(kind->to_fd(fd), 0);
	} else {
		ck_assert_int_eq(kind->to_file(file), -1);
		ck_assert_int_eq(errno, ENOSPC);
		errno = 0;
		ck_assert_int_eq(kind->to_fd(fd), -1);
		ck_assert_int_eq(errno, ENOSPC);
		/* a stream without a buffer says so at once */
		setvbuf(file, NULL, _IONBF, 0);
		ck_assert_int_eq(kind->to_file(file), -1);
	}
	ck_assert_uint_eq(meta_used_bytes(), used);
	fclose(file);
	close(fd);
	assert_heap_sound();
}
END_TEST

START_TEST(no_descriptor)
{
	uint64_t seed = 1;
	FILE *file = fopen("/dev/null", "r");
	int ends[2];

	mix(&seed);
	ck_assert_int_eq(slabuddy_vmstat_fd(-1), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(slabuddy_vmstat(file), -1);
	ck_assert_int_eq(errno, EBADF);
	fclose(file);
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	ck_assert_int_eq(slabuddy_slabinfo_fd(ends[1]), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(ends[1]);
}
END_TEST

/* The OS has no more memory: none for pages, and for metadata none after so many calls. */
static bool refusing;
static unsigned int refuse_after;

void *__real_os_map(size_t bytes, size_t align);
void *__wrap_os_map(size_t bytes, size_t align);

void *__wrap_os_map(size_t bytes, size_t align)
{
	/* other cases have several threads here; this one has one */
	if (refusing) {
		if (!refuse_after)
			return NULL;
		refuse_after--;
	}
	return __real_os_map(bytes, align);
}

int __real_os_commit(void *addr, size_t bytes);
int __wrap_os_commit(void *addr, size_t bytes);

int __wrap_os_commit(void *addr, size_t bytes)
{
	return refusing ? -ENOMEM : __real_os_commit(addr, bytes);
}

static unsigned long looked_at;

static unsigned long many_objects(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker;
	(void)sc;
	return 1 << 20;
}

static unsigned long frees_nothing(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker;
	looked_at += sc->nr_to_scan;
	return 0;
}

START_TEST(reclaim)
{
	struct shrinker *shrinker = shrinker_alloc(0, "stubborn");
	unsigned long stalls;

	shrinker->count_objects = many_objects;
	shrinker->scan_objects = frees_nothing;
	shrinker_register(shrinker);
	ck_assert_ptr_nonnull(alloc_pages(GFP_KERNEL, 0));
	ck_assert_uint_eq(vmstat("allocstall_normal"), 0);
	refusing = true;
	/* who may not reclaim fails without a stall */
	ck_assert_ptr_null(alloc_pages(GFP_NOWAIT | __GFP_NOWARN, 9));
	ck_assert_uint_eq(vmstat("allocstall_normal"), 0);
	ck_assert_uint_eq(vmstat("alloc_fail"), 1);
	ck_assert_uint_eq(vmstat("slabs_scanned"), 0);
	ck_assert_ptr_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, 9));
	stalls = vmstat("allocstall_normal");
	ck_assert_uint_gt(stalls, 0);
	ck_assert_uint_eq(vmstat("alloc_fail"), 2);
	ck_assert_uint_gt(looked_at, 0);
	ck_assert_uint_eq(vmstat("slabs_scanned"), looked_at);
	ck_assert_ptr_null(alloc_pages(GFP_DMA32 | GFP_KERNEL | __GFP_NOWARN, 9));
	ck_assert_ptr_null(alloc_pages(GFP_DMA | GFP_KERNEL | __GFP_NOWARN, 9));
	ck_assert_uint_eq(vmstat("allocstall_dma32"), stalls);
	ck_assert_uint_eq(vmstat("allocstall_dma"), stalls);
	ck_assert_uint_eq(vmstat("allocstall_normal"), stalls);
	refusing = false;
	ck_assert_ptr_nonnull(alloc_pages(GFP_KERNEL, 9));
	ck_assert_uint_eq(vmstat("alloc_fail"), 4);
	shrinker_free(shrinker);
}
END_TEST

START_TEST(no_memory)
{
	static char text[16];
	unsigned int failures = 0;
	unsigned long used;

	for (unsigned int i = 0; i < NR_CACHES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "cache-%u", i);
		make_cache(name, 64);
	}
	/* what is at hand is used up first */
	while (meta_alloc_cached(META_MAX_BYTES / 32) || meta_alloc_cached(TEXT_BUFFER_BYTES))
		;
	used = meta_used_bytes();
	refusing = true;
	for (unsigned int after = 0; after < 50; after++) {
		int fd = memfd_create("report", MFD_CLOEXEC);
		int result;

		refuse_after = after;
		errno = 0;
		result = slabuddy_slabinfo_fd(fd);
		if (result) {
			ck_assert_int_eq(errno, ENOMEM);
			ck_assert_int_eq(pread(fd, text, sizeof(text), 0), 0);
			failures++;
		}
		ck_assert_uint_eq(meta_used_bytes(), used);
		close(fd);
		if (!result)
			break;
	}
	ck_assert_uint_gt(failures, 1);
	ck_assert_uint_lt(failures, 50);
	refusing = false;
	assert_heap_sound();
}
END_TEST

/* A pipe that takes little at a time, and a signal in between. */
static void nothing(int signal)
{
	(void)signal;
}

struct reader {
	pthread_t writer;
	int fd;
};

static void *drain_slowly(void *arg)
{
	static char text[1 << 20];
	const struct reader *reader = arg;
	size_t bytes = 0;
	ssize_t n;

	while ((n = read(reader->fd, text + bytes, 777)) > 0) {
		bytes += (size_t)n;
		pthread_kill(reader->writer, SIGUSR1);
	}
	text[bytes] = '\0';
	return text;
}

START_TEST(interrupted_writes)
{
	struct sigaction action = { .sa_handler = nothing };
	struct reader arg = { .writer = pthread_self() };
	pthread_t reader;
	char *text, *got;
	int ends[2];

	for (unsigned int i = 0; i < 1000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "cache-%u", i);
		make_cache(name, 8 + i);
	}
	text = text_of(slabuddy_slabinfo);
	sigaction(SIGUSR1, &action, NULL);
	ck_assert_int_eq(pipe(ends), 0);
	fcntl(ends[1], F_SETPIPE_SZ, 4096);
	arg.fd = ends[0];
	pthread_create(&reader, NULL, drain_slowly, &arg);
	ck_assert_int_eq(slabuddy_slabinfo_fd(ends[1]), 0);
	close(ends[1]);
	pthread_join(reader, (void **)&got);
	ck_assert_str_eq(got, text);
	free(text);
	close(ends[0]);
}
END_TEST

/* A stream whose every write allocates, frees, makes caches, ends them and asks for another report. */
static unsigned int busy_writes;

static ssize_t busy_write(void *cookie, const char *piece, size_t bytes)
{
	struct kmem_cache *cache = make_cache("made-while-writing", 72);
	void *object = kmem_cache_alloc(cache, GFP_KERNEL);
	void *block = heap_malloc(100000);
	int (*report)(FILE *file) = cookie;

	(void)piece;
	if (!busy_writes++) {
		FILE *null = fopen("/dev/null", "w");

		ck_assert_int_eq(report(null), 0);
		fclose(null);
	}
	kmem_cache_free(cache, object);
	heap_free(block);
	kmem_cache_destroy(cache);
	return (ssize_t)bytes;
}

START_TEST(a_stream_that_allocates)
{
	cookie_io_functions_t io = { .write = busy_write };
	FILE *file = fopencookie((void *)kinds[_i].to_file, "w", io);
	uint64_t seed = 1;

	setvbuf(file, NULL, _IONBF, 0);
	busy_writes = 0;
	mix(&seed);
	ck_assert_int_eq(kinds[_i].to_file(file), 0);
	ck_assert(busy_writes > 0 || !strcmp(kinds[_i].name, "aliases"));
	fclose(file);
	assert_heap_sound();
}
END_TEST

/* ---- From everywhere ---- */

static bool stop;
static unsigned long bad_rows;

static void *churn(void *arg)
{
	uint64_t seed = (uintptr_t)arg;
	void *objects[100] = { NULL };

	while (!READ_ONCE(stop)) {
		void **object = &objects[random_below(&seed, ARRAY_SIZE(objects))];

		if (*object)
			kmem_cache_free(shared_cache, *object);
		*object = random_below(&seed, 2) ? kmem_cache_alloc(shared_cache, GFP_KERNEL) : NULL;
		heap_free(heap_malloc(random_below(&seed, 100000)));
	}
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		if (objects[i])
			kmem_cache_free(shared_cache, objects[i]);
	}
	return NULL;
}

static void *make_and_end(void *unused)
{
	(void)unused;
	while (!READ_ONCE(stop)) {
		struct kmem_cache *cache = make_cache("short-lived", 300);

		kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
		kmem_cache_destroy(cache);
	}
	return NULL;
}

static void *report_all(void *arg)
{
	(void)arg;
	for (int round = 0; round < 30; round++) {
		struct slab_row row;
		const char *line;
		char *text;

		for (size_t i = 1; i < ARRAY_SIZE(kinds); i++)
			free(text_of(kinds[i].to_file));
		text = text_of(slabuddy_slabinfo);
		line = line_of(text, "dentry ");
		for (; line && *line; line = strchr(line, '\n') + 1) {
			/* no more than there are, however busy they are */
			if (!parse_row(line, &row) || row.active_objs > row.num_objs)
				__atomic_fetch_add(&bad_rows, 1, __ATOMIC_RELAXED);
		}
		free(text);
	}
	return NULL;
}

START_TEST(from_several_threads)
{
	pthread_t busy[2], maker, reporters[3];

	shared_cache = make_cache("dentry", 192);
	for (size_t i = 0; i < ARRAY_SIZE(busy); i++)
		pthread_create(&busy[i], NULL, churn, (void *)(i + 1));
	pthread_create(&maker, NULL, make_and_end, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(reporters); i++)
		pthread_create(&reporters[i], NULL, report_all, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(reporters); i++)
		pthread_join(reporters[i], NULL);
	WRITE_ONCE(stop, true);
	for (size_t i = 0; i < ARRAY_SIZE(busy); i++)
		pthread_join(busy[i], NULL);
	pthread_join(maker, NULL);
	ck_assert_uint_eq(bad_rows, 0);
	ck_assert_uint_eq(row_of("dentry").active_objs, 0);
	assert_heap_sound();
}
END_TEST

/* Reports that threads write to one stream do not mix. */
static void *report_to(void *file)
{
	for (int round = 0; round < 20; round++)
		slabuddy_slabinfo(file);
	return NULL;
}

START_TEST(to_one_stream)
{
	static char buffer[1 << 14], text[1 << 21];
	int fd = memfd_create("reports", MFD_CLOEXEC);
	FILE *file = fdopen(fd, "w");
	pthread_t threads[3];
	size_t bytes, one;
	char *whole;

	/* or ThreadSanitizer, which does not know that streams have locks, would complain about libc's */
	setvbuf(file, buffer, _IOFBF, sizeof(buffer));
	for (unsigned int i = 0; i < 200; i++) {
		char name[32];

		snprintf(name, sizeof(name), "cache-%u", i);
		make_cache(name, 8 + i);
	}
	whole = text_of(slabuddy_slabinfo);
	one = strlen(whole);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, report_to, file);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	bytes = (size_t)pread(fd, text, sizeof(text), 0);
	ck_assert_uint_eq(bytes, one * 20 * ARRAY_SIZE(threads));
	for (size_t at = 0; at < bytes; at += one)
		ck_assert_int_eq(memcmp(text + at, whole, one), 0);
	fclose(file);
	free(whole);
}
END_TEST

/* The parent's threads were busy when it forked; what their slots hold is free in the child too. */
START_TEST(in_a_forked_child)
{
	struct kmem_cache *cache = make_cache("inode", 100);
	pthread_t busy[2];

	shared_cache = make_cache("dentry", 192);
	for (int i = 0; i < 123; i++)
		kmem_cache_alloc(cache, GFP_KERNEL);
	for (size_t i = 0; i < ARRAY_SIZE(busy); i++)
		pthread_create(&busy[i], NULL, churn, (void *)(i + 1));
	for (int round = 0; round < 20; round++) {
		pid_t child = fork();
		int status;

		if (!child) {
			for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
				free(text_of(kinds[i].to_file));
			_exit(row_of("inode").active_objs == 123 ? 0 : 1);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
	}
	WRITE_ONCE(stop, true);
	for (size_t i = 0; i < ARRAY_SIZE(busy); i++)
		pthread_join(busy[i], NULL);
}
END_TEST

/* A thread that is cancelled while it writes leaves nothing behind. */
static void *report_to_pipe(void *fd)
{
	slabuddy_slabinfo_fd(*(int *)fd);
	pthread_testcancel();
	return NULL;
}

START_TEST(cancelled)
{
	char piece[1 << 12];
	pthread_t thread;
	unsigned long used;
	int ends[2];
	void *result;

	for (unsigned int i = 0; i < 1000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "cache-%u", i);
		make_cache(name, 8 + i);
	}
	used = meta_used_bytes();
	ck_assert_int_eq(pipe(ends), 0);
	fcntl(ends[1], F_SETPIPE_SZ, 4096);
	pthread_create(&thread, NULL, report_to_pipe, &ends[1]);
	ck_assert_int_gt(read(ends[0], piece, sizeof(piece)), 0);
	/* 1000 rows are more than the pipe takes, so it writes for some time yet */
	pthread_cancel(thread);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	while (pthread_tryjoin_np(thread, &result))
		(void)!read(ends[0], piece, sizeof(piece));
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	ck_assert_uint_eq(meta_used_bytes(), used);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("report");

	tcase_add_test(tc, an_untouched_heap);
	tcase_add_test(tc, active_objects);
	tcase_add_test(tc, active_slabs);
	tcase_add_test(tc, active_objects_of_threads);
	tcase_add_test(tc, size_classes);
	tcase_add_test(tc, watched);
	tcase_add_test(tc, freed_by_handlers);
	tcase_add_test(tc, prefilled);
	tcase_add_test(tc, thousands_of_caches);
	tcase_add_test(tc, other_names);
	tcase_add_test(tc, many_other_names);
	tcase_add_test(tc, free_blocks);
	tcase_add_test(tc, pages_add_up);
	tcase_add_test(tc, events);
	tcase_add_test(tc, events_of_a_cache_that_ends);
	tcase_add_test(tc, events_between_threads);
	tcase_add_test(tc, zone_figures);
	tcase_add_test(tc, nodes);
	tcase_add_test(tc, pages_of_the_program);
	tcase_add_test(tc, scarce_zones);
	tcase_add_loop_test(tc, files_and_descriptors, 0, ARRAY_SIZE(kinds));
	tcase_add_loop_test(tc, a_full_disk, 0, ARRAY_SIZE(kinds));
	tcase_add_test(tc, no_descriptor);
	tcase_add_test(tc, reclaim);
	tcase_add_test(tc, no_memory);
	tcase_add_test(tc, interrupted_writes);
	tcase_add_loop_test(tc, a_stream_that_allocates, 0, ARRAY_SIZE(kinds));
	tcase_add_test(tc, from_several_threads);
	tcase_add_test(tc, to_one_stream);
	tcase_add_test(tc, in_a_forked_child);
	tcase_add_test(tc, cancelled);
	return test_run(tc);
}
