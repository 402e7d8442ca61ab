/* SPDX-License-Identifier: MIT */
#include "slab/cache.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "../own_slot.h"
#include "../testing.h"
#include "slab/alloc.h"
#include "slab/boot.h"
#include "slab/geometry.h"
#include "slab/slab.h"

static struct kmem_cache cache;

static void setup(void)
{
	slab_boot();
}

static int set_up(struct kmem_cache *c, const char *name, size_t size, size_t align)
{
	return cache_setup(c, &(struct cache_params){ .name = name,
						      .size = size,
						      .align = align,
						      .max_order = SLAB_MAX_ORDER });
}

static void make(size_t size)
{
	take_own_slot();
	ck_assert_int_eq(set_up(&cache, "test", size, 0), 0);
}

/* The slow paths are complete: they use the sheaf too, when it has what they need. */
static void *take(void)
{
	return cache_alloc_slow(&cache);
}

static void give(void *object)
{
	cache_free_slow(&cache, object);
}

START_TEST(setup_and_teardown)
{
	make(100);
	ck_assert_str_eq(cache.name, "test");
	ck_assert_uint_eq(cache.object_size, 100);
	ck_assert_uint_eq(cache.size, 104); /* the natural alignment is a pointer's */
	ck_assert_uint_ge(cache.tag, NR_CLASS_TAGS);
	ck_assert_ptr_eq(tag_to_cache(cache.tag), &cache);
	ck_assert_uint_le((size_t)cache.objects * cache.size, PAGE_SIZE << cache.order);
	/* a second time is harmless */
	make(200);
	ck_assert_uint_eq(cache.object_size, 100);
	ck_assert_int_eq(cache_teardown(&cache), 0);
	ck_assert_ptr_null(tag_to_cache(cache.tag));
	assert_heap_sound();
}
END_TEST

START_TEST(bad_arguments)
{
	static const struct {
		size_t size, align;
	} bad[] = {
		{ 0, 0 },   { SECTION_BYTES + 1, 0 }, { SIZE_MAX, 0 },	{ 64, 3 },
		{ 64, 24 }, { 64, KIB(64) },	      { 64, SIZE_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct kmem_cache other = { .ready = false };

		ck_assert_int_eq(set_up(&other, "bad", bad[i].size, bad[i].align),
				 -EINVAL);
		ck_assert(!other.ready);
	}
	assert_heap_sound();
}
END_TEST

START_TEST(long_names_are_cut)
{
	ck_assert_int_eq(set_up(&cache, "a name of very many more letters than fit", 64, 0), 0);
	ck_assert_uint_eq(strlen(cache.name), CACHE_NAME_BYTES - 1);
	ck_assert_int_eq(memcmp(cache.name, "a name of very", 14), 0);
}
END_TEST

START_TEST(tags_run_out)
{
	static struct kmem_cache many[MAX_NAMED_CACHES + 1];
	unsigned int nr = 0;
	int error;

	while (!(error = set_up(&many[nr], "many", 64, 0)))
		nr++;
	ck_assert_int_eq(error, -ENOSPC);
	ck_assert_uint_eq(nr, MAX_NAMED_CACHES);
	/* a taken tag is not given twice, and one that is given back is */
	ck_assert_int_eq(cache_setup(&cache, &(struct cache_params){ .name = "more",
								     .size = 64,
								     .tag = many[0].tag }),
			 -ENOSPC);
	ck_assert_int_eq(cache_teardown(&many[7]), 0);
	ck_assert_int_eq(set_up(&many[nr], "again", 64, 0), 0);
	assert_heap_sound();
}
END_TEST

START_TEST(teardown_with_objects_left)
{
	void *object;

	make(64);
	object = take();
	ck_assert_int_eq(cache_teardown(&cache), -EBUSY);
	ck_assert_ptr_eq(tag_to_cache(cache.tag), &cache);
	/* it works as before */
	memset(object, 1, 64);
	give(object);
	give(take());
	slot_drain(this_slot);
	ck_assert_int_eq(cache_teardown(&cache), 0);
	assert_heap_sound();
}
END_TEST

#define NR_OBJECTS 2000

/* For sizes of all kinds: objects do not overlap, are aligned, and keep what is written to them. */
START_TEST(objects_of_a_kind)
{
	static const struct {
		size_t size, align;
	} kinds[] = {
		{ 1, 0 },    { 8, 0 },	  { 16, 0 },	{ 24, 0 },	{ 40, 8 },
		{ 48, 0 },   { 100, 64 }, { 200, 256 }, { 1000, 0 },	{ 1000, 4096 },
		{ 4096, 0 }, { 5000, 0 }, { 20000, 0 }, { 40000, 128 },
	};
	size_t size = kinds[_i].size, align = MAX(kinds[_i].align, 8);
	static char *objects[NR_OBJECTS];
	unsigned int nr = size > 4096 ? 200 : NR_OBJECTS;

	ck_assert_int_eq(
		set_up(&cache, "objects", size, kinds[_i].align), 0);
	for (unsigned int i = 0; i < nr; i++) {
		objects[i] = take();
		ck_assert_ptr_nonnull(objects[i]);
		ck_assert(IS_ALIGNED((uintptr_t)objects[i], align));
		ck_assert_ptr_nonnull(slab_of(&cache, objects[i]));
		ck_assert(slab_is_object(&cache, objects[i]));
		ck_assert(slab_object_in_use(&cache, objects[i]));
		fill_bytes(objects[i], size, i);
	}
	assert_heap_sound();
	for (unsigned int i = 0; i < nr; i++) {
		ck_assert(filled_with(objects[i], size, i));
		give(objects[i]);
	}
	assert_heap_sound();
	slot_drain(this_slot);
	ck_assert_int_eq(cache_shrink(&cache), 0);
	ck_assert_int_eq(cache_teardown(&cache), 0);
	assert_heap_sound();
}
END_TEST

/* An address is an object's or it is not, for every byte of a slab. */
START_TEST(every_address_of_a_slab)
{
	char *object, *slab;
	unsigned int nr = 0;

	make(48);
	object = take();
	slab = page_start(slab_of(&cache, object));
	for (size_t offset = 0; offset <= cache.slab_mask; offset++) {
		bool expected = offset % 48 == 0 && offset / 48 < cache.objects;

		ck_assert_ptr_eq(slab_of(&cache, slab + offset), slab_of(&cache, object));
		ck_assert(slab_is_object(&cache, slab + offset) == expected);
		ck_assert_uint_eq(object_number(&cache, (uint32_t)offset), offset / 48);
		nr += expected;
	}
	ck_assert_uint_eq(nr, cache.objects);
	ck_assert_ptr_null(slab_of(&cache, slab - 1));
	ck_assert_ptr_null(slab_of(&cache, NULL));
	ck_assert_ptr_null(slab_of(&cache, &nr));
}
END_TEST

/* The same by arithmetic alone, for sizes of all kinds. */
START_TEST(every_offset_of_many_sizes)
{
	for (size_t size = 16; size <= KIB(64); size += size < 512 ? 8 : size / 8 - size / 8 % 8) {
		struct kmem_cache many = { 0 };

		ck_assert_int_eq(cache_describe(&many, &(struct cache_params){ .name = "many",
									       .size = size,
									       .max_order = 5 }),
				 0);
		for (uint32_t offset = 0; offset <= many.slab_mask; offset++) {
			bool expected = offset % many.size == 0 && offset < many.object_end;

			if (starts_object_at(&many, offset) != expected ||
			    object_number(&many, offset) != offset / many.size)
				ck_abort_msg("size %zu, offset %u", size, offset);
		}
	}
}
END_TEST

/* Refill takes from the fullest slab, so that the emptiest can become empty. */
START_TEST(fullest_first)
{
	struct page *fullest, *previous = NULL;
	void *objects[4 * 64], *one;
	unsigned int nr, done = 0;

	make(1024);
	nr = 4 * cache.objects;
	ck_assert_uint_le(nr, ARRAY_SIZE(objects));
	while (done < nr)
		done += slab_refill(&cache, 0, objects + done, nr - done, NULL);
	fullest = slab_of(&cache, objects[nr / 2]);
	/* of that slab, one object goes back; of the others, all but one */
	for (unsigned int i = 0; i < nr; i++) {
		struct page *slab = slab_of(&cache, objects[i]);
		bool first = slab != previous;

		if (slab == fullest ? first : !first)
			slab_flush(&cache, &objects[i], 1, NULL, 0);
		previous = slab;
	}
	ck_assert_uint_eq(fullest->inuse, cache.objects - 1);
	ck_assert_uint_eq(cache.node0.nr_partial, 4);
	assert_heap_sound();
	ck_assert_uint_eq(slab_refill(&cache, 0, &one, 1, NULL), 1);
	ck_assert_ptr_eq(slab_of(&cache, one), fullest);
	assert_heap_sound();
}
END_TEST

START_TEST(empties_are_returned)
{
	static void *objects[20000];
	struct cache_count count;
	unsigned int nr = ARRAY_SIZE(objects);

	make(256);
	for (unsigned int done = 0; done < nr; done += 100)
		ck_assert_uint_ge(slab_refill(&cache, 0, objects + done, 100, NULL), 50);
	for (unsigned int i = 0; i < nr; i++) {
		if (objects[i])
			slab_flush(&cache, &objects[i], 1, NULL, 0);
	}
	cache_count(&cache, &count);
	ck_assert_uint_eq(count.inuse, 0);
	/* a few stay, for the next time */
	ck_assert_uint_le(count.slabs, cache.min_empty);
	ck_assert_uint_eq(cache.node0.nr_empty, count.slabs);
	assert_heap_sound();
	ck_assert_int_eq(cache_shrink(&cache), 0);
	cache_count(&cache, &count);
	ck_assert_uint_eq(count.slabs, 0);
	ck_assert_uint_eq(node_data[0].zones[ZONE_NORMAL].nr_free_pages,
			  node_data[0].zones[ZONE_NORMAL].managed_pages);
	assert_heap_sound();
}
END_TEST

/* A sheaf that runs empty and full again and again becomes larger, within its bounds. */
START_TEST(sheaf_grows)
{
	static void *objects[50000];
	uint32_t first;

	make(64);
	give(take());
	first = slot_cache_of(this_slot, &cache)->capacity;
	ck_assert_uint_ge(first, 2);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
			objects[i] = take();
		for (size_t i = 0; i < ARRAY_SIZE(objects) / 2; i++)
			give(objects[i]);
		ck_assert_uint_le(slot_cache_of(this_slot, &cache)->capacity, cache.sheaf_max);
		if (round % 5 == 0)
			assert_heap_sound();
		for (size_t i = 0; i < ARRAY_SIZE(objects) / 2; i++)
			objects[i] = take();
		ck_assert_uint_gt(slot_cache_of(this_slot, &cache)->capacity, first);
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
			give(objects[i]);
	}
	assert_heap_sound();
}
END_TEST

/* Other caches' sheaves have used up what the slot may hold: a cache that comes later has a small one all the same. */
START_TEST(late_cache)
{
	void *objects[40];

	make(64);
	this_slot->sheaf_bytes += MIB(4);
	for (int round = 0; round < 8; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
			objects[i] = take();
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
			give(objects[i]);
	}
	ck_assert_uint_eq(slot_cache_of(this_slot, &cache)->capacity, cache.sheaf_min);
	this_slot->sheaf_bytes -= MIB(4);
	assert_heap_sound();
}
END_TEST

static void shuffle(void **objects, size_t nr, uint64_t *seed)
{
	for (size_t i = nr; i > 1; i--) {
		size_t other = random_below(seed, i);
		void *object = objects[i - 1];

		objects[i - 1] = objects[other];
		objects[other] = object;
	}
}

/* When all is freed, the last objects, which come from everywhere, do not keep a slab each; each time. */
START_TEST(few_slabs_stay)
{
	static void *objects[100000];
	uint64_t seed = test_seed();
	struct cache_count count;
	uint32_t capacity = 0;

	make(64);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
			objects[i] = take();
		ck_assert_uint_ge(slot_cache_of(this_slot, &cache)->capacity, capacity);
		capacity = slot_cache_of(this_slot, &cache)->capacity;
		ck_assert_uint_gt(capacity, 60);
		shuffle(objects, ARRAY_SIZE(objects), &seed);
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
			give(objects[i]);
		cache_count(&cache, &count);
		/* 64 KiB, see PINNED_BYTES, and the empty ones */
		ck_assert_uint_le((count.slabs - cache.node0.nr_empty) * PAGE_SIZE, KIB(64));
		assert_heap_sound();
	}
}
END_TEST

/* What one thread frees, another gets out of the barn, without a slab being touched. */
static void *batch[40000];

static void *free_batch(maybe_unused void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(batch); i++)
		give(batch[i]);
	return NULL;
}

START_TEST(barn_hands_over)
{
	struct cache_count before, after;
	pthread_t thread;
	unsigned int handed;

	make(64);
	for (size_t i = 0; i < ARRAY_SIZE(batch); i++)
		batch[i] = take();
	pthread_create(&thread, NULL, free_batch, NULL);
	pthread_join(thread, NULL);
	assert_heap_sound();
	cache_count(&cache, &before);
	ck_assert_uint_gt(before.in_barns, 0);
	ck_assert_uint_le(before.in_barns, cache.barn_max);
	/* first what this slot has left, then the barn's */
	handed = slot_cache_of(this_slot, &cache)->count;
	for (unsigned int i = 0; i <= handed; i++)
		ck_assert_ptr_nonnull(take());
	cache_count(&cache, &after);
	ck_assert_uint_lt(after.in_barns, before.in_barns);
	ck_assert_uint_eq(after.inuse, before.inuse);
	assert_heap_sound();
}
END_TEST

/* Return: a complaint, or NULL. */
static const void *churn(void *arg)
{
	uint64_t seed = (uintptr_t)arg;
	void *objects[300] = { NULL };

	for (int step = 0; step < 50000; step++) {
		unsigned int i = random_below(&seed, ARRAY_SIZE(objects));

		if (objects[i]) {
			if (!filled_with(objects[i], 96, (uintptr_t)objects[i]))
				return "an object was overwritten";
			give(objects[i]);
			objects[i] = NULL;
		} else {
			objects[i] = take();
			fill_bytes(objects[i], 96, (uintptr_t)objects[i]);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		if (objects[i])
			give(objects[i]);
	}
	return NULL;
}

static void *churn_thread(void *arg)
{
	return (void *)(uintptr_t)churn(arg);
}

START_TEST(threads)
{
	pthread_t ids[4];
	void *complaint;

	make(96);
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&ids[i], NULL, churn_thread, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		pthread_join(ids[i], &complaint);
		ck_assert_msg(!complaint, "%s", (char *)complaint);
	}
	assert_heap_sound();
	slot_drain_all();
	ck_assert_int_eq(cache_teardown(&cache), 0);
	assert_heap_sound();
}
END_TEST

/* Options that come late, from the constructor, may leave a sheaf with more than it may hold from then on. */
START_TEST(limits_that_shrink)
{
	enum { NR = 200 };
	struct slot_cache *sc;
	void *objects[NR];
	int taken = 0;

	make(64);
	for (int i = 0; i < NR; i++)
		objects[i] = take();
	for (int i = 0; i < NR; i++)
		give(objects[i]);
	options.sheaf_kib = 0;
	cache_options_changed();
	sc = slot_cache_of(this_slot, &cache);
	/* the main sheaf runs empty, and the spare takes its place */
	for (uint32_t left = sc->count + 1; left; left--)
		objects[taken++] = take();
	for (int i = 0; i < taken; i++) {
		ck_assert_uint_le(sc->count, sc->capacity);
		give(objects[i]);
	}
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("slab/cache");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, setup_and_teardown);
	tcase_add_test(tc, bad_arguments);
	tcase_add_test(tc, limits_that_shrink);
	tcase_add_test(tc, long_names_are_cut);
	tcase_add_test(tc, tags_run_out);
	tcase_add_test(tc, teardown_with_objects_left);
	tcase_add_loop_test(tc, objects_of_a_kind, 0, 14);
	tcase_add_test(tc, every_address_of_a_slab);
	tcase_add_test(tc, every_offset_of_many_sizes);
	tcase_add_test(tc, fullest_first);
	tcase_add_test(tc, empties_are_returned);
	tcase_add_test(tc, sheaf_grows);
	tcase_add_test(tc, late_cache);
	tcase_add_test(tc, few_slabs_stay);
	tcase_add_test(tc, barn_hands_over);
	tcase_add_test(tc, threads);
	return test_run(tc);
}
