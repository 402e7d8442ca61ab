/* SPDX-License-Identifier: MIT */
/* The options failslab and fail_page_alloc: what fails on purpose, how often, and what never does. */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabuddy/gfp.h>
#include <slabuddy/slab.h>

#include "../testing.h"
#include "base/option.h"
#include "buddy/page_sheaf.h"
#include "malloc/heap.h"

#define NR 100

static void set(const char *text)
{
	ck_assert_int_eq(options_parse(text, "test"), 0);
}

/* As at the start of a program: page sheaves are off when pages may fail. */
static void set_pages(const char *text)
{
	set(text);
	page_sheaves_enable(false);
}

static struct kmem_cache *failing_cache(const char *name)
{
	return kmem_cache_create(name, 100, 0, SLAB_FAILSLAB, NULL);
}

/* How many of NR single allocations fail; nothing is left of them. */
static unsigned int failures(struct kmem_cache *cache, gfp_t gfp)
{
	unsigned int failed = 0;

	for (int i = 0; i < NR; i++) {
		void *object = kmem_cache_alloc(cache, gfp);

		failed += !object;
		kmem_cache_free(cache, object);
	}
	return failed;
}

START_TEST(each_call_is_asked_once)
{
	struct kmem_cache *cache = failing_cache("failing");
	const char *said;

	ck_assert_uint_eq(failures(cache, GFP_KERNEL), 0);
	stderr_capture();
	set("failslab=1,100,0,7");
	ck_assert_uint_eq(failures(cache, GFP_KERNEL), 7);
	set("failslab=10,100,0,-1");
	ck_assert_uint_eq(failures(cache, GFP_KERNEL), NR / 10);
	set("failslab=10,100,0,-1");
	ck_assert_uint_eq(failures(cache, GFP_ATOMIC), NR / 10);
	said = stderr_captured();
	ck_assert_str_eq(said, "");
	set("failslab=1,100,0,0");
	ck_assert_uint_eq(failures(cache, GFP_KERNEL), 0);
	kmem_cache_destroy(cache);
	assert_heap_sound();
}
END_TEST

START_TEST(only_caches_with_the_flag)
{
	struct kmem_cache *cache = failing_cache("failing");
	struct kmem_cache *other = kmem_cache_create("other", 100, 0, 0, NULL);

	ck_assert_ptr_ne(cache, other);
	set("failslab=1,100,0,-1");
	ck_assert_uint_eq(failures(cache, GFP_KERNEL), NR);
	ck_assert_uint_eq(failures(other, GFP_KERNEL), 0);
	kfree(kmalloc(100, GFP_KERNEL));
	kmem_cache_destroy(cache);
	kmem_cache_destroy(other);
}
END_TEST

START_TEST(caches_that_the_option_names)
{
	struct kmem_cache *ours, *others, *closed;

	set("slab_debug=A,dm_*,kmalloc-96 failslab=1,100,0,-1");
	ours = kmem_cache_create("dm_io", 100, 0, 0, NULL);
	others = kmem_cache_create("io", 100, 0, 0, NULL);
	closed = kmem_cache_create("dm_closed", 100, 0, SLAB_NO_USER_FLAGS, NULL);
	ck_assert_ptr_ne(ours, others);
	ck_assert_uint_eq(failures(ours, GFP_KERNEL), NR);
	ck_assert_uint_eq(failures(others, GFP_KERNEL), 0);
	ck_assert_uint_eq(failures(closed, GFP_KERNEL), 0);

	ck_assert_ptr_null(kmalloc(96, GFP_KERNEL));
	ck_assert_ptr_null(kzalloc(81, GFP_KERNEL));
	errno = 0;
	ck_assert_ptr_null(heap_malloc(90));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(heap_calloc(9, 10));
	kfree(kmalloc(80, GFP_KERNEL));
	kfree(kmalloc(97, GFP_KERNEL));
}
END_TEST

START_TEST(several_at_once)
{
	struct kmem_cache *cache = failing_cache("failing");
	struct slab_sheaf *sheaf;
	void *objects[NR];

	set("failslab=2,100,0,-1");
	/* one question for all of them */
	ck_assert_int_eq(kmem_cache_alloc_bulk(cache, GFP_KERNEL, NR, objects), NR);
	kmem_cache_free_bulk(cache, NR, objects);
	ck_assert_int_eq(kmem_cache_alloc_bulk(cache, GFP_KERNEL, NR, objects), 0);

	sheaf = kmem_cache_prefill_sheaf(cache, GFP_KERNEL, 10);
	ck_assert_ptr_nonnull(sheaf);
	ck_assert_ptr_null(kmem_cache_prefill_sheaf(cache, GFP_KERNEL, 10));
	/* what is in a prefilled sheaf does not fail */
	set("failslab=1,100,0,-1");
	for (int i = 0; i < 10; i++) {
		objects[i] = kmem_cache_alloc_from_sheaf(cache, GFP_KERNEL, sheaf);
		ck_assert_ptr_nonnull(objects[i]);
	}
	kmem_cache_free_bulk(cache, 10, objects);
	kmem_cache_return_sheaf(cache, GFP_KERNEL, sheaf);
	kmem_cache_destroy(cache);
	assert_heap_sound();
}
END_TEST

/* Its slabs are asked for too. */
START_TEST(what_must_not_fail_does_not)
{
	struct kmem_cache *cache = kmem_cache_create("failing", 20000, 0, SLAB_FAILSLAB, NULL);
	gfp_t gfp = GFP_KERNEL | __GFP_NOFAIL;
	struct page *page;
	void *objects[2];

	set("slab_debug=A,kmalloc-*");
	set_pages("failslab=1,100,0,-1 fail_page_alloc=1,100,0,-1,min-order=0");
	ck_assert_uint_eq(failures(cache, gfp), 0);
	ck_assert_int_eq(kmem_cache_alloc_bulk(cache, gfp, 2, objects), 2);
	kmem_cache_free_bulk(cache, 2, objects);
	kfree(kmalloc(50, gfp));
	kfree(kmalloc(500000, gfp));
	page = alloc_pages(gfp, 3);
	ck_assert_ptr_nonnull(page);
	__free_pages(page, 3);
	/* no failure is left out afterwards */
	ck_assert_uint_eq(failures(cache, GFP_KERNEL), NR);
	ck_assert_ptr_null(kmalloc(50, GFP_KERNEL));
	ck_assert_ptr_null(alloc_pages(GFP_KERNEL, 0));
	kmem_cache_destroy(cache);
	assert_heap_sound();
}
END_TEST

static unsigned int page_failures(unsigned int order)
{
	unsigned int failed = 0;

	for (int i = 0; i < NR; i++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		failed += !page;
		if (page)
			__free_pages(page, order);
	}
	return failed;
}

START_TEST(blocks_of_pages)
{
	set_pages("fail_page_alloc=10,100,0,-1");
	/* the kernel's default */
	ck_assert_uint_eq(page_failures(0), 0);
	ck_assert_uint_eq(page_failures(1), NR / 10);
	ck_assert_uint_eq(page_failures(5), NR / 10);
	set_pages("fail_page_alloc=10,100,0,-1,min-order=3");
	ck_assert_uint_eq(page_failures(2), 0);
	ck_assert_uint_eq(page_failures(3), NR / 10);
	set_pages("fail_page_alloc=10,100,0,-1,min-order=0");
	ck_assert_uint_eq(page_failures(0), NR / 10);
	set_pages("fail_page_alloc=1,100,0,0");
	ck_assert_uint_eq(page_failures(3), 0);
	assert_heap_sound();
}
END_TEST

/* Runs count as the block that would hold them. */
START_TEST(runs_of_pages)
{
	void *run;

	set_pages("fail_page_alloc=1,100,0,-1,min-order=3");
	run = alloc_pages_exact(4 * PAGE_SIZE, GFP_KERNEL);
	ck_assert_ptr_nonnull(run);
	free_pages_exact(run, 4 * PAGE_SIZE);
	ck_assert_ptr_null(alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL));
	ck_assert_ptr_null(alloc_pages_exact(8 * PAGE_SIZE, GFP_KERNEL));
	ck_assert_ptr_null(alloc_contig_pages(600, GFP_KERNEL, NUMA_NO_NODE));
	assert_heap_sound();
}
END_TEST

START_TEST(large_blocks)
{
	void *ptr = heap_malloc(100000);
	void *huge = heap_malloc((size_t)100 << 20);

	ck_assert(ptr && huge);
	set_pages("fail_page_alloc=1,100,0,3");
	errno = 0;
	ck_assert_ptr_null(heap_malloc(100000));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(heap_calloc(100, 1000));
	ck_assert_ptr_null(heap_aligned(65536, 40000));
	heap_free(heap_malloc(100000));

	set_pages("fail_page_alloc=1,100,0,3");
	ck_assert_ptr_null(kmalloc(100000, GFP_KERNEL));
	ck_assert_ptr_null(heap_malloc((size_t)100 << 20));
	/* a block that could not grow is as it was */
	ck_assert_ptr_null(heap_realloc(ptr, 3000000));
	heap_free(ptr);
	heap_free(huge);
	assert_heap_sound();
}
END_TEST

/* Another node is no way out either, nor is a mapping. */
START_TEST(large_blocks_of_nodes)
{
	set("numa=fake=2");
	set_pages("fail_page_alloc=1,100,0,2");
	ck_assert_ptr_null(kmalloc_node(100000, GFP_KERNEL, 0));
	ck_assert_ptr_null(kmalloc_node(100000, GFP_KERNEL, 1));
	kfree(kmalloc_node(100000, GFP_KERNEL, 1));
	assert_heap_sound();
}
END_TEST

/* A cache that gets no slab fails, though it has no flag itself. */
START_TEST(slabs)
{
	struct kmem_cache *cache = kmem_cache_create("large", 20000, 0, 0, NULL);
	void *object;

	set_pages("fail_page_alloc=1,100,0,-1");
	ck_assert_ptr_null(kmem_cache_alloc(cache, GFP_KERNEL));
	set_pages("fail_page_alloc=1,0,0,-1");
	object = kmem_cache_alloc(cache, GFP_KERNEL);
	ck_assert_ptr_nonnull(object);
	kmem_cache_free(cache, object);
	kmem_cache_destroy(cache);
	assert_heap_sound();
}
END_TEST

/* The options come from the environment, and no block of low order gets past them. */
START_TEST(from_the_start)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		setenv("SLABUDDY_OPTIONS", "fail_page_alloc=2,100,0,-1,min-order=0", 1);
		execl("/proc/self/exe", "fault_test", "count", (char *)NULL);
		_exit(EXIT_FAILURE);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), NR / 2);
}
END_TEST

int main(int argc, char **argv)
{
	TCase *tc;

	(void)argv;
	/* started by a test */
	if (argc > 1)
		return (int)page_failures(0);
	tc = test_case("api/fault");

	tcase_add_test(tc, each_call_is_asked_once);
	tcase_add_test(tc, only_caches_with_the_flag);
	tcase_add_test(tc, caches_that_the_option_names);
	tcase_add_test(tc, several_at_once);
	tcase_add_test(tc, what_must_not_fail_does_not);
	tcase_add_test(tc, blocks_of_pages);
	tcase_add_test(tc, runs_of_pages);
	tcase_add_test(tc, large_blocks);
	tcase_add_test(tc, large_blocks_of_nodes);
	tcase_add_test(tc, slabs);
	tcase_add_test(tc, from_the_start);
	return test_run(tc);
}
