/* SPDX-License-Identifier: MIT */
/*
 * The names that programs know, as a program sees them: this one knows nothing of the library and
 * is run with it preloaded (posix_test.sh). The corner cases are those in which other allocators
 * were caught.
 */
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not in every C library's headers. */
void free_sized(void *ptr, size_t size) __attribute__((weak));
void free_aligned_sized(void *ptr, size_t align, size_t size) __attribute__((weak));
size_t nallocx(size_t size, int flags) __attribute__((weak));
void sdallocx(void *ptr, size_t size, int flags) __attribute__((weak));
void cfree(void *ptr) __attribute__((weak));

/* Sizes that no allocator can serve; volatile, so that the compiler does not see it. */
static volatile size_t impossible[] = { PTRDIFF_MAX,	 (size_t)PTRDIFF_MAX + 1,
					SIZE_MAX - 4096, SIZE_MAX - 63,
					SIZE_MAX - 8,	 SIZE_MAX };
#define NR_IMPOSSIBLE (sizeof(impossible) / sizeof(impossible[0]))

static int is_aligned(const void *p, size_t align)
{
	return p && !((uintptr_t)p & (align - 1));
}

static int is_zero(const char *p, size_t bytes)
{
	return !bytes || (!p[0] && !memcmp(p, p + 1, bytes - 1));
}

static void refused(void *p)
{
	ck_assert_ptr_null(p);
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
}

START_TEST(it_is_the_library)
{
	Dl_info info;

	ck_assert(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info));
	ck_assert_msg(strstr(info.dli_fname, "libslabuddy-malloc") != NULL, "%s", info.dli_fname);
	ck_assert(free_sized && free_aligned_sized && nallocx && sdallocx && cfree);
}
END_TEST

START_TEST(oversized_requests)
{
	/* volatile: the compiler does not see that it is still there after a realloc that failed */
	void *volatile p = malloc(10);

	errno = 0;
	for (size_t i = 0; i < NR_IMPOSSIBLE; i++) {
		size_t size = impossible[i];
		void *result = p;

		refused(malloc(size));
		refused(calloc(1, size));
		refused(calloc(size, 2));
		refused(realloc(NULL, size));
		refused(realloc(p, size));
		refused(reallocarray(p, size, 1));
		refused(reallocarray(p, size / 2 + 1, 4));
		refused(aligned_alloc(64, size));
		refused(memalign(64, size));
		refused(valloc(size));
		refused(pvalloc(size));
		ck_assert_int_eq(posix_memalign(&result, 64, size), ENOMEM);
		ck_assert_ptr_eq(result, p); /* untouched */
		ck_assert_int_eq(errno, 0);  /* it returns its error */
	}
	free(p);
}
END_TEST

START_TEST(posix_memalign_arguments)
{
	static const size_t bad[] = { 0, 1, 2, 4, 3, 12, 24, 48, 100, SIZE_MAX };
	void *p = (void *)16;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(posix_memalign(&p, bad[i], 100), EINVAL);
		ck_assert_ptr_eq(p, (void *)16);
	}
	for (size_t align = sizeof(void *); align <= 1 << 22; align *= 2) {
		errno = ERANGE;
		ck_assert_int_eq(posix_memalign(&p, align, 100), 0);
		ck_assert(is_aligned(p, align));
		ck_assert_int_eq(errno, ERANGE);
		free(p);
		ck_assert_int_eq(posix_memalign(&p, align, 0), 0);
		free(p);
	}
	ck_assert_int_eq(posix_memalign(&p, (size_t)1 << 62, 100), ENOMEM);
	ck_assert_int_eq(posix_memalign(&p, (size_t)1 << 63, 1), ENOMEM);
}
END_TEST

START_TEST(aligned_alloc_arguments)
{
	static volatile size_t bad[] = { 0, 3, 24, 100, SIZE_MAX };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		ck_assert_ptr_null(aligned_alloc(bad[i], 100));
		ck_assert_int_eq(errno, EINVAL);
	}
	for (size_t align = 1; align <= 1 << 22; align *= 2) {
		/* the size need not be a multiple (C17) */
		char *p = aligned_alloc(align, align + 1);

		ck_assert(is_aligned(p, align));
		p[align] = 1;
		free(p);
	}
}
END_TEST

/* glibc rounds an alignment that is no power of two up. */
START_TEST(memalign_arguments)
{
	static volatile size_t asked[] = { 0, 1, 3, 24, 100, 3000 };
	static const size_t given[] = { 16, 16, 16, 32, 128, 4096 };
	/* compilers warn of alignments that they know and cannot be */
	static volatile size_t too_large[] = { (size_t)1 << 62, (size_t)1 << 63, SIZE_MAX };

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		void *p = memalign(asked[i], 100);

		ck_assert(is_aligned(p, given[i]));
		free(p);
	}
	errno = 0;
	refused(memalign(too_large[0], 1));
	refused(memalign(too_large[1], 1));
	ck_assert_ptr_null(memalign(too_large[2], 1));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(page_aligned)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	for (size_t size = 0; size < 3 * page; size += 1000) {
		p = valloc(size);
		ck_assert(is_aligned(p, page));
		free(p);
		p = pvalloc(size);
		ck_assert(is_aligned(p, page));
		ck_assert_uint_ge(malloc_usable_size(p),
				  size ? (size + page - 1) / page * page : page);
		free(p);
	}
}
END_TEST

START_TEST(frees)
{
	errno = ERANGE;
	free(NULL);
	cfree(NULL);
	free_sized(NULL, 0);
	free_sized(NULL, 100);
	free_aligned_sized(NULL, 0, 0);
	free_aligned_sized(NULL, 64, 100);
	free(malloc(100));
	cfree(malloc(100));
	free_sized(malloc(100), 100);
	free_sized(malloc(100000), 100000);
	free_aligned_sized(aligned_alloc(256, 1000), 256, 1000);
	sdallocx(malloc(100), 100, 0);
	free(malloc(100000));
	free(malloc(100000000));
	ck_assert_int_eq(errno, ERANGE);
}
END_TEST

START_TEST(reallocs)
{
	char *p = malloc(100);

	memset(p, 7, 100);
	p = reallocarray(p, 1000, 3);
	ck_assert_int_eq(p[99], 7);
	ck_assert_uint_ge(malloc_usable_size(p), 3000);
	/* frees and returns NULL, as glibc */
	ck_assert_ptr_null(realloc(p, 0));
	p = realloc(NULL, 0);
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_null(reallocarray(p, 0, 10));
	p = reallocarray(NULL, 0, 0);
	ck_assert_ptr_nonnull(p);
	free(p);
}
END_TEST

START_TEST(zero_sized_blocks_are_distinct)
{
	void *a = malloc(0), *b = calloc(0, 8), *c = calloc(8, 0);

	ck_assert(a && b && c && a != b && b != c && a != c);
	free(a);
	free(b);
	free(c);
}
END_TEST

START_TEST(small_blocks_are_aligned_to_16)
{
	for (size_t size = 0; size < 300; size++) {
		void *p = malloc(size), *q = calloc(1, size), *r = realloc(NULL, size);

		ck_assert(is_aligned(p, 16) && is_aligned(q, 16) && is_aligned(r, 16));
		free(p);
		free(q);
		free(r);
	}
}
END_TEST

START_TEST(usable_sizes)
{
	ck_assert_uint_eq(malloc_usable_size(NULL), 0);
	for (size_t size = 0; size < 100000; size += 77) {
		char *p = malloc(size);
		size_t usable = malloc_usable_size(p);

		ck_assert_uint_ge(usable, size);
		/* a little more than foretold where pages are recycled */
		ck_assert_uint_ge(usable, nallocx(size, 0));
		ck_assert_uint_le(usable, nallocx(size, 0) * 9 / 8);
		memset(p, 1, usable);
		ck_assert_uint_eq(malloc_usable_size(p), usable);
		ck_assert_ptr_eq(realloc(p, usable), p);
		free(p);
	}
	ck_assert_uint_ge(nallocx(100, 12), 100); /* aligned to 1 << 12 */
	ck_assert_uint_eq(nallocx(SIZE_MAX, 0), 0);
	ck_assert_uint_eq(nallocx(1, 63), 0);
}
END_TEST

START_TEST(calloc_is_zero)
{
	for (size_t size = 1; size < 3000000; size = size * 5 / 4 + 1) {
		char *p = malloc(size);

		memset(p, 0xee, malloc_usable_size(p));
		free(p);
		p = calloc(1, size);
		ck_assert(is_zero(p, size));
		free(p);
	}
}
END_TEST

/* Programs rely on 1 being returned. */
START_TEST(mallopt_of_glibc)
{
	static const int known[] = { M_MXFAST,	       M_TRIM_THRESHOLD, M_TOP_PAD,
				     M_MMAP_THRESHOLD, M_MMAP_MAX,	 M_CHECK_ACTION,
				     M_PERTURB,	       M_ARENA_TEST,	 M_ARENA_MAX };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ck_assert_int_eq(mallopt(known[i], 1), 1);
	ck_assert_int_eq(mallopt(12345, 1), 0);
}
END_TEST

static size_t resident(void)
{
	unsigned long size, pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	ck_assert_int_eq(fscanf(file, "%lu %lu", &size, &pages), 2);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* mallinfo()'s members are too small, which is why it is deprecated; programs call it all the same.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static size_t old_uordblks(void)
{
	struct mallinfo info = mallinfo();

	return (size_t)(unsigned int)info.uordblks;
}
#pragma GCC diagnostic pop

#define NR_BLOCKS 10486 /* of 1000 bytes: 10 MiB */
static void *blocks[NR_BLOCKS];

START_TEST(figures_are_true)
{
	const size_t bytes = (size_t)NR_BLOCKS * 1000;
	struct mallinfo2 before = mallinfo2(), full, freed, trimmed;
	size_t resident_full;

	for (int i = 0; i < NR_BLOCKS; i++) {
		blocks[i] = malloc(1000);
		memset(blocks[i], 1, 1000);
	}
	full = mallinfo2();
	resident_full = resident();
	ck_assert_uint_ge(full.uordblks - before.uordblks, bytes);
	ck_assert_uint_le(full.uordblks - before.uordblks, bytes + bytes / 8);
	ck_assert_uint_ge(full.arena, full.uordblks);
	ck_assert_uint_eq(old_uordblks(), full.uordblks);

	for (int i = 0; i < NR_BLOCKS; i++)
		free(blocks[i]);
	freed = mallinfo2();
	ck_assert_uint_le(freed.uordblks, before.uordblks + 100000);
	malloc_trim(0);
	trimmed = mallinfo2();
	ck_assert_uint_lt(trimmed.fordblks, freed.fordblks);
	ck_assert_uint_lt(trimmed.fordblks, 1 << 20);
	ck_assert_uint_lt(resident(), resident_full - bytes * 9 / 10);
}
END_TEST

START_TEST(mappings_are_counted)
{
	struct mallinfo2 before = mallinfo2(), now;
	void *p = malloc(50 << 20);

	now = mallinfo2();
	ck_assert_uint_eq(now.hblks - before.hblks, 1);
	ck_assert_uint_ge(now.hblkhd - before.hblkhd, 50 << 20);
	free(p);
	ck_assert_uint_eq(mallinfo2().hblks, before.hblks);
}
END_TEST

START_TEST(malloc_info_is_ours)
{
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);
	unsigned long in_use = 0;
	const char *system;

	for (int i = 0; i < NR_BLOCKS; i++)
		blocks[i] = malloc(1000);
	ck_assert_int_eq(malloc_info(0, file), 0);
	fclose(file);
	ck_assert_ptr_eq(strstr(text, "<malloc version=\"1\">"), text);
	system = strstr(text, "<system type=\"current\" size=\"");
	ck_assert_ptr_nonnull(system);
	ck_assert_int_eq(sscanf(system, "<system type=\"current\" size=\"%lu\"", &in_use), 1);
	ck_assert_uint_ge(in_use, 10 << 20);
	free(text);
	for (int i = 0; i < NR_BLOCKS; i++)
		free(blocks[i]);
	errno = 0;
	ck_assert_int_eq(malloc_info(1, stdout), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(malloc_stats_goes_to_stderr)
{
	FILE *file = tmpfile();
	char line[200] = "";
	int copy = dup(STDERR_FILENO);

	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	malloc_stats();
	fflush(stderr);
	dup2(copy, STDERR_FILENO);
	rewind(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
	ck_assert_ptr_nonnull(strstr(line, "slabuddy"));
	fclose(file);
}
END_TEST

/* libcheck itself runs on the library, with a child for each test. */
int main(void)
{
	TCase *tc = tcase_create("malloc/posix");
	Suite *suite = suite_create("malloc/posix");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_test(tc, it_is_the_library);
	tcase_add_test(tc, oversized_requests);
	tcase_add_test(tc, posix_memalign_arguments);
	tcase_add_test(tc, aligned_alloc_arguments);
	tcase_add_test(tc, memalign_arguments);
	tcase_add_test(tc, page_aligned);
	tcase_add_test(tc, frees);
	tcase_add_test(tc, reallocs);
	tcase_add_test(tc, zero_sized_blocks_are_distinct);
	tcase_add_test(tc, small_blocks_are_aligned_to_16);
	tcase_add_test(tc, usable_sizes);
	tcase_add_test(tc, calloc_is_zero);
	tcase_add_test(tc, mallopt_of_glibc);
	tcase_add_test(tc, figures_are_true);
	tcase_add_test(tc, mappings_are_counted);
	tcase_add_test(tc, malloc_info_is_ours);
	tcase_add_test(tc, malloc_stats_goes_to_stderr);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
