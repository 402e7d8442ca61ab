/* SPDX-License-Identifier: MIT */
/* Slabs that a few objects keep, while the memory of their other pages goes and comes again. */
#include "slab/hollow.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <slabuddy/rcupdate.h>

#include "../own_slot.h"
#include "../testing.h"
#include "buddy/zone.h"
#include "malloc/heap.h"
#include "os/mem.h"
#include "slab/fast.h"
#include "slab/slab.h"

#define NR_SLABS   64U
#define NR_OBJECTS 4096U
#define SIZE	   1000U

int __real_os_discard(void *addr, size_t bytes);
int __wrap_os_discard(void *addr, size_t bytes);

static struct kmem_cache *cache;
static int refuse; /* what the OS answers; 0: what it does */
static unsigned int nr_refused;
static bool free_meanwhile; /* what has just gone is freed, for the second time */
static unsigned int nr_freed_twice;

/* The first object that starts in some memory. */
static char *object_in(void *addr)
{
	size_t offset = (uintptr_t)addr & cache->slab_mask;

	return (char *)addr - offset + DIV_ROUND_UP(offset, cache->size) * cache->size;
}

int __wrap_os_discard(void *addr, size_t bytes)
{
	int error;

	if (refuse) {
		nr_refused++;
		return -refuse;
	}
	error = __real_os_discard(addr, bytes);
	if (!error && free_meanwhile) {
		nr_freed_twice++;
		kmem_cache_free(cache, object_in(addr));
	}
	return error;
}

static struct kmem_cache_node *node;
static struct zone *zone = &node_data[0].zones[ZONE_NORMAL];
static char *objects[NR_OBJECTS]; /* NULL: freed */
static unsigned int nr;

static void make(slab_flags_t flags, void (*ctor)(void *object))
{
	cache = kmem_cache_create("hollow", SIZE, 0, flags | SLAB_NO_MERGE, ctor);
	ck_assert_ptr_nonnull(cache);
	node = &cache->node0;
}

static void setup(void)
{
	take_own_slot();
	/* when it happens is the tests' business: nothing goes unasked below this */
	options.dirty_min_kib = 64 * 1024;
}

static void fill(void)
{
	nr = MIN(NR_SLABS * cache->objects, NR_OBJECTS);
	for (unsigned int i = 0; i < nr; i++) {
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		ck_assert_ptr_nonnull(objects[i]);
		fill_bytes(objects[i], SIZE, i);
	}
}

static void drop(unsigned int i)
{
	kmem_cache_free(cache, objects[i]);
	objects[i] = NULL;
}

/* All but one of so many. */
static void keep_one_of(unsigned int many)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (objects[i] && i % many)
			drop(i);
	}
	slot_drain(this_slot);
}

static void assert_contents(void)
{
	for (unsigned int i = 0; i < nr; i++)
		ck_assert(!objects[i] || filled_with(objects[i], SIZE, i));
	assert_heap_sound();
}

/* Pages of the slabs of all objects that are left, which hold memory. */
static size_t resident_pages(void)
{
	size_t pages = 0;

	for (unsigned int i = 0; i < nr; i++) {
		struct page *slab = objects[i] ? slab_of(cache, objects[i]) : NULL;

		if (slab)
			pages += os_resident_bytes(page_start(slab), PAGE_SIZE << cache->order) >>
				 PAGE_SHIFT;
	}
	return pages;
}

START_TEST(memory_goes_and_the_slab_stays)
{
	size_t before;

	make(0, NULL);
	fill();
	before = zone->events.purged;
	keep_one_of(cache->objects);
	kmem_cache_shrink(cache);
	ck_assert_uint_ge(node->nr_slabs, NR_SLABS);
	/* one object lies in two pages at most */
	ck_assert_uint_ge(node->nr_hollow, NR_SLABS * ((1U << cache->order) - 2));
	ck_assert_uint_eq(zone->nr_hollow, node->nr_hollow);
	ck_assert_uint_ge(zone->events.purged - before, node->nr_hollow);
	ck_assert_uint_le(resident_pages(), 2 * NR_SLABS);
	assert_contents();
}
END_TEST

START_TEST(it_happens_while_objects_are_freed)
{
	options.dirty_min_kib = 0;
	make(0, NULL);
	fill();
	keep_one_of(cache->objects);
	/* all but a few slabs and what a batch left */
	ck_assert_uint_ge(node->nr_hollow, NR_SLABS / 2 * ((1U << cache->order) - 2));
	assert_contents();
}
END_TEST

/* Like free pages: below the floor nothing goes, and a load that goes up and down there has no page faults. */
START_TEST(not_below_the_floor)
{
	unsigned long slabs, purged, sparse = zone->nr_sparse;

	make(0, NULL);
	for (unsigned int round = 0; round < 4; round++) {
		fill();
		keep_one_of(cache->objects);
		ck_assert_uint_eq(node->nr_hollow, 0);
		ck_assert_uint_ge(node->nr_sparse, NR_SLABS / 2);
		ck_assert_uint_eq(zone->nr_sparse - sparse,
				  (unsigned long)node->nr_sparse << cache->order);
		assert_contents();
	}
	/* and without one it does */
	slabs = node->nr_slabs;
	purged = zone->events.purged;
	options.dirty_min_kib = 0;
	fill();
	keep_one_of(cache->objects);
	ck_assert_uint_ge(node->nr_slabs, slabs);
	ck_assert_uint_gt(node->nr_hollow, 0);
	ck_assert_uint_ge(zone->events.purged - purged, node->nr_hollow);
	assert_contents();
	kmem_cache_shrink(cache);
	ck_assert_uint_eq(zone->nr_sparse, sparse);
}
END_TEST

START_TEST(memory_comes_again)
{
	unsigned long slabs;

	make(0, NULL);
	fill();
	keep_one_of(cache->objects);
	kmem_cache_shrink(cache);
	slabs = node->nr_slabs;
	for (unsigned int i = 0; i < nr; i++) {
		if (objects[i])
			continue;
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		ck_assert_ptr_nonnull(objects[i]);
		fill_bytes(objects[i], SIZE, i);
	}
	assert_contents();
	ck_assert_uint_eq(node->nr_slabs, slabs);
	slot_drain(this_slot);
	ck_assert_uint_eq(node->nr_hollow, 0);
	ck_assert_uint_eq(zone->nr_hollow, 0);
	/* and can be freed like any other */
	for (unsigned int i = 0; i < nr; i++)
		drop(i);
	slot_drain(this_slot);
	kmem_cache_shrink(cache);
	ck_assert_uint_eq(node->nr_slabs, 0);
	assert_heap_sound();
}
END_TEST

START_TEST(empty_slabs_take_their_hollow_pages_along)
{
	make(0, NULL);
	fill();
	keep_one_of(cache->objects);
	kmem_cache_shrink(cache);
	ck_assert_uint_gt(zone->nr_hollow, 0);
	keep_one_of(nr);
	kmem_cache_shrink(cache);
	ck_assert_uint_eq(node->nr_slabs, 1);
	ck_assert_uint_eq(zone->nr_hollow, node->nr_hollow);
	/* what was hollow is clean */
	ck_assert_uint_lt(zone->nr_dirty, NR_SLABS << cache->order);
	assert_contents();
}
END_TEST

START_TEST(once_more_with_half_as_many)
{
	unsigned long few;

	make(0, NULL);
	fill();
	keep_one_of(cache->objects / 4);
	kmem_cache_shrink(cache);
	few = node->nr_hollow;
	keep_one_of(cache->objects);
	kmem_cache_shrink(cache);
	ck_assert_uint_gt(node->nr_hollow, few);
	ck_assert_uint_eq(node->nr_sparse, 0);
	assert_contents();
}
END_TEST

static void constructor(void *object)
{
	memset(object, 1, SIZE);
}

START_TEST(what_must_stay_stays)
{
	if (_i == 0)
		make(0, constructor);
	else
		make(_i == 1 ? SLAB_TYPESAFE_BY_RCU : SLAB_POISON, NULL);
	fill();
	keep_one_of(cache->objects);
	kmem_cache_shrink(cache);
	ck_assert_uint_gt(node->nr_slabs, NR_SLABS / 2);
	ck_assert_uint_eq(node->nr_hollow, 0);
	assert_contents();
}
END_TEST

START_TEST(off_with_purge_but_on_request)
{
	options.purge = PURGE_OFF;
	make(0, NULL);
	fill();
	keep_one_of(cache->objects);
	ck_assert_uint_eq(node->nr_hollow, 0);
	/* unless somebody asks for it */
	kmem_cache_shrink(cache);
	ck_assert_uint_gt(node->nr_hollow, 0);
	assert_contents();
}
END_TEST

START_TEST(refused)
{
	unsigned long failed;

	make(0, NULL);
	fill();
	failed = zone->events.purge_failed;
	refuse = EINVAL;
	keep_one_of(cache->objects);
	kmem_cache_shrink(cache);
	ck_assert_uint_eq(node->nr_hollow, 0);
	/* for good: once, and never again */
	ck_assert_uint_eq(nr_refused, 1);
	ck_assert_uint_eq(zone->events.purge_failed - failed, 1);
	assert_contents();
	fill();
	assert_contents();
}
END_TEST

START_TEST(others_get_the_lock_in_between)
{
	uint32_t before;

	make(0, NULL);
	fill();
	options.purge = PURGE_OFF;
	/* a bit of each page */
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int object = i % cache->objects;

		if (object && object != 5 && object != 12)
			drop(i);
	}
	slot_drain(this_slot);
	ck_assert_uint_ge(node->nr_sparse, NR_SLABS);
	before = node->list_lock.acquisitions;
	kmem_cache_shrink(cache);
	ck_assert_uint_ge(node->list_lock.acquisitions - before, 2 + NR_SLABS / 32);
	ck_assert_uint_eq(node->nr_sparse, 0);
	ck_assert_uint_eq(node->nr_hollow, 0);
	assert_contents();
}
END_TEST

/* ---- What is freed for the second time, when the mark of the first has gone with its memory ---- */

static bool is_hollow(const void *addr)
{
	return section_tag(addr_to_section(addr), addr_to_pfn(addr)) == TAG_HOLLOW;
}

/* The main sheaf is there and has room for so many. */
static void open_sheaf(unsigned int room)
{
	const struct slot_cache *sheaf;

	do {
		ck_assert_ptr_nonnull(kmem_cache_alloc(cache, GFP_KERNEL));
		sheaf = named_sheaf(this_slot, cache);
	} while (!sheaf || sheaf->count + room > sheaf->capacity);
}

/* An object in a hollow page of the slab that @object lies in. */
static void *hollow_object_beside(void *object)
{
	char *start = page_start(slab_of(cache, object));
	char *other = start;

	while (!is_hollow(other))
		other += cache->size;
	ck_assert_uint_lt((size_t)(other - start), cache->object_end);
	return other;
}

START_TEST(twice_in_bulk)
{
	void *pair[2];

	options.bad_free = BAD_FREE_WARN;
	make(0, NULL);
	fill();
	keep_one_of(cache->objects);
	kmem_cache_shrink(cache);
	open_sheaf(2);
	pair[0] = objects[2 * cache->objects];
	pair[1] = hollow_object_beside(pair[0]);
	objects[2 * cache->objects] = NULL;
	kmem_cache_free_bulk(cache, 2, pair);
	assert_contents();
}
END_TEST

START_TEST(twice_while_memory_goes)
{
	options.bad_free = BAD_FREE_WARN;
	make(0, NULL);
	fill();
	options.purge = PURGE_OFF;
	keep_one_of(cache->objects);
	free_meanwhile = true;
	kmem_cache_shrink(cache);
	free_meanwhile = false;
	ck_assert_uint_gt(nr_freed_twice, 0);
	slot_drain(this_slot);
	assert_contents();
}
END_TEST

/* Objects of which one starts with the last word of a page: its mark is in the next one. */
#define PARTED_BYTES 584

START_TEST(twice_with_the_mark_in_another_page)
{
	char *kept[NR_SLABS], *all[NR_OBJECTS];
	unsigned int nr_kept = 0;

	options.bad_free = BAD_FREE_WARN;
	cache = kmem_cache_create("parted", PARTED_BYTES, 0, SLAB_NO_MERGE, NULL);
	ck_assert_ptr_nonnull(cache);
	ck_assert_uint_eq(cache->size, PARTED_BYTES);
	ck_assert_uint_gt(cache->order, 0);
	nr = MIN(NR_SLABS * cache->objects, NR_OBJECTS);
	for (unsigned int i = 0; i < nr; i++)
		all[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (unsigned int i = 0; i < nr; i++) {
		uintptr_t offset = (uintptr_t)all[i] & cache->slab_mask;

		/* the last one that lies in the first page */
		if (offset + PARTED_BYTES + sizeof(uintptr_t) == PAGE_SIZE)
			kept[nr_kept++] = all[i];
		else
			kmem_cache_free(cache, all[i]);
	}
	ck_assert_uint_gt(nr_kept, 1);
	slot_drain(this_slot);
	kmem_cache_shrink(cache);
	open_sheaf(1);
	kmem_cache_free(cache, kept[0] + PARTED_BYTES);
	assert_heap_sound();
}
END_TEST

START_TEST(watermark_holds_without_what_is_hollow)
{
	make(0, NULL);
	fill();
	/* what lies in the first page of each */
	for (unsigned int i = 0; i < nr; i++) {
		if (i % cache->objects >= PAGE_SIZE / SIZE - 1)
			drop(i);
	}
	slot_drain(this_slot);
	kmem_cache_shrink(cache);
	ck_assert_uint_gt(node->nr_hollow, NR_SLABS);
	options.dirty_min_kib = 0;
	options.dirty_percent = 0;
	for (unsigned int i = 0; i < nr; i++) {
		if (objects[i])
			drop(i);
	}
	slot_drain(this_slot);
	ck_assert_uint_lt(node->nr_slabs, NR_SLABS / 4);
	ck_assert_uint_lt(zone->nr_dirty, NR_SLABS / 2);
	assert_heap_sound();
}
END_TEST

/* ---- Threads that take, give and look through at once ---- */

#define THREADS	   4
#define ROUNDS	   40
#define PER_THREAD 600U

static void *take_and_give(void *arg)
{
	static char wrong[] = "an object has changed";
	uint64_t random = (uintptr_t)arg;
	char *mine[PER_THREAD] = { NULL };

	for (unsigned int round = 0; round < ROUNDS; round++) {
		/* up, and then nearly all of it away */
		for (unsigned int i = 0; i < PER_THREAD; i++) {
			if (mine[i])
				continue;
			mine[i] = kmem_cache_alloc(cache, GFP_KERNEL);
			if (mine[i])
				fill_bytes(mine[i], SIZE, i);
		}
		for (unsigned int i = 0; i < PER_THREAD; i++) {
			if (!mine[i] || !random_below(&random, 30))
				continue;
			if (!filled_with(mine[i], SIZE, i))
				return wrong;
			kmem_cache_free(cache, mine[i]);
			mine[i] = NULL;
		}
		if (!random_below(&random, 4))
			kmem_cache_shrink(cache);
	}
	for (unsigned int i = 0; i < PER_THREAD; i++)
		kmem_cache_free(cache, mine[i]);
	return NULL;
}

START_TEST(among_threads)
{
	pthread_t thread[THREADS];

	options.dirty_min_kib = 0;
	make(0, NULL);
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, take_and_give, (void *)(i + 1)), 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		void *wrong;

		pthread_join(thread[i], &wrong);
		ck_assert_msg(!wrong, "%s", (char *)wrong);
	}
	ck_assert_uint_gt(zone->events.purged, 0);
	slot_drain(this_slot);
	kmem_cache_shrink(cache);
	assert_heap_sound();
	ck_assert_uint_eq(node->nr_hollow, zone->nr_hollow);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("slab/hollow");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, memory_goes_and_the_slab_stays);
	tcase_add_test(tc, it_happens_while_objects_are_freed);
	tcase_add_test(tc, not_below_the_floor);
	tcase_add_test(tc, memory_comes_again);
	tcase_add_test(tc, empty_slabs_take_their_hollow_pages_along);
	tcase_add_test(tc, once_more_with_half_as_many);
	tcase_add_loop_test(tc, what_must_stay_stays, 0, 3);
	tcase_add_test(tc, off_with_purge_but_on_request);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, others_get_the_lock_in_between);
	tcase_add_test(tc, twice_in_bulk);
	tcase_add_test(tc, twice_while_memory_goes);
	tcase_add_test(tc, twice_with_the_mark_in_another_page);
	tcase_add_test(tc, watermark_holds_without_what_is_hollow);
	tcase_add_test(tc, among_threads);
	return test_run(tc);
}
