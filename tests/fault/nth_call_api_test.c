/* SPDX-License-Identifier: MIT */
/*
 * The kernel's interface on an OS that refuses the first call, the second, and so on: what fails returns
 * NULL, 0 or an error and has taken nothing; a prefilled sheaf keeps its promise; and once the OS works
 * again, every cache ends without an object left.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <slabuddy/mempool.h>
#include <slabuddy/slab.h>

#include "base/bits.h"
#include "base/check.h"
#include "base/option.h"
#include "death/child.h"
#include "fault/each_call.h"
#include "fault/faulty_os.h"
#include "malloc/audit.h"

#define NR_CACHES 8
#define NR_OBJECTS 600
#define GFP (GFP_KERNEL | __GFP_NOWARN)

static struct kmem_cache *caches[NR_CACHES];
static void *objects[NR_CACHES][NR_OBJECTS];
static size_t nr_objects[NR_CACHES];

#define REQUIRE(cond)                                                                   \
	do {                                                                            \
		if (!(cond))                                                            \
			fatal("not so: %s (line %d)", #cond, __LINE__);                 \
	} while (0)

static void construct(void *object)
{
	memset(object, 0x5c, 64);
}

static const unsigned int sizes[NR_CACHES] = { 64, 24, 100, 700, 3000, 9000, 40000, 200000 };

/* Creation says that there was no memory, and nothing else. */
static void make_caches(void)
{
	for (size_t i = 0; i < NR_CACHES; i++)
		caches[i] = kmem_cache_create("cache", sizes[i], 0, SLAB_NO_MERGE,
					      i ? NULL : construct);
}

static void keep(size_t i, void *object)
{
	if (object)
		objects[i][nr_objects[i]++] = object;
}

static void use_one_by_one(size_t i)
{
	for (int n = 0; n < 100; n++) {
		keep(i, kmem_cache_alloc(caches[i], GFP));
		if (n % 3 == 0 && nr_objects[i])
			kmem_cache_free(caches[i], objects[i][--nr_objects[i]]);
	}
	keep(i, kmem_cache_alloc_node(caches[i], GFP, 0));
}

static void use_bulk(size_t i)
{
	static const size_t counts[] = { 1, 32, 200 };

	for (size_t n = 0; n < ARRAY_SIZE(counts); n++) {
		void **to = objects[i] + nr_objects[i];
		int got = kmem_cache_alloc_bulk(caches[i], GFP, counts[n], to);

		REQUIRE(got == 0 || got == (int)counts[n]);
		nr_objects[i] += (size_t)got;
	}
}

static void use_sheaf(size_t i)
{
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(caches[i], GFP, 40);
	int error;

	if (!sheaf)
		return;
	REQUIRE(kmem_cache_sheaf_size(sheaf) == 40);
	for (int n = 0; n < 30; n++) {
		void *object = kmem_cache_alloc_from_sheaf(caches[i], GFP_NOWAIT, sheaf);

		REQUIRE(object);
		keep(i, object);
	}
	error = kmem_cache_refill_sheaf(caches[i], GFP, &sheaf, 100);
	REQUIRE(error == 0 || error == -ENOMEM);
	REQUIRE(kmem_cache_sheaf_size(sheaf) == (error ? 10 : 100));
	kmem_cache_return_sheaf(caches[i], GFP, sheaf);
}

/* Its reserve is there whatever fails, and all of it comes back. */
static void use_pool(size_t size)
{
	mempool_t *pool = mempool_create_node(10, mempool_kmalloc, mempool_kfree, (void *)size, GFP,
					      NUMA_NO_NODE);
	void *elements[12];
	int error;

	if (!pool)
		return;
	REQUIRE(mempool_curr_nr(pool) == 10);
	REQUIRE(mempool_alloc_bulk(pool, GFP, 10, elements) == 0);
	mempool_free_bulk(pool, 10, elements);
	error = mempool_resize(pool, 30);
	REQUIRE(error == 0 || error == -ENOMEM);
	REQUIRE(mempool_min_nr(pool) == (error ? 10 : 30));
	for (int i = 0; i < 12; i++)
		elements[i] = mempool_alloc(pool, GFP_NOWAIT);
	for (int i = 0; i < 12; i++) {
		REQUIRE(elements[i] || i >= 10);
		mempool_free(elements[i], pool);
	}
	REQUIRE(mempool_resize(pool, 5) == 0 || mempool_min_nr(pool) > 5);
	mempool_destroy(pool);
}

/*
 * What is added reads as zero; what cannot be is no loss. From a slab's object to a run of 3 MiB: more would only be
 * more to copy.
 */
static void use_kmalloc(gfp_t gfp)
{
	size_t size = 1000;
	char *block = kzalloc(size, GFP | gfp);

	while (block && size < 1 << 20) {
		char *larger = krealloc(block, size * 5, GFP | gfp | __GFP_ZERO);

		if (!larger)
			break;
		block = larger;
		size *= 5;
		REQUIRE(block[size - 1] == 0);
	}
	kfree(block);
}

static void script(void)
{
	use_pool(3000);
	use_pool(50000);
	use_kmalloc(0);
	use_kmalloc(GFP_DMA32);
	make_caches();
	for (size_t i = 0; i < NR_CACHES; i++) {
		if (!caches[i])
			continue;
		use_one_by_one(i);
		use_bulk(i);
		use_sheaf(i);
		kmem_cache_shrink(caches[i]);
	}
}

static void expect_end(void)
{
	for (size_t i = 0; i < NR_CACHES; i++) {
		if (!caches[i])
			continue;
		kmem_cache_free_bulk(caches[i], nr_objects[i], objects[i]);
		/* an object that was lost would be listed */
		kmem_cache_destroy(caches[i]);
	}
	REQUIRE(heap_validate(NULL) == 0);
}

/* Names that are taken, and that there was no memory, cost their lines; nothing else may. */
static bool only_expected_lines(const char *said)
{
	static const char *const lines[] = {
		"slabuddy: kmem_cache_create(cache): another cache has this name\n",
		"slabuddy: kmem_cache_create(cache): no memory\n",
		/* what the resize of a pool says; figures follow */
		"slabuddy: out of memory: gfp=PTR, ",
	};

	while (*said) {
		size_t i;

		for (i = 0; i < ARRAY_SIZE(lines); i++) {
			if (!strncmp(said, lines[i], strlen(lines[i])))
				break;
		}
		if (i == ARRAY_SIZE(lines))
			return false;
		said = strchr(said, '\n') + 1;
	}
	return true;
}

static void expect_sound_end(void)
{
	REQUIRE(heap_validate(NULL) == 0);
	expect_end();
}

static unsigned long step(unsigned long first, unsigned long count)
{
	return count == 1 && first > 200 ? 4 : 1;
}

static const struct fault_script api_script = {
	.run = script,
	.end = expect_sound_end,
	.may_say = only_expected_lines,
	.step = step,
};

START_TEST(one_call)
{
	for_each_call(&api_script, 1);
}
END_TEST

START_TEST(a_few_calls)
{
	for_each_call(&api_script, 8);
}
END_TEST

START_TEST(all_calls_from_some_on)
{
	for_each_call(&api_script, ALL_CALLS);
}
END_TEST

/* What the page API gave back serves kmalloc() too, up to the largest block, where the OS has no more. */
static void run_largest(const void *arg)
{
	static const gfp_t ways[] = { GFP, GFP_NOWAIT, GFP | __GFP_ZERO };
	struct page *page;

	(void)arg;
	page = alloc_pages(GFP, MAX_PAGE_ORDER);
	REQUIRE(page);
	memset(page_address(page), 0xff, PAGE_SIZE);
	__free_pages(page, MAX_PAGE_ORDER);
	faulty_os_fail(1, 1000000);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		char *ptr = kmalloc(KMALLOC_MAX_SIZE, ways[i]);

		REQUIRE(ptr && ksize(ptr) == KMALLOC_MAX_SIZE);
		if (ways[i] & __GFP_ZERO)
			REQUIRE(!ptr[0] && !ptr[PAGE_SIZE - 1]);
		ptr[0] = ptr[KMALLOC_MAX_SIZE - 1] = 1;
		kfree(ptr);
		ptr = kvmalloc(KMALLOC_MAX_SIZE / 4 * 3, ways[i]);
		REQUIRE(ptr);
		kvfree(ptr);
	}
	faulty_os_work();
	REQUIRE(heap_validate(NULL) == 0);
}

START_TEST(largest_out_of_free_pages)
{
	struct child_end end;

	run_child(run_largest, NULL, &end);
	ck_assert_msg(!end.status && !end.said[0], "status %#x\n%s", (unsigned int)end.status,
		      end.said);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nth_call_api");
	TCase *tc = tcase_create("nth_call_api");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_test(tc, one_call);
	tcase_add_test(tc, a_few_calls);
	tcase_add_test(tc, all_calls_from_some_on);
	tcase_add_test(tc, largest_out_of_free_pages);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
