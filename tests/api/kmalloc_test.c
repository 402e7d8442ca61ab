/* SPDX-License-Identifier: MIT */
/* The kmalloc family: the kernel's answers, sizes and alignments, zeroes, nodes and zones. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <slabuddy/report.h>
#include <slabuddy/slab.h>
#include <slabuddy/slabuddy.h>

#include "../testing.h"
#include "fault/faulty_os.h"

static void refuse_everything(void)
{
	faulty_os_fail(1, (unsigned long)-1 / 2);
}

START_TEST(nothing)
{
	ck_assert_ptr_eq(kmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	ck_assert_ptr_eq(kzalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	ck_assert_ptr_eq(kmalloc(0, GFP_DMA), ZERO_SIZE_PTR);
	ck_assert_ptr_eq(kmalloc_node(0, GFP_KERNEL, 0), ZERO_SIZE_PTR);
	ck_assert_ptr_eq(kmalloc_array(0, 7, GFP_KERNEL), ZERO_SIZE_PTR);
	ck_assert_ptr_eq(kcalloc(7, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	ck_assert_ptr_eq(kvmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	ck_assert_ptr_eq(kmemdup("", 0, GFP_KERNEL), ZERO_SIZE_PTR);
	ck_assert_uint_eq(ksize(ZERO_SIZE_PTR), 0);
	ck_assert_uint_eq(ksize(NULL), 0);
	ck_assert_uint_eq(kmalloc_size_roundup(0), 0);
	kfree(NULL);
	kfree(ZERO_SIZE_PTR);
	kfree_sensitive(NULL);
	kfree_sensitive(ZERO_SIZE_PTR);
	kvfree(NULL);
	kvfree(ZERO_SIZE_PTR);
	kvfree_sensitive(ZERO_SIZE_PTR, 0);
	ck_assert_ptr_null(kstrdup(NULL, GFP_KERNEL));
	ck_assert_ptr_null(kstrndup(NULL, 5, GFP_KERNEL));
	ck_assert_ptr_null(kmemdup_nul(NULL, 5, GFP_KERNEL));
}
END_TEST

/* Sizes around each boundary there is. */
static size_t next_size(size_t size)
{
	if (size < 520)
		return size + 1;
	if (is_power_of_2(size - 1))
		return (size - 1) * 2 - 1;
	return size + 1;
}

START_TEST(sizes_and_alignment)
{
	for (size_t size = 1; size <= KMALLOC_MAX_SIZE; size = next_size(size)) {
		char *ptr = kmalloc(size, GFP_KERNEL);
		size_t align = is_power_of_2(size) ? size : KMALLOC_MIN_SIZE;

		ck_assert_ptr_nonnull(ptr);
		ck_assert_msg((uintptr_t)ptr % align == 0, "kmalloc(%zu) is %p", size, (void *)ptr);
		ck_assert_uint_ge(ksize(ptr), size);
		ck_assert_uint_ge(kmalloc_size_roundup(size), size);
		ck_assert_uint_le(kmalloc_size_roundup(size), ksize(ptr));
		memset(ptr, 0x5a, ksize(ptr));
		kfree(ptr);
		ptr = kzalloc(size, GFP_KERNEL);
		ck_assert_ptr_nonnull(ptr);
		ck_assert_uint_eq((uintptr_t)ptr % align, 0);
		ck_assert(all_zero(ptr, ksize(ptr)));
		kfree(ptr);
	}
	assert_heap_sound();
}
END_TEST

/* Red zones between them, and still where they would be. */
START_TEST(alignment_of_watched_caches)
{
	slabuddy_option("slab_debug=FZPU");
	for (size_t size = 8; size <= KMALLOC_MAX_CACHE_SIZE; size *= 2) {
		void *ptrs[5];

		for (int i = 0; i < 5; i++) {
			ptrs[i] = i % 2 ? kmalloc(size, GFP_KERNEL) : kzalloc(size, GFP_KERNEL | GFP_DMA32);
			ck_assert_ptr_nonnull(ptrs[i]);
			ck_assert_uint_eq((uintptr_t)ptrs[i] % size, 0);
		}
		for (int i = 0; i < 5; i++)
			kfree(ptrs[i]);
	}
	assert_heap_sound();
}
END_TEST

START_TEST(too_large)
{
	static const size_t sizes[] = { KMALLOC_MAX_SIZE + 1, PTRDIFF_MAX, SIZE_MAX };
	char line[200];

	stderr_capture();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ck_assert_ptr_null(kmalloc(sizes[i], GFP_KERNEL | __GFP_NOWARN));
		ck_assert_ptr_null(kzalloc_node(sizes[i], GFP_KERNEL | __GFP_NOWARN, 0));
		ck_assert_ptr_null(krealloc(NULL, sizes[i], GFP_KERNEL | __GFP_NOWARN));
		ck_assert_uint_eq(kmalloc_size_roundup(sizes[i]), sizes[i]);
	}
	ck_assert_ptr_null(kvmalloc(SIZE_MAX, GFP_KERNEL | __GFP_NOWARN));
	ck_assert_ptr_null(kvrealloc(NULL, SIZE_MAX, GFP_KERNEL | __GFP_NOWARN));
	ck_assert_str_eq(stderr_captured(), "");
	stderr_capture();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		ck_assert_ptr_null(kmalloc(sizes[i], GFP_KERNEL));
	snprintf(line, sizeof(line), "slabuddy: kmalloc(): %lu bytes are more than KMALLOC_MAX_SIZE\n",
		 KMALLOC_MAX_SIZE + 1);
	ck_assert_str_eq(stderr_captured(), line);
}
END_TEST

START_TEST(products_that_overflow)
{
	size_t nr = SIZE_MAX / 16 + 2;
	char *ptr = kmalloc(100, GFP_KERNEL);

	memset(ptr, 1, 100);
	stderr_capture();
	ck_assert_ptr_null(kmalloc_array(nr, 16, GFP_KERNEL));
	ck_assert_ptr_null(kcalloc(16, nr, GFP_KERNEL));
	ck_assert_ptr_null(kvmalloc_array(nr, 16, GFP_KERNEL));
	ck_assert_ptr_null(kvcalloc(nr, 16, GFP_KERNEL));
	ck_assert_ptr_null(krealloc_array(ptr, nr, 16, GFP_KERNEL));
	ck_assert_ptr_null(kmemdup_array(ptr, nr, 16, GFP_KERNEL));
	ck_assert_ptr_null(kmemdup_nul("x", SIZE_MAX, GFP_KERNEL));
	ck_assert_str_eq(stderr_captured(), "");
	ck_assert_int_eq(ptr[99], 1);
	kfree(ptr);
}
END_TEST

/* What test_meminit does in the kernel: memory full of something goes back, and comes out as zeroes. */
#define NR_DIRTY 10

static void expect_zeroes(size_t size, void *(*alloc)(size_t size, gfp_t gfp))
{
	void *ptrs[NR_DIRTY];

	for (int i = 0; i < NR_DIRTY; i++) {
		ptrs[i] = alloc(size, GFP_KERNEL);
		memset(ptrs[i], 0xab, ksize(ptrs[i]));
	}
	for (int i = 0; i < NR_DIRTY; i++)
		kvfree(ptrs[i]);
	for (int i = 0; i < NR_DIRTY; i++) {
		ptrs[i] = alloc(size, GFP_KERNEL | __GFP_ZERO);
		ck_assert_msg(all_zero(ptrs[i], ksize(ptrs[i])), "%zu bytes", size);
	}
	for (int i = 0; i < NR_DIRTY; i++)
		kvfree(ptrs[i]);
}

START_TEST(zeroes_of_kmalloc)
{
	for (int shift = 0; shift < 20; shift++) {
		expect_zeroes((size_t)1 << shift, kmalloc);
		expect_zeroes(((size_t)1 << shift) + 13, kmalloc);
		expect_zeroes((size_t)1 << shift, kvmalloc);
		expect_zeroes(((size_t)3 << shift) + 5, kvmalloc);
	}
	expect_zeroes(KMALLOC_MAX_SIZE / 8, kvmalloc);
	assert_heap_sound();
}
END_TEST

START_TEST(zeroes_of_pages)
{
	for (unsigned int order = 0; order <= 10; order++) {
		for (int round = 0; round < 2; round++) {
			gfp_t zero = round ? __GFP_ZERO : 0;
			unsigned long addr = __get_free_pages(GFP_KERNEL | zero, order);

			ck_assert_uint_ne(addr, 0);
			if (round)
				ck_assert(all_zero((void *)addr, PAGE_SIZE << order));
			memset((void *)addr, 0xab, PAGE_SIZE << order);
			free_pages(addr, order);
		}
	}
}
END_TEST

#define CTOR_BYTE 0x41

static size_t ctor_size;

static void construct(void *object)
{
	memset(object, CTOR_BYTE, ctor_size);
}

static bool filled(const unsigned char *bytes, size_t size, unsigned char byte)
{
	while (size && *bytes == byte) {
		bytes++;
		size--;
	}
	return !size;
}

/* Sizes × constructor × zero × bulk. */
START_TEST(zeroes_and_constructors_of_caches)
{
	for (unsigned int size = 8; size <= 4096; size *= 2) {
		for (unsigned int mode = 0; mode < 8; mode++) {
			bool ctor = mode & 1, zero = mode & 2, bulk = mode & 4;
			gfp_t gfp = GFP_KERNEL | (zero ? __GFP_ZERO : 0);
			struct kmem_cache *cache;
			void *objects[NR_DIRTY];

			if (ctor && zero)
				continue;
			ctor_size = size;
			cache = kmem_cache_create("meminit", size, 0, SLAB_NO_MERGE,
						  ctor ? construct : NULL);
			for (int round = 0; round < 3; round++) {
				if (bulk)
					ck_assert_int_eq(kmem_cache_alloc_bulk(cache, gfp, NR_DIRTY,
									       objects),
							 NR_DIRTY);
				for (int i = 0; i < NR_DIRTY; i++) {
					if (!bulk)
						objects[i] = kmem_cache_alloc(cache, gfp);
					if (zero)
						ck_assert(all_zero(objects[i], size));
					if (ctor)
						ck_assert(filled(objects[i], size, CTOR_BYTE));
					memset(objects[i], ctor ? CTOR_BYTE : 0xab, size);
				}
				if (bulk)
					kmem_cache_free_bulk(cache, NR_DIRTY, objects);
				for (int i = 0; i < NR_DIRTY && !bulk; i++)
					kmem_cache_free(cache, objects[i]);
			}
			kmem_cache_destroy(cache);
		}
	}
	assert_heap_sound();
}
END_TEST

START_TEST(krealloc_keeps_contents)
{
	static const size_t sizes[] = { 1,     16,     100,    112,   90,     5000,	32768,	 32769,
					65536, 200000, 131072, 70000, 50,     3 << 20, 17 << 20, 1000,
					48 << 20, 64 << 20, 40000, 32768, 10 };
	size_t before = 0;
	char *ptr = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t kept = MIN(before, sizes[i]);

		ptr = krealloc(ptr, sizes[i], GFP_KERNEL);
		ck_assert_ptr_nonnull(ptr);
		ck_assert_uint_ge(ksize(ptr), sizes[i]);
		ck_assert(filled_with(ptr, kept, 7));
		/* a block that grew is aligned like a new one */
		if (sizes[i] > before && is_power_of_2(sizes[i]))
			ck_assert_uint_eq((uintptr_t)ptr % sizes[i], 0);
		fill_bytes(ptr, sizes[i], 7);
		before = sizes[i];
	}
	ck_assert_ptr_eq(krealloc(ptr, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	ptr = krealloc(ZERO_SIZE_PTR, 10, GFP_KERNEL);
	ck_assert_ptr_nonnull(ptr);
	ptr = krealloc_array(ptr, 10, 10, GFP_KERNEL);
	ck_assert_uint_ge(ksize(ptr), 100);
	kfree(ptr);
	ptr = kvrealloc(NULL, 80 << 20, GFP_KERNEL);
	ck_assert_ptr_nonnull(ptr);
	fill_bytes(ptr, 1000, 8);
	ptr = kvrealloc(ptr, 1000, GFP_KERNEL);
	ck_assert(filled_with(ptr, 1000, 8));
	ck_assert_ptr_eq(kvrealloc(ptr, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_heap_sound();
}
END_TEST

/* Up and down, __GFP_ZERO each time: whatever lies behind what was asked for before reads as zero. */
START_TEST(krealloc_with_zero)
{
	static void *(*const functions[])(const void *ptr, size_t size, gfp_t gfp) = { krealloc,
										      kvrealloc };
	uint64_t seed = test_seed();

	for (int round = 0; round < 300; round++) {
		void *(*realloc_fn)(const void *, size_t, gfp_t) = functions[round % 2];
		unsigned int max = round % 3 ? 300 : round % 5 ? 70000 : 2 << 20;
		unsigned char *ptr = NULL;
		size_t before = 0;

		/* something to find there */
		void *dirt = kmalloc(max, GFP_KERNEL);

		memset(dirt, 0xab, max);
		kfree(dirt);
		for (int i = 0; i < 10; i++) {
			size_t size = 1 + random_below(&seed, max);

			ptr = realloc_fn(ptr, size, GFP_KERNEL | __GFP_ZERO);
			ck_assert_ptr_nonnull(ptr);
			if (size > before)
				ck_assert_msg(all_zero(ptr + before, size - before), "%zu to %zu",
					      before, size);
			memset(ptr, 0xab, size);
			before = size;
		}
		kfree(ptr);
	}
	assert_heap_sound();
}
END_TEST

START_TEST(without_memory_everything_stays)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;
	char *small = kmalloc(100, GFP_KERNEL), *large = kmalloc(100000, GFP_KERNEL);
	char *ptr;

	fill_bytes(small, 100, 1);
	fill_bytes(large, 100000, 2);
	refuse_everything();
	errno = 12345;
	ck_assert_ptr_null(kmalloc(50 << 20, gfp));
	ck_assert_ptr_null(kzalloc(48 << 20, gfp));
	ck_assert_ptr_null(kvmalloc(100 << 20, gfp));
	ck_assert_ptr_null(kmalloc_node(50 << 20, gfp, 0));
	ck_assert_ptr_null(kmalloc(50 << 20, gfp | GFP_DMA32));
	ck_assert_ptr_null(kmalloc(100, gfp | GFP_DMA32));
	ck_assert_ptr_null(krealloc(small, 50 << 20, gfp));
	ck_assert_ptr_null(krealloc(large, 64 << 20, gfp));
	ck_assert_ptr_null(kvrealloc(large, 100 << 20, gfp));
	ck_assert_ptr_null(kmemdup(large, 50 << 20, gfp));
	ck_assert_ptr_null(kasprintf(gfp, "%*s", 50 << 20, ""));
	while ((ptr = kmalloc(5000, gfp)))
		;
	ck_assert_int_eq(errno, 12345);
	faulty_os_work();
	ck_assert(filled_with(small, 100, 1));
	ck_assert(filled_with(large, 100000, 2));
	ptr = kmalloc(100, GFP_DMA32);
	ck_assert_ptr_nonnull(ptr);
	kfree(ptr);
	kfree(small);
	kfree(large);
	ck_assert_int_eq(errno, 12345);
	assert_heap_sound();
}
END_TEST

START_TEST(failure_is_told_once)
{
	refuse_everything();
	stderr_capture();
	ck_assert_ptr_null(kmalloc(50 << 20, GFP_KERNEL));
	ck_assert_ptr_null(kvmalloc(50 << 20, GFP_KERNEL));
	ck_assert_uint_eq(count_char(stderr_captured(), '\n'), 1);
}
END_TEST

START_TEST(sensitive)
{
	static const size_t sizes[] = { 64, 40000 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t bytes = sizes[i], found = 0;
		unsigned char *ptr = kmalloc(bytes, GFP_KERNEL), *again;

		memset(ptr, 0x77, ksize(ptr));
		kfree_sensitive(ptr);
		again = kmalloc(bytes, GFP_KERNEL);
		for (size_t k = 0; k < bytes; k++)
			found += again[k] == 0x77;
		ck_assert_ptr_eq(again, ptr);
		ck_assert_uint_eq(found, 0);
		memset(again, 0x77, bytes);
		kvfree_sensitive(again, bytes);
		again = kvmalloc(bytes, GFP_KERNEL);
		for (size_t k = 0; k < bytes; k++)
			found += again[k] == 0x77;
		ck_assert_uint_eq(found, 0);
		kvfree(again);
	}
}
END_TEST

START_TEST(ksize_of_everything)
{
	struct kmem_cache *cache = kmem_cache_create("odd", 33, 0, 0, construct);
	void *object, *huge = kvmalloc(100 << 20, GFP_KERNEL), *theirs = malloc(100);
	unsigned long page = __get_free_page(GFP_KERNEL);
	int local;

	ctor_size = 33;
	object = kmem_cache_alloc(cache, GFP_KERNEL);
	/* what lies behind it is not the program's */
	ck_assert_uint_eq(ksize(object), 33);
	ck_assert_uint_eq(ksize((char *)object + 8), 0);
	ck_assert_uint_ge(ksize(huge), 100 << 20);
	ck_assert_uint_eq(ksize(theirs), 0);
	ck_assert_uint_eq(ksize(&local), 0);
	ck_assert_uint_eq(ksize((void *)page), 0);
	free_page(page);
	free(theirs);
	kfree(huge);
	kfree(object);
	kmem_cache_destroy(cache);
}
END_TEST

START_TEST(copies)
{
	static const unsigned short numbers[] = { 1, 2, 3 };
	unsigned short *array = kmemdup_array(numbers, 3, sizeof(numbers[0]), GFP_KERNEL);
	char *text;

	ck_assert_mem_eq(array, numbers, sizeof(numbers));
	kfree(array);
	text = kmemdup_nul("abcdef", 3, GFP_KERNEL);
	ck_assert_str_eq(text, "abc");
	kfree(text);
	text = kstrdup("", GFP_KERNEL);
	ck_assert_str_eq(text, "");
	kfree(text);
	text = kstrdup("text", GFP_KERNEL);
	ck_assert_str_eq(text, "text");
	kfree(text);
	text = kstrndup("text", 2, GFP_KERNEL);
	ck_assert_str_eq(text, "te");
	kfree(text);
	text = kstrndup("text", 100, GFP_KERNEL);
	ck_assert_str_eq(text, "text");
	kfree(text);
	text = kasprintf(GFP_KERNEL, "%s-%d", "kmalloc", 32);
	ck_assert_str_eq(text, "kmalloc-32");
	kfree(text);
	text = kasprintf(GFP_KERNEL, "%1000d", 1);
	ck_assert_uint_eq(strlen(text), 1000);
	kfree(text);
	assert_heap_sound();
}
END_TEST

static const size_t special_sizes[] = { 1, 8, 16, 17, 100, 4096, 5000, 32768, 32769, 65536, 1000000 };

START_TEST(below_4_gib)
{
	char *ptr;

	for (size_t i = 0; i < ARRAY_SIZE(special_sizes); i++) {
		size_t size = special_sizes[i];
		size_t align = is_power_of_2(size) ? size : KMALLOC_MIN_SIZE;

		ptr = kzalloc(size, GFP_KERNEL | GFP_DMA32);
		ck_assert_ptr_nonnull(ptr);
		ck_assert_uint_eq((uintptr_t)ptr % align, 0);
		ck_assert_uint_le((uintptr_t)ptr + size, 1UL << 32);
		ck_assert_uint_ge(ksize(ptr), size);
		ck_assert(all_zero(ptr, ksize(ptr)));
		fill_bytes(ptr, size, i);
		ptr = krealloc(ptr, size * 3, GFP_KERNEL | GFP_DMA32);
		ck_assert_uint_le((uintptr_t)ptr + size * 3, 1UL << 32);
		ck_assert(filled_with(ptr, size, i));
		ptr = krealloc(ptr, size / 3 + 1, GFP_KERNEL | GFP_DMA32);
		ck_assert_uint_le((uintptr_t)ptr, 1UL << 32);
		ck_assert(filled_with(ptr, MIN(size, size / 3 + 1), i));
		kfree(ptr);
	}
	ptr = kvmalloc(KMALLOC_MAX_SIZE, GFP_KERNEL | GFP_DMA32);
	ck_assert_uint_le((uintptr_t)ptr + KMALLOC_MAX_SIZE, 1UL << 32);
	kvfree(ptr);
	/* no zone has so much in sequence, and other memory would not do */
	ck_assert_ptr_null(kvmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL | GFP_DMA32 | __GFP_NOWARN));
	assert_heap_sound();
}
END_TEST

static bool in_slabinfo(const char *name)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool found;

	slabuddy_slabinfo(out);
	fclose(out);
	found = strstr(text, name);
	free(text);
	return found;
}

/* Half a mebibyte that may be locked, or the case has nothing to look at. */
static bool may_lock(void)
{
	struct rlimit limit;

	return !getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_cur >= 8 << 20;
}

START_TEST(locked)
{
	ck_assert(!in_slabinfo("dma-kmalloc"));
	if (!may_lock())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(special_sizes); i++) {
		long before = zone_page_state(0, "DMA", ZONE_ITEM_FREE);
		char *ptr = kmalloc(special_sizes[i], GFP_KERNEL | GFP_DMA);

		ck_assert_ptr_nonnull(ptr);
		memset(ptr, 1, special_sizes[i]);
		if (special_sizes[i] > 32768)
			ck_assert_int_ne(before, zone_page_state(0, "DMA", ZONE_ITEM_FREE));
		kfree(ptr);
	}
	ck_assert(in_slabinfo("\ndma-kmalloc-16 "));
	ck_assert(in_slabinfo("\ndma-kmalloc-32768 "));
	ck_assert(!in_slabinfo("\ndma-kmalloc-64 "));
	ck_assert(!in_slabinfo("dma32-kmalloc"));
	assert_heap_sound();
}
END_TEST

static void *use_special(void *unused)
{
	void *ptrs[12];

	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 12; i++) {
			ptrs[i] = kmalloc((size_t)16 << i, GFP_KERNEL | GFP_DMA32);
			if (!ptrs[i])
				return use_special;
			memset(ptrs[i], i, (size_t)16 << i);
		}
		for (int i = 0; i < 12; i++)
			kfree(ptrs[i]);
	}
	return unused;
}

/* Each cache is made once, whoever comes first, and no name is said to be taken. */
START_TEST(special_caches_are_made_once)
{
	pthread_t threads[4];
	void *bad;

	stderr_capture();
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, use_special, NULL);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &bad);
		ck_assert_ptr_null(bad);
	}
	ck_assert_str_eq(stderr_captured(), "");
	assert_heap_sound();
}
END_TEST

START_TEST(nodes)
{
	static const size_t sizes[] = { 64, 5000, 100000, 32 << 20 };

	slabuddy_option("numa=fake=2");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (int nid = -1; nid < 3; nid++) {
			void *ptr = kzalloc_node(sizes[i], GFP_KERNEL, nid);

			ck_assert_ptr_nonnull(ptr);
			ck_assert(all_zero(ptr, 64));
			if (nid == 0 || nid == 1)
				ck_assert_int_eq(page_to_nid(virt_to_page(ptr)), nid);
			memset(ptr, 1, sizes[i]);
			kfree(ptr);
			ptr = kvmalloc_node(sizes[i], GFP_KERNEL, nid);
			if (nid == 0 || nid == 1)
				ck_assert_int_eq(page_to_nid(virt_to_page(ptr)), nid);
			kvfree(ptr);
		}
	}
	/* of more than a zone can have in sequence there is no node */
	kvfree(kvmalloc_node(100 << 20, GFP_KERNEL, 1));
	ck_assert_ptr_null(kvmalloc_node(100 << 20, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 1));
	assert_heap_sound();
}
END_TEST

/* One node's objects are used up and the OS gives no more: another node's will do, unless it must not. */
START_TEST(this_node_only)
{
	const gfp_t gfp = GFP_NOWAIT | __GFP_THISNODE;
	void *elsewhere[64], *ptr;

	slabuddy_option("numa=fake=2");
	for (int i = 0; i < 64; i++)
		elsewhere[i] = kmalloc_node(5000, GFP_KERNEL, 0);
	kfree(kmalloc_node(5000, GFP_KERNEL, 1));
	refuse_everything();
	while ((ptr = kmalloc_node(5000, gfp, 1)))
		ck_assert_int_eq(page_to_nid(virt_to_page(ptr)), 1);
	for (int i = 0; i < 64; i++)
		kfree(elsewhere[i]);
	/* what a sheaf had of it may have gone back to its slab meanwhile */
	while ((ptr = kmalloc_node(5000, gfp, 1)))
		ck_assert_int_eq(page_to_nid(virt_to_page(ptr)), 1);
	ptr = kmalloc_node(5000, GFP_NOWAIT, 1);
	ck_assert_ptr_nonnull(ptr);
	ck_assert_int_eq(page_to_nid(virt_to_page(ptr)), 0);
	faulty_os_work();
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("kmalloc");

	tcase_add_test(tc, nothing);
	tcase_add_test(tc, sizes_and_alignment);
	tcase_add_test(tc, alignment_of_watched_caches);
	tcase_add_test(tc, too_large);
	tcase_add_test(tc, products_that_overflow);
	tcase_add_test(tc, zeroes_of_kmalloc);
	tcase_add_test(tc, zeroes_of_pages);
	tcase_add_test(tc, zeroes_and_constructors_of_caches);
	tcase_add_test(tc, krealloc_keeps_contents);
	tcase_add_test(tc, krealloc_with_zero);
	tcase_add_test(tc, without_memory_everything_stays);
	tcase_add_test(tc, failure_is_told_once);
	tcase_add_test(tc, sensitive);
	tcase_add_test(tc, ksize_of_everything);
	tcase_add_test(tc, copies);
	tcase_add_test(tc, below_4_gib);
	tcase_add_test(tc, locked);
	tcase_add_test(tc, special_caches_are_made_once);
	tcase_add_test(tc, nodes);
	tcase_add_test(tc, this_node_only);
	return test_run(tc);
}
