/* SPDX-License-Identifier: MIT */
/* Objects that their owner moves together: what is worth it, where they go, and that it ends. */
#include "slab/vacate.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <slabuddy/rcupdate.h>
#include <slabuddy/slabuddy.h>

#include "../own_slot.h"
#include "../testing.h"
#include "malloc/heap.h"
#include "slab/mark.h"
#include "slab/slab.h"

#ifdef __SANITIZE_THREAD__
/* liburcu, which is not instrumented, hands over memory by its own means */
exported const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:liburcu\n";
}
#endif

#define NR_OBJECTS 20000

static void *objects[NR_OBJECTS]; /* NULL: freed */
static struct kmem_cache *cache;

static void setup(void)
{
	take_own_slot();
	errno = 0;
}

static struct kmem_cache *make(unsigned int size, slab_flags_t flags)
{
	struct kmem_cache *made = kmem_cache_create("vacated", size, NULL, flags | SLAB_NO_MERGE);

	ck_assert_ptr_nonnull(made);
	return made;
}

/* As many as fill @slabs slabs, each with contents of its own. Return: how many. */
static unsigned int fill(unsigned int slabs)
{
	unsigned int nr = MIN(slabs * cache->objects, NR_OBJECTS);

	for (unsigned int i = 0; i < nr; i++) {
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		ck_assert_ptr_nonnull(objects[i]);
		fill_bytes(objects[i], cache->object_size, i);
	}
	return nr;
}

static void drop(unsigned int i)
{
	kmem_cache_free(cache, objects[i]);
	objects[i] = NULL;
}

/* One of @of stays, at random. Return: how many did. */
static unsigned int free_at_random(unsigned int nr, unsigned int of)
{
	uint64_t seed = test_seed();
	unsigned int live = nr;

	for (unsigned int i = 0; i < nr; i++) {
		if (!random_below(&seed, of))
			continue;
		drop(i);
		live--;
	}
	/* nothing in sheaves, which count as in use */
	kmem_cache_shrink(cache);
	return live;
}

static unsigned long nr_slabs(void)
{
	struct cache_count count;

	cache_count(cache, &count);
	return count.slabs;
}

/* Move one object if that is worth it, and look at both slabs. Return: whether it was. */
static bool move_one(unsigned int i)
{
	struct page *slab = slab_of(cache, objects[i]), *other;
	unsigned int before = slab->inuse;
	int worth = kmem_cache_worth_vacating(cache, objects[i]);
	unsigned long slabs = nr_slabs();
	void *now = kmem_cache_move(cache, objects[i]);

	/* the question and the deed agree */
	ck_assert_int_eq(worth, now != NULL);
	if (!now)
		return false;
	ck_assert(filled_with(now, cache->object_size, i));
	other = slab_of(cache, now);
	ck_assert_ptr_ne(other, slab);
	/* a slab that was emptied may be gone, but not be made */
	ck_assert_uint_le(nr_slabs(), slabs);
	/* it has one more now, and had no fewer than the one that lost it */
	ck_assert_uint_ge(other->inuse - 1U, before);
	if (before > 1)
		ck_assert_uint_eq(slab->inuse, before - 1U);
	objects[i] = now;
	return true;
}

/* Pass over all objects until nothing is moved any more. Return: how many were. */
static unsigned long move_all(unsigned int nr, unsigned int *passes)
{
	unsigned long moved = 0, before;

	*passes = 0;
	do {
		before = moved;
		for (unsigned int i = 0; i < nr; i++) {
			if (objects[i])
				moved += move_one(i);
		}
		(*passes)++;
	} while (moved > before);
	return moved;
}

/* What is left is there, in as few slabs as can be; then the cache ends. */
static void assert_dense(unsigned int nr, unsigned int live)
{
	kmem_cache_shrink(cache);
	ck_assert_uint_eq(nr_slabs(), DIV_ROUND_UP(live, cache->objects));
	for (unsigned int i = 0; i < nr; i++) {
		if (!objects[i])
			continue;
		ck_assert(filled_with(objects[i], cache->object_size, i));
		ck_assert_int_eq(kmem_cache_worth_vacating(cache, objects[i]), 0);
		ck_assert_ptr_null(kmem_cache_move(cache, objects[i]));
	}
	assert_heap_sound();
	for (unsigned int i = 0; i < nr; i++) {
		if (objects[i])
			drop(i);
	}
	stderr_capture();
	kmem_cache_destroy(cache);
	ck_assert_str_eq(stderr_captured(), "");
	ck_assert_int_eq(errno, 0);
	assert_heap_sound();
}

static const unsigned int sizes[] = { 1, 24, 64, 100, 1000, 3000, 7000 };

/* Nine of ten are freed, or one of two, or one of ten. */
static const unsigned int ways[] = { 10, 2 };

START_TEST(after_frees_at_random)
{
	unsigned int nr, live, passes, of = ways[(unsigned int)_i / ARRAY_SIZE(sizes)];
	unsigned long moved, before;

	cache = make(sizes[(unsigned int)_i % ARRAY_SIZE(sizes)], 0);
	nr = fill(200);
	live = free_at_random(nr, of);
	before = nr_slabs();
	ck_assert_uint_gt(before, DIV_ROUND_UP(live, cache->objects));
	moved = move_all(nr, &passes);
	/* measured over 25 seeds: 0.35 to 0.88 of them, in 1 to 3 passes and one that moves nothing */
	ck_assert_uint_le(moved, live);
	ck_assert_uint_le(passes, 8);
	assert_dense(nr, live);
}
END_TEST

/* No slab is below the average. */
START_TEST(slabs_that_are_all_alike)
{
	unsigned int nr, passes, live = 0;

	cache = make(64, 0);
	nr = fill(40);
	for (unsigned int i = 0; i < nr; i++) {
		if (slab_object_number(cache, objects[i]) % 16 == 3)
			live++;
		else
			drop(i);
	}
	kmem_cache_shrink(cache);
	ck_assert_uint_eq(nr_slabs(), DIV_ROUND_UP(nr, cache->objects));
	ck_assert_uint_gt(move_all(nr, &passes), 0);
	assert_dense(nr, live);
}
END_TEST

/* A slab that is full, and one that is the only one with room. */
START_TEST(nothing_to_gain)
{
	unsigned int nr, passes;

	cache = make(64, 0);
	nr = fill(10);
	nr -= nr % cache->objects;
	ck_assert_uint_eq(move_all(nr, &passes), 0);
	/* one object less than a slab in all of them together */
	for (unsigned int i = 0; i + 1 < cache->objects; i++)
		drop(i * 10 % nr);
	kmem_cache_shrink(cache);
	ck_assert_uint_eq(move_all(nr, &passes), 0);
	/* and with that one there is something to gain */
	for (unsigned int i = 0; i < nr; i++) {
		if (objects[i]) {
			drop(i);
			break;
		}
	}
	kmem_cache_shrink(cache);
	ck_assert_uint_gt(move_all(nr, &passes), 0);
	assert_dense(nr, nr - cache->objects);
}
END_TEST

/* Into its slab, past the sheaves. */
static void drop_at_once(unsigned int i)
{
	object_mark(objects[i], cache->mark_word);
	slab_flush(cache, &objects[i], 1, NULL, 0);
	objects[i] = NULL;
}

/* Empty slabs that the node keeps are no place for anything, however many come first on the list. */
START_TEST(empty_slabs_are_not_filled)
{
	unsigned int nr, live = 0, passes;

	cache = make(100, 0);
	nr = fill(60);
	kmem_cache_shrink(cache);
	/* of each second slab a few stay; then the others empty */
	for (unsigned int odd = 0; odd < 2; odd++) {
		for (unsigned int i = 0; i < nr; i++) {
			if (objects[i] && (odd || i % 20) &&
			    (uintptr_t)objects[i] / (cache->slab_mask + 1UL) % 2 == odd)
				drop_at_once(i);
		}
	}
	for (unsigned int i = 0; i < nr; i++)
		live += objects[i] != NULL;
	ck_assert_uint_eq(cache->node0.nr_empty, cache->min_empty);
	ck_assert_uint_gt(move_all(nr, &passes), 0);
	assert_dense(nr, live);
}
END_TEST

static void assert_error(struct kmem_cache *of, void *object, int error)
{
	stderr_capture();
	ck_assert_int_eq(kmem_cache_worth_vacating(of, object), error);
	ck_assert_ptr_null(kmem_cache_move(of, object));
	ck_assert_str_eq(stderr_captured(), "");
}

static void assert_no_block(void *ptr, int error)
{
	stderr_capture();
	ck_assert_int_eq(slabuddy_worth_vacating(ptr), error);
	ck_assert_ptr_null(slabuddy_move(ptr));
	ck_assert_str_eq(stderr_captured(), "");
	ck_assert_int_eq(errno, 0);
}

START_TEST(bad_pointers)
{
	struct kmem_cache *other = kmem_cache_create("other", 64, NULL, SLAB_NO_MERGE);
	char *foreign = kmem_cache_alloc(other, GFP_KERNEL);
	char on_stack[64];
	char *large, *huge, *small;

	cache = make(64, 0);
	fill(4);
	drop(1);
	assert_error(NULL, objects[0], -EINVAL);
	assert_error(cache, NULL, -EINVAL);
	assert_error(cache, on_stack, -EINVAL);
	assert_error(cache, foreign, -EINVAL);
	assert_error(cache, (char *)objects[0] + 16, -EINVAL);
	assert_error(cache, (void *)(UINTPTR_MAX - 63), -EINVAL);
	/* free in a sheaf, and in its slab */
	small = objects[2];
	drop(2);
	assert_error(cache, small, -EINVAL);
	kmem_cache_shrink(cache);
	assert_error(cache, small, -EINVAL);
	ck_assert_int_eq(kmem_cache_worth_vacating(cache, objects[0]), 0);

	assert_no_block(NULL, 0);
	assert_no_block(on_stack, -EINVAL);
	assert_no_block((char *)objects[0] + 16, -EINVAL);
	assert_no_block(small, -EINVAL);
	large = heap_malloc(1 << 20);
	huge = heap_malloc(64 << 20);
	assert_no_block(large, 0);
	assert_no_block(huge, 0);
	assert_no_block(large + PAGE_SIZE, -EINVAL);
	assert_no_block(huge + PAGE_SIZE, -EINVAL);
	heap_free(large);
	heap_free(huge);
	assert_no_block(large, -EINVAL);
	assert_no_block(huge, -EINVAL);
	/* an object of a named cache is a block too */
	ck_assert_int_eq(slabuddy_worth_vacating(objects[0]), 0);
	assert_heap_sound();
}
END_TEST

static void construct(void *object)
{
	memset(object, 7, 64);
}

/* Slabs with one object each, which would be moved in any other cache. */
static void assert_stays(struct kmem_cache *of)
{
	cache = of;
	ck_assert_ptr_nonnull(cache);
	for (unsigned int i = 0; i < 10U * cache->objects; i++)
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (unsigned int i = 0; i < 10U * cache->objects; i++) {
		if (i % cache->objects)
			drop(i);
	}
	kmem_cache_shrink(cache);
	for (unsigned int i = 0; i < 10U * cache->objects; i += cache->objects) {
		assert_error(cache, objects[i], -EOPNOTSUPP);
		assert_no_block(objects[i], -EOPNOTSUPP);
		drop(i);
	}
	kmem_cache_destroy(cache);
	assert_heap_sound();
}

START_TEST(objects_that_must_stay)
{
	assert_stays(kmem_cache_create("constructed", 64, 0, SLAB_NO_MERGE, construct));
	assert_stays(make(64, SLAB_POISON));
	assert_stays(make(64, SLAB_STORE_USER));
	if (slabuddy_has_rcu())
		assert_stays(make(64, SLAB_TYPESAFE_BY_RCU));
}
END_TEST

/* A cache that may be moved, in the same shape: what the test above says is about the cache. */
START_TEST(objects_that_need_not_stay)
{
	unsigned int nr, passes, live = 0;

	cache = make(64, 0);
	nr = fill(10);
	for (unsigned int i = 0; i < nr; i++) {
		if (i % cache->objects)
			drop(i);
		else
			live++;
	}
	kmem_cache_shrink(cache);
	ck_assert_uint_gt(move_all(nr, &passes), 0);
	assert_dense(nr, live);
}
END_TEST

/* Each node by itself: no object leaves its own. */
START_TEST(nodes)
{
	unsigned int nr, live, passes;
	unsigned long on[2] = { 0, 0 }, slabs = 0;

	ck_assert_int_eq(options_parse("numa=fake=2", "test"), 0);
	cache = make(200, 0);
	nr = 100U * cache->objects;
	for (unsigned int i = 0; i < nr; i++) {
		objects[i] = kmem_cache_alloc_node(cache, GFP_KERNEL | __GFP_THISNODE, i % 2);
		ck_assert_ptr_nonnull(objects[i]);
		fill_bytes(objects[i], cache->object_size, i);
	}
	live = free_at_random(nr, 10);
	ck_assert_uint_gt(move_all(nr, &passes), 0);
	for (unsigned int i = 0; i < nr; i++) {
		if (!objects[i])
			continue;
		ck_assert_uint_eq(slab_of(cache, objects[i])->nid, i % 2);
		ck_assert(filled_with(objects[i], cache->object_size, i));
		on[i % 2]++;
	}
	ck_assert_uint_eq(on[0] + on[1], live);
	kmem_cache_shrink(cache);
	slabs = DIV_ROUND_UP(on[0], cache->objects) + DIV_ROUND_UP(on[1], cache->objects);
	ck_assert_uint_eq(nr_slabs(), slabs);
	assert_heap_sound();
}
END_TEST

/* malloc's: the size that can be used, and the alignment, stay. */
START_TEST(blocks_of_malloc)
{
	static const size_t aligns[] = { 16, 64, 256, 4096 };
	static const size_t malloced[] = { 1, 40, 200, 5000 };
	size_t align = aligns[_i], size = malloced[_i], usable;
	uint64_t seed = test_seed();
	unsigned long moved = 0, before;

	for (unsigned int i = 0; i < NR_OBJECTS / 4; i++) {
		objects[i] = heap_aligned(align, size);
		ck_assert_ptr_nonnull(objects[i]);
	}
	usable = heap_usable_size(objects[0]);
	for (unsigned int i = 0; i < NR_OBJECTS / 4; i++) {
		if (random_below(&seed, 10)) {
			heap_free(objects[i]);
			objects[i] = NULL;
		} else {
			fill_bytes(objects[i], usable, i);
		}
	}
	heap_trim();
	do {
		before = moved;
		for (unsigned int i = 0; i < NR_OBJECTS / 4; i++) {
			void *now = objects[i] ? slabuddy_move(objects[i]) : NULL;

			if (!now)
				continue;
			objects[i] = now;
			moved++;
			ck_assert(IS_ALIGNED((uintptr_t)now, align));
			ck_assert_uint_eq(heap_usable_size(now), usable);
		}
	} while (moved > before);
	ck_assert_uint_gt(moved, NR_OBJECTS / 4 / 20);
	for (unsigned int i = 0; i < NR_OBJECTS / 4; i++) {
		if (!objects[i])
			continue;
		ck_assert(filled_with(objects[i], usable, i));
		ck_assert_int_eq(slabuddy_worth_vacating(objects[i]), 0);
	}
	for (unsigned int i = 0; i < NR_OBJECTS / 4; i++)
		heap_free(objects[i]);
	ck_assert_int_eq(errno, 0);
	assert_heap_sound();
}
END_TEST

/* ---- One moves, others allocate and free ---- */

#define NR_OTHERS 3
#define HELD	  2000

static bool finished; /* [atomic] */

static void *come_and_go(void *number)
{
	uint64_t state = (uintptr_t)number;
	void *held[HELD] = { NULL };
	uintptr_t broken = 0;

	while (!__atomic_load_n(&finished, __ATOMIC_RELAXED)) {
		unsigned int i = random_below(&state, HELD);

		if (held[i]) {
			broken += !filled_with(held[i], 100, i);
			kmem_cache_free(cache, held[i]);
			held[i] = NULL;
		} else {
			held[i] = kmem_cache_alloc(cache, GFP_KERNEL);
			fill_bytes(held[i], 100, i);
		}
	}
	for (unsigned int i = 0; i < HELD; i++) {
		broken += held[i] && !filled_with(held[i], 100, i);
		kmem_cache_free(cache, held[i]);
	}
	return (void *)broken;
}

START_TEST(among_threads)
{
	pthread_t threads[NR_OTHERS];
	unsigned int nr, live, passes;
	unsigned long moved = 0;

	cache = make(100, 0);
	/* the others have slots of their own, or share their processor's */
	WRITE_ONCE(options.percpu, _i ? PERCPU_ON : PERCPU_OFF);
	for (uintptr_t i = 0; i < NR_OTHERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, (void *)i), 0);
	for (int round = 0; round < 5; round++) {
		nr = fill(NR_OBJECTS / cache->objects);
		live = free_at_random(nr, 10);
		for (int pass = 0; pass < 3; pass++) {
			for (unsigned int i = 0; i < nr; i++) {
				void *now = objects[i] ? kmem_cache_move(cache, objects[i]) : NULL;

				if (!now)
					continue;
				objects[i] = now;
				moved++;
			}
		}
		assert_heap_sound();
		for (unsigned int i = 0; round < 4 && i < nr; i++) {
			if (!objects[i])
				continue;
			ck_assert(filled_with(objects[i], cache->object_size, i));
			drop(i);
		}
	}
	ck_assert_uint_gt(moved, 0);
	__atomic_store_n(&finished, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < NR_OTHERS; i++) {
		void *broken;

		pthread_join(threads[i], &broken);
		ck_assert_ptr_null(broken);
	}
	/* and when they are gone, there is an end as good as without them */
	kmem_cache_shrink(cache);
	move_all(nr, &passes);
	assert_dense(nr, live);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("slab/vacate");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, after_frees_at_random, 0, ARRAY_SIZE(sizes) * ARRAY_SIZE(ways));
	tcase_add_test(tc, slabs_that_are_all_alike);
	tcase_add_test(tc, nothing_to_gain);
	tcase_add_test(tc, empty_slabs_are_not_filled);
	tcase_add_test(tc, bad_pointers);
	tcase_add_test(tc, objects_that_must_stay);
	tcase_add_test(tc, objects_that_need_not_stay);
	tcase_add_test(tc, nodes);
	tcase_add_loop_test(tc, blocks_of_malloc, 0, 4);
	tcase_add_loop_test(tc, among_threads, 0, 2);
	return test_run(tc);
}
