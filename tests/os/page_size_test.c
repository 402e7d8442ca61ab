/* SPDX-License-Identifier: MIT */
/*
 * A hardware page of 16 and 64 KiB, simulated: the linker puts these wrappers between the heap and
 * os/, which hold every address and size against the page that the heap was told.
 */
#include <string.h>

#include "../testing.h"
#include "malloc/heap.h"
#include "malloc/info.h"
#include "malloc/large.h"
#include "os/info.h"
#include "os/mem.h"

size_t __real_os_page_size(void);
void *__real_os_reserve(void *hint, size_t bytes, size_t align);
int __real_os_commit(void *addr, size_t bytes);
void *__real_os_map(size_t bytes, size_t align);
int __real_os_discard(void *addr, size_t bytes);
int __real_os_unmap(void *addr, size_t bytes);
size_t __real_os_resident_bytes(const void *addr, size_t bytes);

size_t __wrap_os_page_size(void);
void *__wrap_os_reserve(void *hint, size_t bytes, size_t align);
int __wrap_os_commit(void *addr, size_t bytes);
void *__wrap_os_map(size_t bytes, size_t align);
void *__wrap_os_remap(void *addr, size_t old_bytes, size_t new_bytes);
int __wrap_os_discard(void *addr, size_t bytes);
int __wrap_os_unmap(void *addr, size_t bytes);
size_t __wrap_os_resident_bytes(const void *addr, size_t bytes);

static size_t simulated;
static unsigned long calls, discards, bad_calls;

size_t __wrap_os_page_size(void)
{
	return simulated ? simulated : __real_os_page_size();
}

/* Counted, not asserted: locks may be held, and a failing check would run the exit handlers. */
static void look_at(uintptr_t addr, size_t bytes)
{
	calls++;
	bad_calls +=
		!IS_ALIGNED(addr, os_page_size()) || !IS_ALIGNED(bytes, os_page_size()) || !bytes;
}

void *__wrap_os_reserve(void *hint, size_t bytes, size_t align)
{
	look_at((uintptr_t)hint, bytes);
	return __real_os_reserve(hint, bytes, MAX(align, os_page_size()));
}

int __wrap_os_commit(void *addr, size_t bytes)
{
	look_at((uintptr_t)addr, bytes);
	return __real_os_commit(addr, bytes);
}

void *__wrap_os_map(size_t bytes, size_t align)
{
	look_at(align, bytes);
	return __real_os_map(bytes, MAX(align, os_page_size()));
}

/* mremap() would align to the real page: so by hand. */
void *__wrap_os_remap(void *addr, size_t old_bytes, size_t new_bytes)
{
	void *now = __real_os_map(new_bytes, os_page_size());

	look_at((uintptr_t)addr, old_bytes);
	look_at(0, new_bytes);
	memcpy(now, addr, MIN(old_bytes, new_bytes));
	__real_os_unmap(addr, old_bytes);
	return now;
}

int __wrap_os_discard(void *addr, size_t bytes)
{
	look_at((uintptr_t)addr, bytes);
	discards++;
	return __real_os_discard(addr, bytes);
}

int __wrap_os_unmap(void *addr, size_t bytes)
{
	look_at((uintptr_t)addr, bytes);
	return __real_os_unmap(addr, bytes);
}

size_t __wrap_os_resident_bytes(const void *addr, size_t bytes)
{
	size_t page = simulated, resident;

	look_at((uintptr_t)addr, bytes);
	/* the kernel fills in a byte for each page of its own, of which there are more */
	simulated = 0;
	resident = __real_os_resident_bytes(addr, bytes);
	simulated = page;
	return resident;
}

static const size_t page_sizes[] = { KIB(4), KIB(16), KIB(64) };

/* What the tests allocate: small, large, and larger than half a section. */
static size_t random_size(uint64_t *seed)
{
	switch (random_below(seed, 50)) {
	case 0:
		return MAX_LARGE_BYTES + random_below(seed, MIB(4));
	case 1 ... 10:
		return KIB(32) + random_below(seed, MIB(1));
	default:
		return 1 + random_below(seed, 5000);
	}
}

/* A block's first and last bytes are its own number; more would take long for the huge ones. */
static void mark(unsigned char *p, size_t bytes, unsigned int number)
{
	p[0] = p[bytes - 1] = (unsigned char)number;
}

static void assert_marked(const unsigned char *p, size_t bytes, unsigned int number)
{
	ck_assert_uint_eq(p[0], bytes == 1 ? p[0] : (unsigned char)number);
	ck_assert_uint_eq(p[bytes - 1], (unsigned char)number);
}

#define NR_BLOCKS 300

START_TEST(workload)
{
	static unsigned char *blocks[NR_BLOCKS];
	static size_t sizes[NR_BLOCKS];
	uint64_t seed = test_seed();

	simulated = page_sizes[_i];
	for (int step = 0; step < 6000; step++) {
		unsigned int i = random_below(&seed, NR_BLOCKS);
		size_t size = random_size(&seed);

		if (!blocks[i]) {
			blocks[i] =
				random_below(&seed, 8)
					? heap_malloc(size)
					: heap_aligned((size_t)16 << random_below(&seed, 14), size);
		} else {
			assert_marked(blocks[i], sizes[i], i);
			if (random_below(&seed, 2)) {
				heap_free(blocks[i]);
				blocks[i] = NULL;
				continue;
			}
			blocks[i] = heap_realloc(blocks[i], size);
			ck_assert_uint_eq(blocks[i][0], (unsigned char)i);
		}
		ck_assert_ptr_nonnull(blocks[i]);
		ck_assert_uint_ge(heap_usable_size(blocks[i]), size);
		sizes[i] = size;
		mark(blocks[i], size, i);
		if (step % 1000 == 0) {
			struct heap_figures figures;

			heap_figures(&figures);
			heap_trim();
			assert_heap_sound();
		}
	}
	for (int i = 0; i < NR_BLOCKS; i++)
		heap_free(blocks[i]);
	heap_trim();
	assert_heap_sound();
	ck_assert_uint_gt(calls, 100);
	ck_assert_uint_gt(discards, 10);
	ck_assert_uint_eq(bad_calls, 0);
}
END_TEST

START_TEST(zeroed_memory_is_zero)
{
	uint64_t seed = test_seed();

	simulated = page_sizes[_i];
	for (int round = 0; round < 300; round++) {
		size_t size = 1 + random_below(&seed, MIB(1));
		char *p = heap_calloc(1, size);

		ck_assert(all_zero(p, size));
		memset(p, 0xee, size);
		heap_free(p);
		if (round % 10 == 0)
			heap_trim();
	}
	assert_heap_sound();
	ck_assert_uint_eq(bad_calls, 0);
}
END_TEST

/* What a block can hold is a matter of the page too where it is a mapping of its own. */
START_TEST(usable_sizes)
{
	simulated = page_sizes[_i];
	for (size_t size = MAX_LARGE_BYTES - 5000; size < MAX_LARGE_BYTES + 20000; size += 999) {
		char *p = heap_malloc(size);

		ck_assert_uint_eq(heap_good_size(1, size), heap_usable_size(p));
		p[heap_usable_size(p) - 1] = 1;
		heap_free(p);
	}
}
END_TEST

int main(void)
{
	TCase *tc = test_case("os/page_size");
	const int nr = (int)ARRAY_SIZE(page_sizes);

	tcase_add_loop_test(tc, workload, 0, nr);
	tcase_add_loop_test(tc, zeroed_memory_is_zero, 0, nr);
	tcase_add_loop_test(tc, usable_sizes, 0, nr);
	return test_run(tc);
}
