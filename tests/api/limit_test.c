/* SPDX-License-Identifier: MIT */
/*
 * The kernel's functions at the memory limit: first what is free goes back, then caches are shrunk, then the program's
 * handler is called, as far as the gfp flags allow.
 */
#include <slabuddy/gfp.h>
#include <slabuddy/shrinker.h>
#include <slabuddy/slab.h>
#include <slabuddy/slabuddy.h>

#include <string.h>

#include "../testing.h"

#define LIMIT MIB(32)
#define BLOCK MIB(1)

static void *kept[LIMIT / BLOCK]; /* what the shrinker may free */
static unsigned long nr_kept;
static char events[64]; /* 's': something was shrunk, 'h': the handler was called */

static void note(char event)
{
	size_t len = strlen(events);

	if (len + 1 < sizeof(events))
		events[len] = event;
}

static unsigned long count(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker;
	(void)sc;
	return nr_kept;
}

static unsigned long scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long freed = 0;

	(void)shrinker;
	while (nr_kept && freed < sc->nr_to_scan) {
		kfree(kept[--nr_kept]);
		freed++;
	}
	if (freed)
		note('s');
	return freed;
}

static int handler(size_t bytes, void *arg)
{
	void **last = arg;

	(void)bytes;
	note('h');
	if (!*last)
		return 0;
	kfree(*last);
	*last = NULL;
	return 1;
}

/* Take everything that the limit allows; @keep: the shrinker may have it. */
static void fill(bool keep, void **last)
{
	unsigned long nr = 0;
	void *block;

	ck_assert_int_eq(slabuddy_set_memory_limit(LIMIT, handler, last), 0);
	while ((block = kmalloc(BLOCK, GFP_NOWAIT | __GFP_NOWARN))) {
		memset(block, 1, BLOCK);
		nr++;
		if (keep)
			kept[nr_kept++] = block;
	}
	ck_assert_uint_gt(nr, 20);
	/* who may not wait, calls nobody */
	ck_assert_str_eq(events, "");
}

static void have_shrinker(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "kept");

	ck_assert_ptr_nonnull(shrinker);
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->batch = 1;
	shrinker_register(shrinker);
}

START_TEST(shrinkers_come_before_the_handler)
{
	void *last = NULL, *p;

	fill(true, &last);
	have_shrinker();
	p = kmalloc(BLOCK, GFP_KERNEL);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(events[0], 's');
	ck_assert_ptr_null(strchr(events, 'h'));
	assert_heap_sound();
}
END_TEST

static void *by_kmalloc(gfp_t gfp)
{
	return kmalloc(BLOCK, gfp);
}

static void *by_krealloc(gfp_t gfp)
{
	static void *small;

	if (!small)
		return small = kmalloc(100, GFP_KERNEL);
	return krealloc(small, BLOCK, gfp);
}

static void *by_alloc_pages(gfp_t gfp)
{
	return alloc_pages(gfp, 8);
}

static void *by_cache(gfp_t gfp)
{
	static struct kmem_cache *cache;
	void *object = NULL;

	if (!cache)
		cache = kmem_cache_create("limited", 4096, 0, SLAB_NO_MERGE, NULL);
	/* until it takes a new slab that there is no room for */
	for (int i = 0; i < 1000; i++) {
		object = kmem_cache_alloc(cache, gfp);
		if (!object || events[0])
			break;
	}
	return object;
}

static void *(*const ways[])(gfp_t gfp) = { by_kmalloc, by_krealloc, by_alloc_pages, by_cache };

START_TEST(handler_comes_last_and_helps)
{
	void *last, *p;

	last = kmalloc(2 * BLOCK, GFP_KERNEL);
	/* what they need besides is there */
	ways[_i](GFP_KERNEL);
	fill(false, &last);
	p = ways[_i](GFP_KERNEL);
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_null(last);
	ck_assert_str_eq(events, "h");
	assert_heap_sound();
}
END_TEST

/* Those of the lowest orders come by page sheaves, which are filled ahead. */
START_TEST(small_blocks_of_pages)
{
	unsigned long most = (LIMIT / PAGE_SIZE) >> _i, nr = 0;

	ck_assert_int_eq(slabuddy_set_memory_limit(LIMIT, NULL, NULL), 0);
	while (nr <= most && alloc_pages(GFP_KERNEL | __GFP_NOWARN, (unsigned int)_i))
		nr++;
	ck_assert_uint_lt(nr, most);
	ck_assert_uint_gt(nr, most - most / 8);
	assert_heap_sound();
}
END_TEST

START_TEST(nobody_helps)
{
	void *last = NULL;

	fill(false, &last);
	ck_assert_ptr_null(kmalloc(BLOCK, GFP_KERNEL | __GFP_NOWARN));
	ck_assert_str_eq(events, "h");
	/* who may not try hard does not ask */
	ck_assert_ptr_null(kmalloc(BLOCK, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY));
	ck_assert_ptr_null(alloc_pages(GFP_NOWAIT | __GFP_NOWARN, 8));
	ck_assert_str_eq(events, "h");
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("api/limit");

	tcase_add_test(tc, shrinkers_come_before_the_handler);
	tcase_add_loop_test(tc, handler_comes_last_and_helps, 0, ARRAY_SIZE(ways));
	tcase_add_loop_test(tc, small_blocks_of_pages, 0, 4);
	tcase_add_test(tc, nobody_helps);
	return test_run(tc);
}
