/* SPDX-License-Identifier: MIT */
/*
 * Mappings that the OS does not take back, as at the limit of their number: the memory goes all the
 * same, and the addresses serve again.
 */
#include <errno.h>
#include <string.h>

#include "../testing.h"
#include "malloc/heap.h"
#include "malloc/huge.h"
#include "malloc/info.h"
#include "malloc/large.h"
#include "os/mem.h"

#define BYTES (MAX_LARGE_BYTES + MIB(1))

int __real_os_unmap(void *addr, size_t bytes);
int __wrap_os_unmap(void *addr, size_t bytes);
int __real_os_discard(void *addr, size_t bytes);
int __wrap_os_discard(void *addr, size_t bytes);

static bool refuse_unmap, refuse_discard;

int __wrap_os_unmap(void *addr, size_t bytes)
{
	return refuse_unmap ? -ENOMEM : __real_os_unmap(addr, bytes);
}

int __wrap_os_discard(void *addr, size_t bytes)
{
	return refuse_discard ? -EINVAL : __real_os_discard(addr, bytes);
}

/* A block with every page in use. */
static char *make_full(size_t bytes)
{
	char *p = heap_malloc(bytes);

	ck_assert_ptr_nonnull(p);
	memset(p, 0xff, bytes);
	ck_assert_uint_ge(os_resident_bytes(p, BYTES), BYTES);
	return p;
}

static size_t huge_bytes_now(void)
{
	struct heap_figures f;

	heap_figures(&f);
	return f.huge_bytes;
}

START_TEST(memory_goes)
{
	char *p = make_full(BYTES);

	refuse_unmap = true;
	heap_free(p);
	ck_assert_uint_eq(os_resident_bytes(p, BYTES), 0);
	ck_assert_uint_eq(huge_bytes_now(), 0);
	assert_heap_sound();
}
END_TEST

START_TEST(addresses_serve_again)
{
	char *p = make_full(BYTES), *q;

	refuse_unmap = true;
	for (int round = 0; round < 3; round++) {
		heap_free(p);
		q = heap_calloc(1, BYTES);
		ck_assert_ptr_eq(q, p);
		ck_assert(all_zero(q, BYTES));
		ck_assert_uint_eq(huge_bytes_now(), BYTES);
		memset(q, 0xff, BYTES);
	}
	/* and they do go when the OS thinks better of it */
	refuse_unmap = false;
	heap_free(q);
	ck_assert_uint_eq(huge_bytes_now(), 0);
	assert_heap_sound();
}
END_TEST

/* Only for what they are just right for. */
START_TEST(others_get_others)
{
	char *p = make_full(BYTES), *larger, *aligned, *same;
	size_t align = MIB(64);

	while (IS_ALIGNED((uintptr_t)p, align))
		align *= 2;
	refuse_unmap = true;
	heap_free(p);
	refuse_unmap = false;
	larger = heap_malloc(BYTES + MIB(1));
	aligned = heap_aligned(align, BYTES);
	ck_assert(larger && aligned);
	ck_assert(larger >= p + BYTES || larger + BYTES + MIB(1) <= p);
	ck_assert_ptr_ne(aligned, p);
	ck_assert(IS_ALIGNED((uintptr_t)aligned, align));
	same = heap_malloc(BYTES);
	ck_assert_ptr_eq(same, p);
	/* once only */
	ck_assert_ptr_ne(heap_malloc(BYTES), p);
	assert_heap_sound();
}
END_TEST

/* Where the memory cannot go either, nobody may take it for zeroed: it is given up, with a line. */
START_TEST(neither_way)
{
	char *p = make_full(BYTES), *q;
	const char *said;

	refuse_unmap = refuse_discard = true;
	stderr_capture();
	heap_free(p);
	said = stderr_captured();
	ck_assert_uint_eq(count_char(said, '\n'), 1);
	ck_assert_ptr_nonnull(strstr(said, "back neither way"));
	q = heap_calloc(1, BYTES);
	ck_assert_ptr_ne(q, p);
	ck_assert(all_zero(q, BYTES));
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("malloc/stuck_mapping");

	tcase_add_test(tc, memory_goes);
	tcase_add_test(tc, addresses_serve_again);
	tcase_add_test(tc, others_get_others);
	tcase_add_test(tc, neither_way);
	return test_run(tc);
}
