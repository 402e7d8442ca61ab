/* SPDX-License-Identifier: MIT */
/*
 * The cases of the kernel's slub_kunit: something in a watched cache is broken, kmem_cache_validate() counts it,
 * and after it nothing is wrong any more.
 *
 * The kernel counts each message, so its numbers are twice ours: a "BUG" and the "FIX" that follows it. Here
 * kmem_cache_validate() counts faults, and what is said is counted beside it. Its case of a next pointer (3,
 * then 2, then 0) has no counterpart: there is none in an object. What stands for it is the free map, which
 * lies where no program reaches it; the checks of the whole heap cover that.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slabuddy/slab.h>
#include <slabuddy/slabuddy.h>

#include "../testing.h"
#include "base/option.h"

static struct kmem_cache *make(const char *name, unsigned int size, slab_flags_t flags)
{
	struct kmem_cache *cache = kmem_cache_create(name, size, NULL, flags);

	ck_assert_ptr_nonnull(cache);
	return cache;
}

static unsigned int count_text(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* One fault, one report that says so with @bug, one repair; and all is well again. */
static void expect_fault(struct kmem_cache *cache, const char *bug, const char *bytes)
{
	const char *text;

	stderr_capture();
	ck_assert_uint_eq(kmem_cache_validate(cache), 1);
	text = stderr_captured();
	ck_assert_uint_eq(count_text(text, "BUG ") + count_text(text, "FIX "), 2);
	ck_assert_msg(strstr(text, bug), "%s", text);
	ck_assert_msg(strstr(text, bytes), "%s", text);
	stderr_capture();
	ck_assert_uint_eq(kmem_cache_validate(cache), 0);
	ck_assert_str_eq(stderr_captured(), "");
}

static void end(struct kmem_cache *cache)
{
	stderr_capture();
	kmem_cache_destroy(cache);
	ck_assert_str_eq(stderr_captured(), "");
	assert_heap_sound();
}

START_TEST(clobber_zone)
{
	struct kmem_cache *cache = make("TestSlub_RZ_alloc", 64, SLAB_RED_ZONE);
	unsigned char *p = kmem_cache_alloc(cache, GFP_KERNEL);

	p[64] = 0x12;
	expect_fault(cache, "BUG TestSlub_RZ_alloc (Not tainted): Right Redzone overwritten\n",
		     "First byte 0x12 instead of 0xcc\n");
	p[-1] = 0x34;
	expect_fault(cache, "BUG TestSlub_RZ_alloc (Not tainted): Left Redzone overwritten\n",
		     "First byte 0x34 instead of 0xcc\n");
	kmem_cache_free(cache, p);
	end(cache);
}
END_TEST

START_TEST(first_word)
{
	struct kmem_cache *cache = make("TestSlub_1th_word_free", 64, SLAB_POISON);
	unsigned char *p = kmem_cache_alloc(cache, GFP_KERNEL);

	kmem_cache_free(cache, p);
	*p = 0x78;
	expect_fault(cache, "Poison overwritten\n", "First byte 0x78 instead of 0x6b\n");
	end(cache);
}
END_TEST

START_TEST(fiftieth_byte)
{
	struct kmem_cache *cache = make("TestSlub_50th_word_free", 64, SLAB_POISON);
	unsigned char *p = kmem_cache_alloc(cache, GFP_KERNEL);

	kmem_cache_free(cache, p);
	p[50] = 0x9a;
	expect_fault(cache, "Poison overwritten\n", "First byte 0x9a instead of 0x6b\n");
	p[63] = 0;
	expect_fault(cache, "End Poison overwritten\n", "First byte 0x0 instead of 0xa5\n");
	end(cache);
}
END_TEST

START_TEST(clobber_redzone_free)
{
	struct kmem_cache *cache = make("TestSlub_RZ_free", 64, SLAB_RED_ZONE);
	unsigned char *p = kmem_cache_alloc(cache, GFP_KERNEL);

	kmem_cache_free(cache, p);
	p[64] = 0xab;
	expect_fault(cache, "Right Redzone overwritten\n", "First byte 0xab instead of 0xbb\n");
	end(cache);
}
END_TEST

/* The kernel's fifth case writes over a byte behind an object that kmalloc() gave. */
START_TEST(kmalloc_redzone)
{
	unsigned char *p;

	ck_assert_int_eq(options_parse("slab_debug=FZPU,kmalloc-*", "test"), 0);
	p = kmalloc(18, GFP_KERNEL);
	ck_assert_uint_eq(ksize(p), 18);
	memset(p, 0, 18);
	p[18] = 0xab;
	stderr_capture();
	kfree(p);
	ck_assert_ptr_nonnull(strstr(stderr_captured(), "BUG kmalloc-32 (Not tainted): kmalloc Redzone "
							"overwritten\n"));
	assert_heap_sound();
}
END_TEST

START_TEST(leak_at_destroy)
{
	struct kmem_cache *cache = make("TestSlub_leak", 64, SLAB_STORE_USER);
	void *p = kmem_cache_alloc(cache, GFP_KERNEL);
	char expected[64];
	const char *text;

	stderr_capture();
	kmem_cache_destroy(cache);
	text = stderr_captured();
	snprintf(expected, sizeof(expected), "Object %p @offset=", p);
	ck_assert_msg(strstr(text, "Objects remaining on __kmem_cache_shutdown()"), "%s", text);
	ck_assert_msg(strstr(text, expected), "%s", text);
	ck_assert_msg(strstr(text, "\nAllocated in "), "%s", text);
	ck_assert_uint_eq(count_text(text, "\nFreed in "), 0);
	kmem_cache_free(cache, p);
	end(cache);
}
END_TEST

START_TEST(several_faults_at_once)
{
	struct kmem_cache *cache =
		make("several", 40, SLAB_RED_ZONE | SLAB_POISON | SLAB_CONSISTENCY_CHECKS);
	unsigned char *p[3];

	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	kmem_cache_free(cache, p[1]);
	p[0][-1] = 1;
	p[0][40] = 1;
	p[1][0] = 1;
	p[1][39] = 1;
	p[2][-3] = 1;
	stderr_capture();
	ck_assert_uint_eq(kmem_cache_validate(cache), 5);
	ck_assert_uint_eq(count_text(stderr_captured(), "FIX several: Restoring "), 5);
	ck_assert_uint_eq(kmem_cache_validate(cache), 0);
	kmem_cache_free(cache, p[0]);
	kmem_cache_free(cache, p[2]);
	end(cache);
}
END_TEST

START_TEST(nothing_to_find)
{
	struct kmem_cache *plain = make("plain", 64, SLAB_NO_MERGE);
	void *objects[200];

	ck_assert_uint_eq(kmem_cache_validate(NULL), 0);
	ck_assert_int_eq(kmem_cache_alloc_bulk(plain, GFP_KERNEL, 200, objects), 200);
	for (int i = 0; i < 200; i++)
		memset(objects[i], i, 64);
	ck_assert_uint_eq(kmem_cache_validate(plain), 0);
	kmem_cache_free_bulk(plain, 200, objects);
	ck_assert_uint_eq(kmem_cache_validate(plain), 0);
	end(plain);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("kunit");

	tcase_add_test(tc, clobber_zone);
	tcase_add_test(tc, first_word);
	tcase_add_test(tc, fiftieth_byte);
	tcase_add_test(tc, clobber_redzone_free);
	tcase_add_test(tc, kmalloc_redzone);
	tcase_add_test(tc, leak_at_destroy);
	tcase_add_test(tc, several_faults_at_once);
	tcase_add_test(tc, nothing_to_find);
	return test_run(tc);
}
