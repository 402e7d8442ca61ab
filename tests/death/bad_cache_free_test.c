/* SPDX-License-Identifier: MIT */
/*
 * Every mistake that a program can make with kmem_cache_free(): the line it costs, word for word, and what
 * follows: SIGABRT, or with bad_free=warn a sound heap in a process that goes on.
 */
#include <check.h>
#include <stdlib.h>

#include <slabuddy/slab.h>

#include "base/bits.h"
#include "death/child.h"
#include "death/mistake.h"
#include "slab/sheaf.h"

static struct kmem_cache *inodes, *dentries, *sessions;

static void nothing(void *object)
{
	(void)object;
}

static void make_caches(void)
{
	inodes = kmem_cache_create("inode", 200, NULL, SLAB_NO_MERGE);
	dentries = kmem_cache_create("dentry", 96, 0, 0, nothing);
	sessions = kmem_cache_create("session", 1000, NULL, SLAB_NO_MERGE);
}

static void twice(void)
{
	void *object = kmem_cache_alloc(inodes, GFP_KERNEL);

	kmem_cache_free(inodes, object);
	kmem_cache_free(inodes, object);
}

static void constructed_twice(void)
{
	void *object = kmem_cache_alloc(dentries, GFP_KERNEL);

	kmem_cache_free(dentries, object);
	kmem_cache_free(dentries, object);
}

/* The second time finds it in a slab, not in a sheaf. */
static void twice_far_apart(void)
{
	void *object = kmem_cache_alloc(inodes, GFP_KERNEL);

	kmem_cache_free(inodes, object);
	kmem_cache_free(inodes, kmem_cache_alloc(inodes, GFP_KERNEL));
	kmem_cache_shrink(inodes);
	object = kmem_cache_alloc(inodes, GFP_KERNEL);
	kmem_cache_alloc(inodes, GFP_KERNEL); /* keeps the slab */
	kmem_cache_free(inodes, object);
	kmem_cache_shrink(inodes);
	kmem_cache_free(inodes, object);
}

/* The mark of a free object has gone with the memory of its page. */
static void twice_without_memory(void)
{
	enum { NR = 400, KEEP_ONE_OF = 50 };
	void *objects[NR];

	for (int i = 0; i < NR; i++)
		objects[i] = kmem_cache_alloc(sessions, GFP_KERNEL);
	for (int i = 0; i < NR; i++) {
		if (i % KEEP_ONE_OF)
			kmem_cache_free(sessions, objects[i]);
	}
	kmem_cache_shrink(sessions);
	/* objects lie side by side: this one's page holds none that is in use */
	kmem_cache_free(sessions, objects[KEEP_ONE_OF + 8]);
}

static void twice_in_bulk(void)
{
	void *objects[3];

	kmem_cache_alloc_bulk(inodes, GFP_KERNEL, 2, objects);
	objects[2] = objects[0];
	kmem_cache_free_bulk(inodes, 3, objects);
}

static void in_a_prefilled_sheaf(void)
{
	void *object = kmem_cache_alloc(inodes, GFP_KERNEL);

	kmem_cache_free(inodes, object);
	kmem_cache_prefill_sheaf(inodes, GFP_KERNEL, 1);
	kmem_cache_free(inodes, object);
}

/* Nobody had it yet, but it is not to be freed either. */
static void fresh_in_a_prefilled_sheaf(void)
{
	struct sheaf *sheaf = (struct sheaf *)kmem_cache_prefill_sheaf(inodes, GFP_KERNEL, 1);

	kmem_cache_free(inodes, sheaf->objects[0]);
}

static void sheaf_returned_to_another_cache(void)
{
	kmem_cache_return_sheaf(dentries, GFP_KERNEL,
				kmem_cache_prefill_sheaf(inodes, GFP_KERNEL, 3));
}

static void sheaf_refilled_for_another_cache(void)
{
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(inodes, GFP_KERNEL, 3);

	kmem_cache_refill_sheaf(dentries, GFP_KERNEL, &sheaf, 5);
}

static void object_out_of_another_caches_sheaf(void)
{
	kmem_cache_alloc_from_sheaf(dentries, GFP_KERNEL,
				    kmem_cache_prefill_sheaf(inodes, GFP_KERNEL, 3));
}

static void to_another_cache(void)
{
	kmem_cache_free(dentries, kmem_cache_alloc(inodes, GFP_KERNEL));
}

static void of_kmalloc(void)
{
	kmem_cache_free(dentries, kmalloc(64, GFP_KERNEL));
}

static void of_pages(void)
{
	kmem_cache_free(dentries, kmalloc(100000, GFP_KERNEL));
}

static void on_the_stack(void)
{
	int local;

	kmem_cache_free(inodes, &local);
}

static void inside(void)
{
	kmem_cache_free(inodes, (char *)kmem_cache_alloc(inodes, GFP_KERNEL) + 8);
}

static void to_null(void)
{
	kmem_cache_free(NULL, kmem_cache_alloc(inodes, GFP_KERNEL));
}

static const struct mistake mistakes[] = {
	{ "twice", twice, "slabuddy: free(): double free of PTR (cache inode)\n" },
	{ "twice, its memory gone", twice_without_memory,
	  "slabuddy: free(): double free of PTR (cache session)\n" },
	{ "constructed, twice", constructed_twice,
	  "slabuddy: free(): double free of PTR (cache dentry)\n" },
	{ "twice, far apart", twice_far_apart,
	  "slabuddy: free(): double free of PTR (cache inode)\n" },
	{ "twice in bulk", twice_in_bulk, "slabuddy: free(): double free of PTR (cache inode)\n" },
	{ "in a prefilled sheaf", in_a_prefilled_sheaf,
	  "slabuddy: free(): double free of PTR (cache inode)\n" },
	{ "fresh in a prefilled sheaf", fresh_in_a_prefilled_sheaf,
	  "slabuddy: free(): double free of PTR (cache inode)\n" },
	{ "sheaf returned to another cache", sheaf_returned_to_another_cache,
	  "slabuddy: kmem_cache_return_sheaf(dentry): the sheaf is of cache inode\n" },
	{ "sheaf refilled for another cache", sheaf_refilled_for_another_cache,
	  "slabuddy: kmem_cache_refill_sheaf(dentry): the sheaf is of cache inode\n" },
	{ "object out of another cache's sheaf", object_out_of_another_caches_sheaf,
	  "slabuddy: kmem_cache_alloc_from_sheaf(dentry): the sheaf is of cache inode\n" },
	{ "to another cache", to_another_cache,
	  "slabuddy: kmem_cache_free(dentry): PTR is an object of cache inode\n" },
	{ "of kmalloc()", of_kmalloc,
	  "slabuddy: kmem_cache_free(dentry): PTR is an object of cache kmalloc-64\n" },
	{ "of pages", of_pages, "slabuddy: kmem_cache_free(dentry): PTR is no object of any cache\n" },
	{ "on the stack", on_the_stack,
	  "slabuddy: kmem_cache_free(inode): PTR is no object of any cache\n" },
	{ "inside an object", inside,
	  "slabuddy: free(): invalid pointer PTR: not the start of an object (cache inode)\n" },
	{ "to NULL", to_null, "slabuddy: kmem_cache_free(NULL): PTR is an object of cache inode\n" },
};

START_TEST(abort_is_the_default)
{
	expect_death_by(&mistakes[_i]);
}
END_TEST

START_TEST(with_a_warning_it_goes_on)
{
	expect_life_after(&mistakes[_i], NULL);
}
END_TEST

static void panic(const void *arg)
{
	(void)arg;
	kmem_cache_create("doomed", 0, NULL, SLAB_PANIC);
}

START_TEST(slab_panic)
{
	struct child_end end;

	run_child(panic, NULL, &end);
	expect_death("SLAB_PANIC", &end,
		     "slabuddy: kmem_cache_create(doomed): the object size is 0 or over "
		     "KMALLOC_MAX_SIZE (SLAB_PANIC)\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bad_cache_free");
	TCase *tc = tcase_create("bad_cache_free");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_checked_fixture(tc, make_caches, NULL);
	tcase_add_loop_test(tc, abort_is_the_default, 0, ARRAY_SIZE(mistakes));
	tcase_add_loop_test(tc, with_a_warning_it_goes_on, 0, ARRAY_SIZE(mistakes));
	tcase_add_test(tc, slab_panic);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
