/* SPDX-License-Identifier: MIT */
/* Watched caches: how objects lie, what is found, what is said, and what happens to the slab. */
#include "slab/debug.h"

#include <fnmatch.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <slabuddy/slab.h>

#include "../testing.h"
#include "base/option.h"
#include "malloc/heap.h"
#include "slab/rcu.h"
#include "slab/slab.h"

#define FZP  (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON)
#define FZPU (FZP | SLAB_STORE_USER)

static bool tables_fail;

void *__real_meta_alloc(size_t bytes);
void *__wrap_meta_alloc(size_t bytes);
void *__wrap_meta_alloc(size_t bytes)
{
	return tables_fail ? NULL : __real_meta_alloc(bytes);
}

static struct kmem_cache *make(const char *name, unsigned int size, slab_flags_t flags)
{
	struct kmem_cache *cache = kmem_cache_create(name, size, NULL, flags);

	ck_assert_ptr_nonnull(cache);
	return cache;
}

static void end(struct kmem_cache *cache)
{
	stderr_capture();
	kmem_cache_destroy(cache);
	ck_assert_str_eq(stderr_captured(), "");
	assert_heap_sound();
}

/* stderr since stderr_capture() is @pattern, in which "*" stands for anything. */
static void expect_said(const char *pattern)
{
	const char *text = stderr_captured();

	ck_assert_msg(!fnmatch(pattern, text, FNM_NOESCAPE), "it said\n%sand not\n%s", text, pattern);
}

#define BAR "=============================================================================\n"
#define THIN_BAR                                                                              \
	"-----------------------------------------------------------------------------\n"     \
	"\n"

/* Every combination of the flags that lie around objects, sizes with and without room behind, alignments. */
START_TEST(objects_and_their_surroundings)
{
	static const slab_flags_t flags[] = {
		SLAB_CONSISTENCY_CHECKS, SLAB_RED_ZONE, SLAB_POISON, SLAB_STORE_USER, SLAB_TRACE,
		SLAB_FAILSLAB, SLAB_RED_ZONE | SLAB_POISON, FZP, FZPU,
	};
	static const unsigned int sizes[] = { 1, 7, 8, 9, 16, 31, 64, 100, 200, 4096, 5000, 70000 };
	static const unsigned int aligns[] = { 0, 8, 16, 64, 4096 };
	slab_flags_t flag = flags[_i];

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (size_t a = 0; a < ARRAY_SIZE(aligns); a++) {
			struct kmem_cache_args args = { .align = aligns[a] };
			struct kmem_cache *cache =
				kmem_cache_create("around", sizes[s], &args, flag);
			unsigned char *objects[40];

			stderr_capture();
			ck_assert_ptr_nonnull(cache->debug);
			for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
				objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
				ck_assert_ptr_nonnull(objects[i]);
				ck_assert_uint_eq((uintptr_t)objects[i] % MAX(aligns[a], 8), 0);
				fill_bytes(objects[i], sizes[s], i);
			}
			ck_assert_uint_eq(kmem_cache_validate(cache), 0);
			for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
				ck_assert(filled_with(objects[i], sizes[s], i));
				kmem_cache_free(cache, objects[i]);
			}
			ck_assert_uint_eq(kmem_cache_validate(cache), 0);
			if (flag & SLAB_TRACE)
				ck_assert_uint_eq(count_char(stderr_captured(), '\n'), 80);
			else
				ck_assert_str_eq(stderr_captured(), "");
			end(cache);
		}
	}
}
END_TEST

START_TEST(bytes_around_an_object)
{
	struct kmem_cache *cache = make("around", 13, FZP);
	unsigned char *p = kmem_cache_alloc(cache, GFP_KERNEL);

	/* 13 bytes, red to the end of the word, a word for the mark, and another left zone */
	ck_assert_uint_eq(p[-8], RED_ACTIVE);
	ck_assert_uint_eq(p[-1], RED_ACTIVE);
	ck_assert_uint_eq(p[0], POISON_FREE);
	ck_assert_uint_eq(p[11], POISON_FREE);
	ck_assert_uint_eq(p[12], POISON_END);
	ck_assert_uint_eq(p[13], RED_ACTIVE);
	ck_assert_uint_eq(p[15], RED_ACTIVE);
	memset(p, 0, 13);
	kmem_cache_free(cache, p);
	ck_assert_uint_eq(p[-8], RED_INACTIVE);
	ck_assert_uint_eq(p[0], POISON_FREE);
	ck_assert_uint_eq(p[12], POISON_END);
	ck_assert_uint_eq(p[13], RED_INACTIVE);
	end(cache);
}
END_TEST

static bool is_watched(const char *name, unsigned int size, slab_flags_t flags, slab_flags_t as)
{
	struct kmem_cache *cache = make(name, size, flags);
	bool watched = cache->debug;

	ck_assert_uint_eq(cache->flags & ~flags, as);
	ck_assert_uint_eq(watched, ((flags | as) & 0x3f) != 0);
	ck_assert_uint_eq(cache->sheaf_min == 0, watched);
	end(cache);
	return watched;
}

START_TEST(caches_by_name)
{
	ck_assert_int_eq(options_parse("slab_debug=FZ,den*;P,inode;-,quiet;U", "test"), 0);
	ck_assert(is_watched("dentry", 64, 0, SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE));
	ck_assert(is_watched("inode", 64, SLAB_RED_ZONE, SLAB_POISON));
	ck_assert(is_watched("others", 64, 0, SLAB_STORE_USER));
	ck_assert(!is_watched("quiet", 64, 0, 0));
	ck_assert(is_watched("quiet", 64, SLAB_POISON, 0));
	ck_assert(!is_watched("dentry", 64, SLAB_NO_USER_FLAGS, 0));
}
END_TEST

START_TEST(watched_caches_are_not_merged)
{
	struct kmem_cache *one = make("one", 64, SLAB_RED_ZONE);
	struct kmem_cache *same = make("same", 64, SLAB_RED_ZONE);
	struct kmem_cache *plain = make("plain", 64, 0);

	ck_assert_ptr_ne(one, same);
	ck_assert_ptr_ne(one, plain);
	end(one);
	end(same);
	end(plain);
}
END_TEST

/* O: what would need larger slabs for the bytes around is watched without them. */
START_TEST(no_higher_order)
{
	ck_assert_int_eq(options_parse("slab_debug=FZPUO", "test"), 0);
	ck_assert(is_watched("page", 4096, 0, SLAB_CONSISTENCY_CHECKS | SLAB_STORE_USER));
	ck_assert(is_watched("small", 100, 0, FZPU));
	ck_assert_int_eq(options_parse("slab_debug=ZPO", "test"), 0);
	ck_assert(!is_watched("page", 4096, 0, 0));
	/* it is not the bytes around it that make the order */
	ck_assert(is_watched("five-pages", 5 * 4096, SLAB_NO_USER_FLAGS, 0) == false);
	ck_assert_int_eq(options_parse("slab_debug=FZP", "test"), 0);
	ck_assert(is_watched("page", 4096, 0, FZP));
	/* nothing is larger than this, so nothing can lie around it */
	ck_assert(is_watched("largest", KMALLOC_MAX_SIZE, 0, SLAB_CONSISTENCY_CHECKS));
}
END_TEST

START_TEST(overflow_is_reported_when_it_is_freed)
{
	struct kmem_cache *cache = make("over", 24, FZPU);
	unsigned char *p = kmem_cache_alloc(cache, GFP_KERNEL);
	unsigned char *q = kmem_cache_alloc(cache, GFP_KERNEL);

	memset(p, 'o', 25);
	stderr_capture();
	kmem_cache_free(cache, p);
	expect_said(BAR "BUG over (Not tainted): Right Redzone overwritten\n" THIN_BAR
			"0x*0-0x*0 @offset=32. First byte 0x6f instead of 0xcc\n"
			"Allocated in * age=* cpu=* pid=*\n *\n"
			"Slab 0x*000 objects=85 used=2 fp=0x* flags=0xf\n"
			"Object 0x*008 @offset=8 fp=0x*\n"
			"\n"
			"Redzone  *: cc cc cc cc cc cc cc cc                          ........\n"
			"Object   *: 6f 6f 6f 6f 6f 6f 6f 6f 6f 6f 6f 6f 6f 6f 6f 6f  oooooooooooooooo\n"
			"Object   *: 6f 6f 6f 6f 6f 6f 6f 6f                          oooooooo\n"
			"Redzone  *: 6f cc cc cc cc cc cc cc                          o.......\n"
			"CPU: * PID: *\n"
			"Call Trace:\n *\n"
			"FIX over: Restoring Right Redzone 0x*0-0x*7=0xcc\n"
			"\n"
			"FIX over: Object at 0x*8 not freed\n"
			"\n");
	/* it stays in use for good, with its slab, and everything else goes on */
	ck_assert(slab_object_in_use(cache, p));
	ck_assert_uint_eq(kmem_cache_validate(cache), 0);
	kmem_cache_free(cache, q);
	ck_assert_ptr_eq(kmem_cache_alloc(cache, GFP_KERNEL), q);
	assert_heap_sound();
}
END_TEST

static bool same_slab(struct kmem_cache *cache, const void *a, const void *b)
{
	return slab_of(cache, a) == slab_of(cache, b);
}

START_TEST(use_after_free_freezes_the_slab)
{
	struct kmem_cache *cache = make("after", 40, FZPU);
	unsigned char *p = kmem_cache_alloc(cache, GFP_KERNEL);
	unsigned char *q = kmem_cache_alloc(cache, GFP_KERNEL);

	kmem_cache_free(cache, p);
	p[5] = 'u';
	stderr_capture();
	ck_assert(!same_slab(cache, kmem_cache_alloc(cache, GFP_KERNEL), p));
	expect_said(BAR "BUG after (Not tainted): Poison overwritten\n" THIN_BAR
			"0x*d-0x*d @offset=13. First byte 0x75 instead of 0x6b\n"
			"Allocated in * age=* cpu=* pid=*\n *\n"
			"Freed in * age=* cpu=* pid=*\n *\n"
			"Slab 0x*000 objects=64 used=64 fp=0x0 flags=0xf\n"
			"Object 0x*008 @offset=8 fp=0x0\n"
			"\n"
			"Redzone  *: bb bb bb bb bb bb bb bb                          ........\n"
			"Object   *: 6b 6b 6b 6b 6b 75 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkukkkkkkkkkk\n"
			"Object   *: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
			"Object   *: 6b 6b 6b 6b 6b 6b 6b a5                          kkkkkkk.\n"
			"Redzone  *: bb bb bb bb bb bb bb bb                          ........\n"
			"CPU: * PID: *\n"
			"Call Trace:\n *\n"
			"FIX after: Restoring Poison 0x*8-0x*e=0x6b\n"
			"\n"
			"FIX after: Marking all objects used\n"
			"\n");
	assert_heap_sound();
	/* what comes back to it stays there, and nothing of it is handed out again */
	stderr_capture();
	kmem_cache_free(cache, q);
	for (int i = 0; i < 300; i++)
		ck_assert(!same_slab(cache, kmem_cache_alloc(cache, GFP_KERNEL), p));
	kmem_cache_shrink(cache);
	ck_assert_str_eq(stderr_captured(), "");
	ck_assert_uint_eq(kmem_cache_validate(cache), 0);
	assert_heap_sound();
}
END_TEST

/* All objects of a frozen slab count as in use, but nobody has left them. */
START_TEST(end_of_a_cache_with_a_frozen_slab)
{
	struct kmem_cache *cache = make("froze", 40, FZP);
	unsigned char *p = kmem_cache_alloc(cache, GFP_KERNEL);
	unsigned char *q = kmem_cache_alloc(cache, GFP_KERNEL);
	void *other;

	kmem_cache_free(cache, p);
	p[5] = 'u';
	stderr_capture();
	other = kmem_cache_alloc(cache, GFP_KERNEL);
	stderr_captured();
	kmem_cache_free(cache, q);
	stderr_capture();
	kmem_cache_destroy(cache);
	expect_said("slabuddy: BUG froze: Objects remaining on __kmem_cache_shutdown()\n"
		    "slabuddy: Slab 0x* objects=64 used=1\n"
		    "slabuddy: Object 0x* @offset=8\n"
		    "slabuddy: kmem_cache_destroy(froze): 1 slabs failed a check and stay\n"
		    "slabuddy: kmem_cache_destroy(froze): 1 objects are left, so the cache stays\n");
	kmem_cache_free(cache, other);
	stderr_capture();
	kmem_cache_destroy(cache);
	ck_assert_str_eq(stderr_captured(),
			 "slabuddy: kmem_cache_destroy(froze): 1 slabs failed a check and stay\n");
	assert_heap_sound();
}
END_TEST

/* Found by whoever looks first: here it is the slab that is about to go. */
START_TEST(use_after_free_found_when_the_slab_goes)
{
	struct kmem_cache *cache = make("gone", 40, FZP);
	unsigned char *p = kmem_cache_alloc(cache, GFP_KERNEL);

	kmem_cache_free(cache, p);
	p[39] = 0;
	stderr_capture();
	ck_assert_int_eq(kmem_cache_shrink(cache), 0);
	expect_said(BAR "BUG gone (Not tainted): End Poison overwritten\n" THIN_BAR "*\n"
			"FIX gone: Restoring End Poison 0x*f-0x*f=0xa5\n\n"
			"FIX gone: Marking all objects used\n\n");
	ck_assert_ptr_nonnull(slab_of(cache, p));
	assert_heap_sound();
}
END_TEST

/* Without F nothing is looked at but by who asks. */
START_TEST(no_checks_without_f)
{
	struct kmem_cache *cache = make("unchecked", 40, SLAB_RED_ZONE | SLAB_POISON);
	unsigned char *p = kmem_cache_alloc(cache, GFP_KERNEL);

	p[40] = 1;
	stderr_capture();
	kmem_cache_free(cache, p);
	p[0] = 1;
	ck_assert_ptr_eq(kmem_cache_alloc(cache, GFP_KERNEL), p);
	ck_assert_str_eq(stderr_captured(), "");
	kmem_cache_free(cache, p);
	end(cache);
}
END_TEST

START_TEST(mistakes_of_whoever_frees)
{
	struct kmem_cache *cache = make("mine", 40, FZPU);
	struct kmem_cache *other = make("other", 40, FZPU);
	char *p = kmem_cache_alloc(cache, GFP_KERNEL);
	char *q = kmem_cache_alloc(cache, GFP_KERNEL);

	ck_assert_int_eq(options_parse("bad_free=warn", "test"), 0);
	kmem_cache_free(cache, p);
	stderr_capture();
	kmem_cache_free(cache, p);
	expect_said(BAR "BUG mine (Not tainted): Object already free\n" THIN_BAR
			"Allocated in * age=* cpu=* pid=*\n *\n"
			"Freed in * age=* cpu=* pid=*\n *\n"
			"Slab 0x*000 objects=64 used=1 fp=0x*008 flags=0xf\n"
			"Object 0x*008 @offset=8 fp=0x*008\n*"
			"Call Trace:\n *\n"
			"FIX mine: Object at 0x*008 not freed\n\n"
			"slabuddy: free(): double free of 0x*008 (cache mine)\n");
	stderr_capture();
	kmem_cache_free(other, q);
	expect_said(BAR "BUG mine (Not tainted): Object freed to another cache\n" THIN_BAR
			"Allocated in *\nCall Trace:\n *\n"
			"FIX mine: Object at 0x* not freed\n\n"
			"slabuddy: kmem_cache_free(other): 0x* is an object of cache mine\n");
	stderr_capture();
	kmem_cache_free(cache, q + 8);
	expect_said(BAR "BUG mine (Not tainted): Invalid object pointer\n" THIN_BAR
			"Allocated in *\nCall Trace:\n *\n"
			"FIX mine: Object at 0x* not freed\n\n"
			"slabuddy: free(): invalid pointer 0x*: not the start of an object (cache mine)\n");
	kmem_cache_free(cache, q);
	end(cache);
	end(other);
}
END_TEST

static unsigned int nr_constructed;

static void construct(void *object)
{
	nr_constructed++;
	memset(object, 'c', 40);
}

/* What a constructor left, or what readers under RCU may look at, is not poisoned. */
START_TEST(contents_that_stay)
{
	struct kmem_cache_args args = { .ctor = construct };
	struct kmem_cache *cache = kmem_cache_create("constructed", 40, &args, FZPU);
	char *p = kmem_cache_alloc(cache, GFP_KERNEL);

	ck_assert_uint_eq(nr_constructed, cache->objects);
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(p[i], 'c');
	p[7] = 'x';
	kmem_cache_free(cache, p);
	ck_assert_int_eq(p[7], 'x');
	ck_assert_ptr_eq(kmem_cache_alloc(cache, GFP_KERNEL), p);
	ck_assert_int_eq(p[7], 'x');
	/* the zones around it are watched all the same */
	p[40] = 0;
	stderr_capture();
	ck_assert_uint_eq(kmem_cache_validate(cache), 1);
	expect_said("*Right Redzone overwritten\n*");
	kmem_cache_free(cache, p);
	end(cache);
}
END_TEST

static void call_at_once(void *head, void (*fn)(void *head))
{
	fn(head);
}

static void no_barrier(void)
{
}

START_TEST(readers_under_rcu)
{
	struct kmem_cache *cache;
	char *p;

	slab_set_rcu(call_at_once, no_barrier);
	cache = make("readers", 40, FZPU | SLAB_TYPESAFE_BY_RCU);
	p = kmem_cache_alloc(cache, GFP_KERNEL);
	memset(p, 'r', 40);
	kmem_cache_free(cache, p);
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(p[i], 'r');
	ck_assert_uint_eq(kmem_cache_validate(cache), 0);
	end(cache);
}
END_TEST

static void *thread_tracks(void *arg)
{
	void **object = arg;

	kmem_cache_free(object[0], object[1]);
	return (void *)(uintptr_t)gettid();
}

START_TEST(tracks_name_threads)
{
	struct kmem_cache *cache = make("tracked", 40, SLAB_STORE_USER);
	void *pair[2] = { cache, kmem_cache_alloc(cache, GFP_KERNEL) };
	char pattern[200];
	pthread_t thread;
	void *tid;

	stderr_capture();
	debug_print_tracks(cache, pair[1]);
	snprintf(pattern, sizeof(pattern), "Allocated in * age=* cpu=* pid=%d\n *", gettid());
	expect_said(pattern);
	ck_assert_int_eq(pthread_create(&thread, NULL, thread_tracks, pair), 0);
	ck_assert_int_eq(pthread_join(thread, &tid), 0);
	stderr_capture();
	debug_print_tracks(cache, pair[1]);
	snprintf(pattern, sizeof(pattern),
		 "Allocated in * age=* cpu=* pid=%d\n *Freed in * age=* cpu=* pid=%d\n *", gettid(),
		 (int)(uintptr_t)tid);
	expect_said(pattern);
	end(cache);
}
END_TEST

START_TEST(trace_lines)
{
	struct kmem_cache *cache = make("traced", 40, SLAB_TRACE);
	void *p;

	stderr_capture();
	p = kmem_cache_alloc(cache, GFP_KERNEL);
	kmem_cache_free(cache, p);
	expect_said("slabuddy: TRACE traced alloc 0x*000 inuse=1 fp=0x*\n"
		    "slabuddy: TRACE traced free 0x*000 inuse=1 fp=0x*\n");
	end(cache);
}
END_TEST

/* malloc's classes: aligned by their sizes still, and to the byte. */
START_TEST(malloc_to_the_byte)
{
	ck_assert_int_eq(options_parse("slab_debug", "test"), 0);
	for (size_t size = 0; size < 5000; size += 1 + size / 50) {
		char *p = heap_malloc(size);
		char *q;

		ck_assert_uint_eq((uintptr_t)p % 16, 0);
		ck_assert_uint_eq(heap_usable_size(p), MAX(size, 1));
		memset(p, 'm', size);
		q = heap_realloc(p, size + 1);
		ck_assert_ptr_ne(q, p);
		ck_assert_uint_eq(heap_usable_size(q), size + 1);
		for (size_t i = 0; i < size; i++)
			ck_assert_int_eq(q[i], 'm');
		q[size] = 'm';
		heap_free(q);
		p = heap_calloc(1, size);
		ck_assert(all_zero(p, size));
		heap_free(p);
	}
	for (size_t align = 16; align <= 4096; align *= 2) {
		void *p = heap_aligned(align, align * 3 / 2);

		ck_assert_uint_eq((uintptr_t)p % align, 0);
		ck_assert_uint_eq(heap_usable_size(p), align * 3 / 2);
		heap_free(p);
	}
	assert_heap_sound();
}
END_TEST

START_TEST(one_byte_too_many)
{
	unsigned char *p;

	ck_assert_int_eq(options_parse("slab_debug=FZP", "test"), 0);
	p = heap_malloc(17);
	p[17] = 0;
	stderr_capture();
	heap_free(p);
	expect_said("*BUG kmalloc-32 (Not tainted): kmalloc Redzone overwritten\n*"
		    "FIX kmalloc-32: Object at 0x* not freed\n\n");
	/* what is made larger is as large as was asked for */
	p = heap_realloc(heap_malloc(20), 30);
	memset(p, 0, 30);
	stderr_capture();
	heap_free(p);
	ck_assert_str_eq(stderr_captured(), "");
}
END_TEST

START_TEST(many_at_once)
{
	struct kmem_cache *cache = make("many", 40, FZPU);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(cache, GFP_KERNEL, 100);
	void *objects[500];

	ck_assert_int_eq(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 500, objects), 500);
	for (int i = 0; i < 500; i++)
		memset(objects[i], i, 40);
	ck_assert_uint_eq(kmem_cache_validate(cache), 0);
	kmem_cache_free_bulk(cache, 500, objects);
	for (int i = 0; i < 50; i++) {
		objects[i] = kmem_cache_alloc_from_sheaf(cache, GFP_KERNEL, sheaf);
		memset(objects[i], i, 40);
	}
	ck_assert_uint_eq(kmem_cache_validate(cache), 0);
	kmem_cache_return_sheaf(cache, GFP_KERNEL, sheaf);
	kmem_cache_free_bulk(cache, 50, objects);
	ck_assert_uint_eq(kmem_cache_validate(cache), 0);
	end(cache);
}
END_TEST

/* The free map, which lies where no program writes. */
START_TEST(free_maps)
{
	static const slab_flags_t flags[] = { SLAB_NO_MERGE, SLAB_CONSISTENCY_CHECKS, FZPU };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct kmem_cache *cache = make("map", 40, flags[i]);
		void *p = kmem_cache_alloc(cache, GFP_KERNEL);
		struct page *slab = slab_of(cache, p);

		ck_assert_uint_eq(kmem_cache_validate(cache), 0);
		slab->inuse++;
		stderr_capture();
		ck_assert_uint_eq(kmem_cache_validate(cache), 1);
		expect_said(BAR "BUG map (Not tainted): Wrong number of objects in use\n" THIN_BAR
				"Slab 0x*000 objects=* used=* fp=0x* flags=0x*\n\n\n");
		slab->inuse--;
		ck_assert_uint_eq(kmem_cache_validate(cache), 0);
		kmem_cache_free(cache, p);
		end(cache);
	}
}
END_TEST

/* What a signal handler frees is linked by its first word, whatever of that its owner had. */
START_TEST(freed_by_a_handler)
{
	void *p;

	ck_assert_int_eq(options_parse("slab_debug", "test"), 0);
	p = heap_malloc(3);
	stderr_capture();
	kfree_nolock(p);
	kfree_nolock(heap_malloc(100));
	heap_free(heap_malloc(3));
	ck_assert_str_eq(stderr_captured(), "");
	ck_assert_ptr_eq(heap_malloc(3), p);
	assert_heap_sound();
}
END_TEST

START_TEST(no_memory_for_the_table)
{
	struct kmem_cache *cache = make("poor", 40, FZPU);

	tables_fail = true;
	stderr_capture();
	ck_assert_ptr_null(kmem_cache_alloc(cache, GFP_NOWAIT | __GFP_NOWARN));
	ck_assert_str_eq(stderr_captured(), "");
	tables_fail = false;
	assert_heap_sound();
	kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
	end(cache);
}
END_TEST

static bool stop;

static void *use_it(void *arg)
{
	struct kmem_cache *cache = arg;
	void *objects[50];

	for (int round = 0; round < 300; round++) {
		for (int i = 0; i < 50; i++)
			objects[i] = memset(kmem_cache_alloc(cache, GFP_KERNEL), i, 40);
		for (int i = 0; i < 50; i++)
			kmem_cache_free(cache, objects[i]);
		if (round % 10 == 0)
			kmem_cache_shrink(cache);
	}
	return NULL;
}

static void *check_it(void *arg)
{
	unsigned long faults = 0;

	while (!load_acquire(&stop))
		faults += kmem_cache_validate(arg);
	return (void *)faults;
}

static void ignore(int signal)
{
	(void)signal;
}

/* While threads use a cache, and signals come, whoever checks it finds nothing. */
START_TEST(checks_beside_threads)
{
	const struct itimerval often = { { 0, 500 }, { 0, 500 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct kmem_cache *cache = make("busy", 40, FZPU);
	struct sigaction action = { .sa_handler = ignore, .sa_flags = SA_RESTART };
	pthread_t threads[3], checker;
	void *faults;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	ck_assert_int_eq(pthread_create(&checker, NULL, check_it, cache), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, use_it, cache), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	setitimer(ITIMER_REAL, &never, NULL);
	store_release(&stop, true);
	ck_assert_int_eq(pthread_join(checker, &faults), 0);
	ck_assert_ptr_null(faults);
	end(cache);
}
END_TEST

static void *fill_and_empty(void *cache)
{
	void *objects[32];
	uintptr_t failed = 0;

	for (int round = 0; round < 1000; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
			objects[i] = kmem_cache_alloc(cache, GFP_NOWAIT);
			failed += !objects[i];
		}
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
			kmem_cache_free(cache, objects[i]);
	}
	return (void *)failed;
}

/* A thread that makes a slab gets an object of it, whoever else wants one. */
START_TEST(new_slabs_are_not_taken_away)
{
	struct kmem_cache *cache = make("few_a_slab", 20000, SLAB_RED_ZONE);
	pthread_t threads[8];
	void *failed;

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, fill_and_empty, cache), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	end(cache);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("debug");

	tcase_add_loop_test(tc, objects_and_their_surroundings, 0, 9);
	tcase_add_test(tc, bytes_around_an_object);
	tcase_add_test(tc, caches_by_name);
	tcase_add_test(tc, watched_caches_are_not_merged);
	tcase_add_test(tc, no_higher_order);
	tcase_add_test(tc, overflow_is_reported_when_it_is_freed);
	tcase_add_test(tc, use_after_free_freezes_the_slab);
	tcase_add_test(tc, end_of_a_cache_with_a_frozen_slab);
	tcase_add_test(tc, use_after_free_found_when_the_slab_goes);
	tcase_add_test(tc, no_checks_without_f);
	tcase_add_test(tc, mistakes_of_whoever_frees);
	tcase_add_test(tc, contents_that_stay);
	tcase_add_test(tc, readers_under_rcu);
	tcase_add_test(tc, tracks_name_threads);
	tcase_add_test(tc, trace_lines);
	tcase_add_test(tc, malloc_to_the_byte);
	tcase_add_test(tc, one_byte_too_many);
	tcase_add_test(tc, many_at_once);
	tcase_add_test(tc, free_maps);
	tcase_add_test(tc, freed_by_a_handler);
	tcase_add_test(tc, no_memory_for_the_table);
	tcase_add_test(tc, checks_beside_threads);
	tcase_add_test(tc, new_slabs_are_not_taken_away);
	return test_run(tc);
}
