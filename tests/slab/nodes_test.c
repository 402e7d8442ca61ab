/* SPDX-License-Identifier: MIT */
/* A node that has no memory left takes what the others have: free objects first, then slabs. */
#include <stdlib.h>

#include "../own_slot.h"
#include "../testing.h"
#include "base/option.h"
#include "buddy/page_alloc.h"
#include "os/mem.h"
#include "slab/alloc.h"
#include "slab/geometry.h"
#include "slab/slab.h"

static bool refuse;

void *__real_os_reserve(void *hint, size_t bytes, size_t align);
void *__wrap_os_reserve(void *hint, size_t bytes, size_t align);
int __real_os_commit(void *addr, size_t bytes);
int __wrap_os_commit(void *addr, size_t bytes);

void *__wrap_os_reserve(void *hint, size_t bytes, size_t align)
{
	return refuse ? NULL : __real_os_reserve(hint, bytes, align);
}

int __wrap_os_commit(void *addr, size_t bytes)
{
	return refuse ? -12 : __real_os_commit(addr, bytes);
}

static struct kmem_cache cache;
static unsigned int constructed;

static void construct(void *object)
{
	(void)object;
	constructed++;
}

/* Both nodes come to life, this thread's with few pages and the other one with many, and then the OS has
 * no more. */
static void make(void (*ctor)(void *object))
{
	unsigned int near;

	ck_assert_int_eq(options_parse("numa=fake=2", "test"), 0);
	take_own_slot();
	near = this_slot->nid;
	ck_assert_int_eq(cache_setup(&cache, &(struct cache_params){ .name = "test",
								     .size = 1000,
								     .max_order = SLAB_MAX_ORDER,
								     .ctor = ctor }),
			 0);
	page_free_exact(page_alloc_exact(1 - near, 0, 256, 0, NULL, NULL), NULL, 0);
	/* what is left of the first pageblock */
	ck_assert_ptr_nonnull(page_alloc_exact(near, 0, 400, 0, NULL, NULL));
	refuse = true;
}

START_TEST(everything_is_used)
{
	size_t objects = 0, slabs;
	struct cache_count count;
	void *object;

	make(_i ? construct : NULL);
	while ((object = _i & 2 ? cache_alloc_node_slow(&cache, this_slot->nid) :
				  cache_alloc_slow(&cache)))
		objects++;
	cache_count(&cache, &count);
	slabs = count.slabs;
	/* the other node's pages too, and no slab was begun before the last one was used up */
	ck_assert_uint_gt(slabs * (1U << cache.order), 256);
	ck_assert_uint_eq(objects + count.in_slots, slabs * cache.objects);
	ck_assert_uint_lt(count.in_slots, 2);
	if (_i)
		ck_assert_uint_eq(constructed, slabs * cache.objects);
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("slab/nodes");

	tcase_add_loop_test(tc, everything_is_used, 0, 4);
	return test_run(tc);
}
