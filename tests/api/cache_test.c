/* SPDX-License-Identifier: MIT */
/* Caches by the kernel's names, as a program uses them. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabuddy/rcupdate.h>
#include <slabuddy/slab.h>
#include <slabuddy/slabuddy.h>

#include "../testing.h"

static struct kmem_cache *make(const char *name, unsigned int size, slab_flags_t flags)
{
	struct kmem_cache *cache = kmem_cache_create(name, size, NULL, flags | SLAB_NO_MERGE);

	ck_assert_ptr_nonnull(cache);
	return cache;
}

/* The cache ends, so nothing of it was lost. */
static void end(struct kmem_cache *cache)
{
	stderr_capture();
	kmem_cache_destroy(cache);
	ck_assert_str_eq(stderr_captured(), "");
	assert_heap_sound();
}

struct inode {
	unsigned long number;
	char name[90];
};

START_TEST(forms_of_create)
{
	struct kmem_cache_args args = { .align = 64 };
	const struct kmem_cache_args *same = &args;
	struct kmem_cache *caches[] = {
		kmem_cache_create("by_args", 200, &args, SLAB_NO_MERGE),
		kmem_cache_create("by_const_args", 200, same, SLAB_NO_MERGE),
		kmem_cache_create("by_null", 200, NULL, SLAB_NO_MERGE),
		kmem_cache_create("by_align", 200, 128, SLAB_NO_MERGE, NULL),
		KMEM_CACHE(inode, SLAB_NO_MERGE),
		KMEM_CACHE_USERCOPY(inode, SLAB_NO_MERGE, name),
	};
	static const unsigned int sizes[] = { 200, 200, 200, 200, sizeof(struct inode),
					      sizeof(struct inode) };
	static const unsigned int aligns[] = { 64, 64, 8, 128, 8, 8 };

	for (size_t i = 0; i < ARRAY_SIZE(caches); i++) {
		ck_assert_ptr_nonnull(caches[i]);
		ck_assert_uint_eq(kmem_cache_size(caches[i]), sizes[i]);
		for (int n = 0; n < 100; n++) {
			void *object = kmem_cache_alloc(caches[i], GFP_KERNEL);

			ck_assert_ptr_nonnull(object);
			ck_assert_uint_eq((uintptr_t)object % aligns[i], 0);
			memset(object, n, sizes[i]);
			if (n & 1)
				kmem_cache_free(caches[i], object);
			else
				kfree(object);
		}
		end(caches[i]);
	}
}
END_TEST

START_TEST(names_and_sizes_of_nothing)
{
	struct kmem_cache *cache = make("named", 33, 0);

	ck_assert_str_eq(kmem_cache_name(cache), "named");
	ck_assert_uint_eq(kmem_cache_size(NULL), 0);
	ck_assert_ptr_null(kmem_cache_name(NULL));
	ck_assert_int_eq(kmem_cache_shrink(NULL), 0);
	kmem_cache_destroy(NULL);
	kmem_cache_free(cache, NULL);
	kmem_cache_free_bulk(cache, 0, NULL);
	ck_assert_int_eq(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 0, NULL), 0);
	end(cache);
}
END_TEST

START_TEST(hardware_cache_lines)
{
	static const unsigned int sizes[] = { 8, 16, 20, 32, 40, 64, 100, 3000 };
	static const unsigned int aligns[] = { 8, 16, 32, 32, 64, 64, 64, 64 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct kmem_cache *cache = make("lines", sizes[i], SLAB_HWCACHE_ALIGN);
		void *objects[100];

		ck_assert_int_eq(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 100, objects), 100);
		for (int n = 0; n < 100; n++)
			ck_assert_uint_eq((uintptr_t)objects[n] % aligns[i], 0);
		kmem_cache_free_bulk(cache, 100, objects);
		end(cache);
	}
}
END_TEST

static const unsigned int object_sizes[] = { 1,	   8,	 16,   24,    100,   1000,
					     4096, 9000, 40000, 70000, 300000 };

START_TEST(zeroed_objects)
{
	struct kmem_cache *cache = make("zeroed", object_sizes[_i], 0);
	unsigned int size = object_sizes[_i];

	for (int n = 0; n < 50; n++) {
		char *dirty = kmem_cache_alloc(cache, GFP_KERNEL);
		char *zero;

		memset(dirty, 0xee, size);
		kmem_cache_free(cache, dirty);
		zero = n & 1 ? kmem_cache_zalloc(cache, GFP_KERNEL) :
			       kmem_cache_alloc_node(cache, GFP_KERNEL | __GFP_ZERO, 0);
		ck_assert(all_zero(zero, size));
		memset(zero, 0xdd, size);
		kmem_cache_free(cache, zero);
	}
	end(cache);
}
END_TEST

static const size_t bulk_sizes[] = { 1, 2, 31, 32, 33, 1000, 1021, 5000 };

START_TEST(bulk)
{
	unsigned int size = 48;
	struct kmem_cache *cache = make("bulk", size, 0);
	size_t nr = bulk_sizes[_i];
	void **objects = calloc(nr, sizeof(*objects));

	for (int round = 0; round < 5; round++) {
		gfp_t zero = round & 1 ? __GFP_ZERO : 0;

		ck_assert_int_eq(kmem_cache_alloc_bulk(cache, GFP_KERNEL | zero, nr, objects),
				 (int)nr);
		for (size_t n = 0; n < nr; n++) {
			ck_assert(!zero || all_zero(objects[n], size));
			fill_bytes(objects[n], size, n);
		}
		for (size_t n = 0; n < nr; n++)
			ck_assert(filled_with(objects[n], size, n));
		kmem_cache_free_bulk(round & 2 ? NULL : cache, nr, objects);
	}
	free(objects);
	end(cache);
}
END_TEST

/* What a free list of several caches looks like. */
START_TEST(bulk_of_several_caches)
{
	struct kmem_cache *first = make("first", 100, 0);
	struct kmem_cache *second = make("second", 700, 0);
	void *objects[] = { kmem_cache_alloc(first, GFP_KERNEL), kmalloc(50, GFP_KERNEL),
			    kmem_cache_alloc(second, GFP_KERNEL), kmalloc(100000, GFP_KERNEL),
			    kmalloc(0, GFP_KERNEL), NULL };

	kfree_bulk(ARRAY_SIZE(objects), objects);
	end(first);
	end(second);
}
END_TEST

/* NULL is nothing, also as the first of several. */
START_TEST(bulk_with_nulls)
{
	struct kmem_cache *cache = make("nulls", 64, SLAB_NO_MERGE);
	void *objects[40], *nothing[] = { NULL, NULL };

	/* with main sheaves that are empty, full and in between */
	for (size_t n = 1; n < ARRAY_SIZE(objects); n++) {
		ck_assert_int_eq(kmem_cache_alloc_bulk(cache, GFP_KERNEL, n, objects), (int)n);
		kmem_cache_free_bulk(cache, ARRAY_SIZE(nothing), nothing);
		kmem_cache_free_bulk(cache, n, objects);
		kmem_cache_free_bulk(cache, ARRAY_SIZE(nothing), nothing);
	}
	end(cache);
}
END_TEST

#define CTOR_STATE 0x1234567890abcdefu

struct constructed {
	uint64_t state[3];
};

static unsigned int constructions;

static void construct(void *object)
{
	struct constructed *c = object;

	for (size_t i = 0; i < ARRAY_SIZE(c->state); i++)
		c->state[i] = CTOR_STATE + i;
	constructions++;
}

static bool is_constructed(const struct constructed *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->state); i++) {
		if (c->state[i] != CTOR_STATE + i)
			return false;
	}
	return true;
}

/* Each object once, and nothing of the allocator's ever touches what the constructor left. */
START_TEST(constructor)
{
	struct kmem_cache *cache =
		kmem_cache_create("constructed", sizeof(struct constructed), 0, 0, construct);
	static void *objects[3000];
	unsigned int made;

	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
			objects[i] = i & 1 ? kmem_cache_alloc(cache, GFP_KERNEL) :
					     kmem_cache_alloc_node(cache, GFP_KERNEL, 0);
			ck_assert(is_constructed(objects[i]));
		}
		made = constructions;
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
			kmem_cache_free(cache, objects[i]);
		/* while they are free too */
		for (size_t i = 0; round & 1 && i < 10; i++)
			ck_assert(is_constructed(objects[ARRAY_SIZE(objects) - 1 - i]));
	}
	ck_assert_uint_ge(made, ARRAY_SIZE(objects));
	ck_assert_int_eq(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 3000, objects), 3000);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		ck_assert(is_constructed(objects[i]));
	kmem_cache_free_bulk(cache, 3000, objects);
	end(cache);
}
END_TEST

static struct kmem_cache *inner;

static void construct_with_memory(void *object)
{
	void **holder = object;

	*holder = kmem_cache_alloc(inner, GFP_KERNEL);
}

/* A constructor is the program's code: it may allocate. */
START_TEST(constructor_that_allocates)
{
	struct kmem_cache *cache = kmem_cache_create("outer", 64, 0, 0, construct_with_memory);
	void **object;

	inner = make("inner", 32, 0);
	object = kmem_cache_alloc(cache, GFP_KERNEL);
	ck_assert_ptr_nonnull(*object);
	memset(*object, 1, 32);
	kmem_cache_free(cache, object);
	end(cache);
}
END_TEST

static unsigned long faults_seen;

static void construct_and_check(maybe_unused void *object)
{
	faults_seen += slabuddy_validate();
}

/* A slab whose objects are being constructed is none yet, for whoever looks at the heap meanwhile. */
START_TEST(constructor_beside_an_audit)
{
	struct kmem_cache *cache =
		kmem_cache_create("audited", 2000, 0, 0, construct_and_check);

	kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
	ck_assert_uint_eq(faults_seen, 0);
	end(cache);
}
END_TEST

START_TEST(zeroing_constructed_objects)
{
	struct kmem_cache *cache =
		kmem_cache_create("constructed", sizeof(struct constructed), 0, 0, construct);
	void *object;

	stderr_capture();
	object = kmem_cache_zalloc(cache, GFP_KERNEL);
	kmem_cache_free(cache, object);
	object = kmem_cache_zalloc(cache, GFP_KERNEL);
	ck_assert_str_eq(stderr_captured(),
			 "slabuddy: __GFP_ZERO is not for caches with a constructor (cache "
			 "constructed)\n");
	ck_assert(is_constructed(object));
	kmem_cache_free(cache, object);
	end(cache);
}
END_TEST

/* The word that the owner lends, and no other, may change while an object is free. */
START_TEST(lent_word)
{
	struct kmem_cache_args args = {
		.ctor = construct,
		.use_freeptr_offset = true,
		.freeptr_offset = 2 * sizeof(uint64_t),
	};
	struct kmem_cache *cache =
		kmem_cache_create("lent", sizeof(struct constructed), &args, 0);
	struct constructed *a = kmem_cache_alloc(cache, GFP_KERNEL);
	struct constructed *b = kmem_cache_alloc(cache, GFP_KERNEL);

	/* no word more than the object has */
	ck_assert_uint_eq((size_t)((char *)b - (char *)a), sizeof(struct constructed));
	kmem_cache_free(cache, a);
	ck_assert(a->state[0] == CTOR_STATE && a->state[1] == CTOR_STATE + 1);
	ck_assert(a->state[2] != CTOR_STATE + 2);
	kmem_cache_free(cache, b);
	end(cache);
}
END_TEST

static const unsigned int sheaf_sizes[] = { 0, 1, 7, 500, 5000 };

START_TEST(prefilled_sheaf)
{
	struct kmem_cache *cache = make("prefilled", 100, 0);
	unsigned int nr = sheaf_sizes[_i];
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(cache, GFP_KERNEL, nr);
	void **objects = calloc(nr + 1, sizeof(*objects));

	ck_assert_uint_eq(kmem_cache_sheaf_size(sheaf), nr);
	for (unsigned int i = 0; i < nr; i++) {
		gfp_t zero = i & 1 ? __GFP_ZERO : 0;

		objects[i] = kmem_cache_alloc_from_sheaf(cache, GFP_NOWAIT | zero, sheaf);
		ck_assert_ptr_nonnull(objects[i]);
		ck_assert(!zero || all_zero(objects[i], 100));
		fill_bytes(objects[i], 100, i);
	}
	ck_assert_ptr_null(kmem_cache_alloc_from_sheaf(cache, GFP_KERNEL, sheaf));
	for (unsigned int i = 0; i < nr; i++)
		ck_assert(filled_with(objects[i], 100, i));

	/* again, with room for more than before */
	ck_assert_int_eq(kmem_cache_refill_sheaf(cache, GFP_KERNEL, &sheaf, nr + 10), 0);
	ck_assert_uint_eq(kmem_cache_sheaf_size(sheaf), nr + 10);
	ck_assert_int_eq(kmem_cache_refill_sheaf(cache, GFP_KERNEL, &sheaf, 3), 0);
	ck_assert_uint_eq(kmem_cache_sheaf_size(sheaf), nr + 10);
	kmem_cache_free_bulk(cache, nr, objects);
	kmem_cache_return_sheaf(cache, GFP_KERNEL, sheaf);
	kmem_cache_return_sheaf(cache, GFP_KERNEL, NULL);
	free(objects);
	end(cache);
}
END_TEST

START_TEST(sheaves_of_nothing)
{
	struct kmem_cache *cache = make("prefilled", 100, 0);
	struct slab_sheaf *none = NULL;

	ck_assert_ptr_null(kmem_cache_prefill_sheaf(cache, GFP_KERNEL, KMEM_SHEAF_MAX + 1));
	ck_assert_ptr_null(kmem_cache_alloc_from_sheaf(cache, GFP_KERNEL, NULL));
	ck_assert_int_eq(kmem_cache_refill_sheaf(cache, GFP_KERNEL, &none, 1), -EINVAL);
	ck_assert_int_eq(kmem_cache_refill_sheaf(cache, GFP_KERNEL, NULL, 1), -EINVAL);
	ck_assert_uint_eq(kmem_cache_sheaf_size(NULL), 0);
	end(cache);
}
END_TEST

/* The kernel's rule as a table: who shares slabs with a plain cache of 100 bytes. */
static const struct merge_case {
	unsigned int size;
	struct kmem_cache_args args;
	slab_flags_t flags;
	bool merged;
} merge_cases[] = {
	{ 100, { .align = 0 }, 0, true },
	{ 97, { .align = 0 }, 0, true }, /* both are 104 in memory */
	{ 104, { .align = 0 }, 0, true },
	{ 96, { .align = 0 }, 0, false }, /* a word less */
	{ 105, { .align = 0 }, 0, false }, /* does not fit */
	{ 100, { .align = 8 }, 0, true },
	{ 100, { .align = 16 }, 0, false }, /* 104 is no multiple of it */
	{ 100, { .align = 0 }, SLAB_PANIC, true },
	{ 100, { .align = 0 }, SLAB_NO_USER_FLAGS, true },
	{ 100, { .align = 0 }, SLAB_NO_MERGE, false },
	{ 100, { .align = 0 }, SLAB_RECLAIM_ACCOUNT, false },
	{ 100, { .align = 0 }, SLAB_ACCOUNT, false },
	{ 100, { .align = 0 }, SLAB_HWCACHE_ALIGN, false },
	{ 100, { .ctor = construct }, 0, false },
	{ 100, { .usersize = 8 }, 0, false },
	{ 100, { .sheaf_capacity = 32 }, 0, false },
};

START_TEST(merging)
{
	const struct merge_case *c = &merge_cases[_i];
	struct kmem_cache *plain = kmem_cache_create("plain", 100, NULL, 0);
	struct kmem_cache *other = kmem_cache_create("other", c->size, &c->args, c->flags);

	ck_assert_ptr_nonnull(other);
	ck_assert_msg((other == plain) == c->merged, "size %u flags %x", c->size, c->flags);
	ck_assert_uint_ge(kmem_cache_size(other), c->size);
	end(other);
	/* if it was another name of it, it is still there */
	kmem_cache_free(plain, kmem_cache_alloc(plain, GFP_KERNEL));
	end(plain);
}
END_TEST

START_TEST(no_merging)
{
	struct kmem_cache *plain = kmem_cache_create("plain", 100, NULL, 0);
	struct kmem_cache *other;

	ck_assert_int_eq(slabuddy_option("slab_nomerge"), 0);
	other = kmem_cache_create("other", 100, NULL, 0);
	ck_assert_ptr_ne(plain, other);
	ck_assert_int_eq(slabuddy_option("slab_merge"), 0);
	end(other);
	end(plain);
}
END_TEST

static const struct refusal {
	const char *name;
	unsigned int size;
	struct kmem_cache_args args;
	slab_flags_t flags;
	const char *why;
} refusals[] = {
	{ NULL, 8, { .align = 0 }, 0, "NULL): no name" },
	{ "", 8, { .align = 0 }, 0,
	  "): the name must have 1 to 31 printable characters and no blank" },
	{ "two words", 8, { .align = 0 }, 0,
	  "two words): the name must have 1 to 31 printable characters and no blank" },
	{ "a-name-of-32-letters-is-too-long", 8, { .align = 0 }, 0,
	  "a-name-of-32-letters-is-too-long): the name must have 1 to 31 printable characters "
	  "and no blank" },
	{ "x", 0, { .align = 0 }, 0, "x): the object size is 0 or over KMALLOC_MAX_SIZE" },
	{ "x", KMALLOC_MAX_SIZE + 1, { .align = 0 }, 0,
	  "x): the object size is 0 or over KMALLOC_MAX_SIZE" },
	{ "x", 8, { .align = 24 }, 0, "x): the alignment is no power of two, or over PAGE_SIZE" },
	{ "x", 8, { .align = 8192 }, 0, "x): the alignment is no power of two, or over PAGE_SIZE" },
	{ "x", 8, { .align = 0 }, 0x80000000, "x): unknown flags" },
	{ "x", 8, { .align = 0 }, SLAB_CACHE_DMA | SLAB_CACHE_DMA32,
	  "x): SLAB_CACHE_DMA and SLAB_CACHE_DMA32 exclude one another" },
	{ "x", 8, { .useroffset = 4, .usersize = 5 }, 0,
	  "x): useroffset and usersize reach beyond the object" },
	{ "x", 8, { .useroffset = 4, .usersize = 0xfffffffe }, 0,
	  "x): useroffset and usersize reach beyond the object" },
	{ "x", 16, { .use_freeptr_offset = true }, 0,
	  "x): freeptr_offset is for caches with a constructor or SLAB_TYPESAFE_BY_RCU" },
	{ "x", 16, { .use_freeptr_offset = true, .freeptr_offset = 4, .ctor = construct }, 0,
	  "x): freeptr_offset is no multiple of 8 within the object" },
	{ "x", 16, { .use_freeptr_offset = true, .freeptr_offset = 16, .ctor = construct }, 0,
	  "x): freeptr_offset is no multiple of 8 within the object" },
};

START_TEST(refused)
{
	const struct refusal *r = &refusals[_i];
	char line[200];

	snprintf(line, sizeof(line), "slabuddy: kmem_cache_create(%s\n", r->why);
	stderr_capture();
	ck_assert_ptr_null(kmem_cache_create(r->name, r->size, &r->args, r->flags));
	ck_assert_str_eq(stderr_captured(), line);
	assert_heap_sound();
}
END_TEST

START_TEST(a_name_that_is_taken)
{
	struct kmem_cache *a = make("taken", 100, 0);
	struct kmem_cache *b;

	stderr_capture();
	b = kmem_cache_create("taken", 2000, NULL, 0);
	ck_assert_str_eq(stderr_captured(),
			 "slabuddy: kmem_cache_create(taken): another cache has this name\n");
	ck_assert_ptr_nonnull(b);
	end(a);
	end(b);
}
END_TEST

START_TEST(null_cache)
{
	void *objects[3];

	stderr_capture();
	ck_assert_ptr_null(kmem_cache_alloc(NULL, GFP_KERNEL));
	ck_assert_ptr_null(kmem_cache_alloc(NULL, GFP_KERNEL));
	ck_assert_ptr_null(kmem_cache_alloc_node(NULL, GFP_KERNEL, 0));
	ck_assert_int_eq(kmem_cache_alloc_bulk(NULL, GFP_KERNEL, 3, objects), 0);
	ck_assert_ptr_null(kmem_cache_prefill_sheaf(NULL, GFP_KERNEL, 3));
	ck_assert_str_eq(stderr_captured(), "slabuddy: an allocation from the cache NULL\n"
					    "slabuddy: a sheaf of the cache NULL\n");
}
END_TEST

/* The lines that a leak costs; the cache goes on, and ends when the objects are gone. */
START_TEST(objects_left)
{
	struct kmem_cache *cache = make("leaky", 512, 0);
	void *objects[20];
	char expected[600];
	int len;

	ck_assert_int_eq(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 20, objects), 20);
	for (int i = 0; i < 20; i++) {
		if (i != 3 && i != 4)
			kmem_cache_free(cache, objects[i]);
	}
	len = snprintf(expected, sizeof(expected),
		       "slabuddy: BUG leaky: Objects remaining on __kmem_cache_shutdown()\n");
	for (int i = 0; i < 2; i++) {
		uintptr_t object = (uintptr_t)MIN(objects[3], objects[4]) + (i ? 512 : 0);

		if (!i)
			len += snprintf(expected + len, sizeof(expected) - (size_t)len,
					"slabuddy: Slab %p objects=%u used=2\n",
					(void *)(object & ~0x1fffUL), 16);
		len += snprintf(expected + len, sizeof(expected) - (size_t)len,
				"slabuddy: Object %p @offset=%u\n", (void *)object,
				(unsigned int)(object & 0x1fff));
	}
	snprintf(expected + len, sizeof(expected) - (size_t)len,
		 "slabuddy: kmem_cache_destroy(leaky): 2 objects are left, so the cache stays\n");
	stderr_capture();
	kmem_cache_destroy(cache);
	ck_assert_str_eq(stderr_captured(), expected);

	kmem_cache_free(cache, objects[3]);
	kmem_cache_free(cache, objects[4]);
	kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
	end(cache);
}
END_TEST

START_TEST(destroyed_twice)
{
	struct kmem_cache *cache = make("twice", 64, 0);
	char line[100];

	end(cache);
	snprintf(line, sizeof(line),
		 "slabuddy: kmem_cache_destroy(%p): no cache, or destroyed already\n",
		 (void *)cache);
	stderr_capture();
	kmem_cache_destroy(cache);
	ck_assert_str_eq(stderr_captured(), line);
}
END_TEST

/* More caches than slots have room for at first, used by several threads, and all of them ended. */
#define MANY 3000

static struct kmem_cache *many[MANY];

static void *use_many(void *seed)
{
	uint64_t state = (uintptr_t)seed;
	static _Thread_local void *objects[MANY];

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < MANY; i++) {
			objects[i] = kmem_cache_alloc(many[i], GFP_KERNEL);
			fill_bytes(objects[i], 16 + i % 500, (uintptr_t)objects[i]);
		}
		for (size_t n = 0; n < MANY; n++) {
			size_t i = random_below(&state, MANY);

			if (!objects[i])
				continue;
			if (!filled_with(objects[i], 16 + i % 500, (uintptr_t)objects[i]))
				return (void *)(uintptr_t)"an object was overwritten";
			kmem_cache_free(many[i], objects[i]);
			objects[i] = NULL;
		}
		for (size_t i = 0; i < MANY; i++)
			kmem_cache_free(many[i], objects[i]);
	}
	return NULL;
}

START_TEST(thousands_of_caches)
{
	uint64_t seed = test_seed();
	pthread_t threads[4];

	for (size_t i = 0; i < MANY; i++) {
		char name[KMEM_CACHE_NAME_MAX + 1];

		snprintf(name, sizeof(name), "cache-%zu", i);
		many[i] = make(name, (unsigned int)(16 + i % 500), 0);
	}
	for (size_t t = 0; t < ARRAY_SIZE(threads); t++)
		ck_assert_int_eq(pthread_create(&threads[t], NULL, use_many,
						(void *)(uintptr_t)(seed + t)),
				 0);
	for (size_t t = 0; t < ARRAY_SIZE(threads); t++) {
		void *complaint;

		pthread_join(threads[t], &complaint);
		ck_assert_msg(!complaint, "%s", (char *)complaint);
	}
	assert_heap_sound();
	stderr_capture();
	for (size_t i = 0; i < MANY; i++)
		kmem_cache_destroy(many[i]);
	ck_assert_str_eq(stderr_captured(), "");
	assert_heap_sound();
}
END_TEST

/* One thread allocates, another frees; a third makes and ends caches meanwhile. */
static void *volatile handed[64];
static bool stop;

static void *free_handed(void *cache)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		for (size_t i = 0; i < ARRAY_SIZE(handed); i++)
			kmem_cache_free(cache, __atomic_exchange_n(&handed[i], NULL, __ATOMIC_ACQ_REL));
	}
	return NULL;
}

static void *make_and_end(maybe_unused void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		struct kmem_cache *cache =
			kmem_cache_create("short-lived", 64, NULL, SLAB_NO_MERGE);
		void *objects[100];

		if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, 100, objects) != 100)
			return (void *)(uintptr_t)"no memory";
		kmem_cache_free_bulk(cache, 100, objects);
		kmem_cache_shrink(cache);
		kmem_cache_destroy(cache);
	}
	return NULL;
}

START_TEST(hand_over)
{
	struct kmem_cache *cache = make("handed", 128, 0);
	pthread_t threads[2];

	ck_assert_int_eq(pthread_create(&threads[0], NULL, free_handed, cache), 0);
	ck_assert_int_eq(pthread_create(&threads[1], NULL, make_and_end, NULL), 0);
	for (unsigned int n = 0; n < 200000; n++) {
		void *object = kmem_cache_alloc(cache, GFP_KERNEL);

		memset(object, 1, 128);
		object = __atomic_exchange_n(&handed[n % ARRAY_SIZE(handed)], object,
					     __ATOMIC_ACQ_REL);
		kmem_cache_free(cache, object);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (size_t t = 0; t < ARRAY_SIZE(threads); t++) {
		void *complaint;

		pthread_join(threads[t], &complaint);
		ck_assert_msg(!complaint, "%s", (char *)complaint);
	}
	free_handed(cache);
	for (size_t i = 0; i < ARRAY_SIZE(handed); i++)
		kmem_cache_free(cache, handed[i]);
	end(cache);
}
END_TEST

/* A child of fork() has all caches, and what its parent's threads had. */
START_TEST(fork_child)
{
	struct kmem_cache *cache = make("forked", 96, 0);
	void *objects[500];
	int status;
	pid_t child;

	ck_assert_int_eq(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 500, objects), 500);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (!child) {
		kmem_cache_free_bulk(cache, 500, objects);
		kmem_cache_destroy(cache);
		cache = kmem_cache_create("of-the-child", 64, NULL, 0);
		kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
		kmem_cache_destroy(cache);
		_exit(slabuddy_validate() ? 1 : 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	kmem_cache_free_bulk(cache, 500, objects);
	end(cache);
}
END_TEST

START_TEST(shrink_gives_back)
{
	struct kmem_cache *cache = make("shrunk", 1000, 0);
	static void *objects[2000];

	ck_assert_int_eq(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 2000, objects), 2000);
	kmem_cache_free_bulk(cache, 2000, objects);
	ck_assert_int_eq(kmem_cache_shrink(cache), 0);
	assert_heap_sound();
	end(cache);
}
END_TEST

START_TEST(asked_sheaf_capacity)
{
	struct kmem_cache_args args = { .sheaf_capacity = 5 };
	struct kmem_cache *cache = kmem_cache_create("capacity", 64, &args, 0);
	void *objects[100];

	ck_assert_ptr_nonnull(cache);
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < 100; i++)
			objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		for (size_t i = 0; i < 100; i++)
			kmem_cache_free(cache, objects[i]);
	}
	end(cache);
}
END_TEST

/* Objects of the node that is named, also for threads that have no slot yet. */
static void *take_on_nodes(void *cache)
{
	void *objects[64];

	for (int i = 0; i < 64; i++) {
		objects[i] = kmem_cache_alloc_node(cache, GFP_KERNEL | __GFP_THISNODE, i % 4);
		if (!objects[i] || page_to_nid(virt_to_page(objects[i])) != i % 4)
			return (void *)(uintptr_t)"an object of another node";
	}
	/* so that sheaves here hold objects of all nodes */
	for (int i = 0; i < 64; i++)
		kmem_cache_free(cache, objects[i]);
	for (int i = 0; i < 64; i++) {
		objects[i] = kmem_cache_alloc_node(cache, GFP_KERNEL | __GFP_THISNODE, i % 4);
		if (!objects[i] || page_to_nid(virt_to_page(objects[i])) != i % 4)
			return (void *)(uintptr_t)"an object of another node, the second time";
	}
	for (int i = 0; i < 64; i++)
		kmem_cache_free(cache, objects[i]);
	return NULL;
}

START_TEST(nodes)
{
	struct kmem_cache *cache;
	pthread_t threads[4];

	ck_assert_int_eq(slabuddy_option("numa=fake=4"), 0);
	cache = make("on-nodes", 100, 0);
	for (size_t t = 0; t < ARRAY_SIZE(threads); t++) {
		void *complaint;

		ck_assert_int_eq(pthread_create(&threads[t], NULL, take_on_nodes, cache), 0);
		pthread_join(threads[t], &complaint);
		ck_assert_msg(!complaint, "%s", (char *)complaint);
	}
	end(cache);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("api/cache");

	tcase_add_test(tc, forms_of_create);
	tcase_add_test(tc, names_and_sizes_of_nothing);
	tcase_add_test(tc, hardware_cache_lines);
	tcase_add_loop_test(tc, zeroed_objects, 0, ARRAY_SIZE(object_sizes));
	tcase_add_loop_test(tc, bulk, 0, ARRAY_SIZE(bulk_sizes));
	tcase_add_test(tc, bulk_of_several_caches);
	tcase_add_test(tc, bulk_with_nulls);
	tcase_add_test(tc, constructor);
	tcase_add_test(tc, constructor_that_allocates);
	tcase_add_test(tc, constructor_beside_an_audit);
	tcase_add_test(tc, zeroing_constructed_objects);
	tcase_add_test(tc, lent_word);
	tcase_add_loop_test(tc, prefilled_sheaf, 0, ARRAY_SIZE(sheaf_sizes));
	tcase_add_test(tc, sheaves_of_nothing);
	tcase_add_loop_test(tc, merging, 0, ARRAY_SIZE(merge_cases));
	tcase_add_test(tc, no_merging);
	tcase_add_loop_test(tc, refused, 0, ARRAY_SIZE(refusals));
	tcase_add_test(tc, a_name_that_is_taken);
	tcase_add_test(tc, null_cache);
	tcase_add_test(tc, objects_left);
	tcase_add_test(tc, destroyed_twice);
	tcase_add_test(tc, thousands_of_caches);
	tcase_add_test(tc, hand_over);
	tcase_add_test(tc, fork_child);
	tcase_add_test(tc, shrink_gives_back);
	tcase_add_test(tc, asked_sheaf_capacity);
	tcase_add_test(tc, nodes);
	return test_run(tc);
}
