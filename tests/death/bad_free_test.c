/* SPDX-License-Identifier: MIT */
/*
 * Every mistake that a program can make with free() and realloc(): the line it costs, word for
 * word, and what follows: SIGABRT, or with bad_free=warn a sound heap in a process that goes on.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/check.h"
#include "base/option.h"
#include "death/child.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "malloc/large.h"
#include "page/page.h"

#define SAYS "slabuddy: free(): "
#define DOUBLE_FREE(size) SAYS "double free of PTR (cache kmalloc-" #size ")\n"
#define NO_OBJECT(size) \
	SAYS "invalid pointer PTR: not the start of an object (cache kmalloc-" #size ")\n"
#define NO_BLOCK SAYS "invalid pointer PTR: not the start of an allocated block\n"
#define FREE_BLOCK SAYS "invalid pointer PTR: this block is free already (double free)\n"
#define NOT_OURS SAYS "invalid pointer PTR: not from this heap\n"

#define HUGE_BYTES (MAX_LARGE_BYTES + PAGE_SIZE)

struct mistake {
	const char *name;
	void (*make)(void);
	const char *line;
};

/* Pointers that cannot be freed, each made afresh. */

static void *inside_object(void)
{
	return (char *)heap_malloc(64) + 16;
}

static void *misaligned(void)
{
	return (char *)heap_malloc(64) + 1;
}

/* A slab of 48-byte objects ends in 16 bytes that are none; they lie at a multiple of 48. */
static void *slab_tail(void)
{
	struct page *slab = NULL;
	struct section *section;
	unsigned int pfn;
	char *p = heap_malloc(48);

	section = addr_to_section(p);
	for (pfn = addr_to_pfn(p); page_type(section_page(section, pfn)) != PAGE_SLAB; pfn--)
		;
	slab = section_page(section, pfn);
	ck_assert_uint_lt(slab->objects * 48U, PAGE_SIZE << slab->order);
	return (char *)page_start(slab) + slab->objects * 48U;
}

static void *inside_large(void)
{
	return (char *)heap_malloc(100000) + 16;
}

static void *page_inside_large(void)
{
	return (char *)heap_malloc(100000) + PAGE_SIZE;
}

static void *freed_large(void)
{
	void *p = heap_malloc(100000);

	heap_free(p);
	return p;
}

/* Its neighbours are free too: no page that the buddy heads starts here any more. */
static void *merged_large(void)
{
	char *blocks[8];
	char *last = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		blocks[i] = heap_malloc(256 << 10);
		last = MAX(last, blocks[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		heap_free(blocks[i]);
	return last;
}

static void *inside_huge(void)
{
	return (char *)heap_malloc(HUGE_BYTES) + PAGE_SIZE;
}

static void *freed_huge(void)
{
	void *p = heap_malloc(HUGE_BYTES);

	heap_free(p);
	return p;
}

/* Below every frame that is in use, so that nothing is read that means something. */
static void *on_stack(void)
{
	volatile uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return (void *)ALIGN_DOWN(here - 4096, 16);
}

static void *in_data(void)
{
	static char data[256] __attribute__((aligned(16)));

	return data + 64;
}

static void *mapped(void)
{
	return mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *inside_mapped(void)
{
	return (char *)mapped() + 4096 + 64;
}

static void *protected(void)
{
	return mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Volatile, or the compiler would know what they are and warn of it. */
static void *address(uintptr_t n)
{
	volatile uintptr_t number = n;

	return (void *)number;
}

static void *one(void)
{
	return address(1);
}

static void *in_null_page(void)
{
	return address(0x10);
}

static void *end_of_null_page(void)
{
	return address(0x1000);
}

static void *not_canonical(void)
{
	return address((uintptr_t)1 << 63 | 0x10);
}

static void *just_beyond_user_space(void)
{
	return address((uintptr_t)1 << ADDRESS_BITS | 0x10);
}

static void *last_address(void)
{
	return address(UINTPTR_MAX - 15);
}

static const struct bad_pointer {
	const char *name;
	void *(*make)(void);
	const char *on_free;
	const char *on_realloc;
} bad_pointers[] = {
	{ "inside an object", inside_object, NO_OBJECT(64), NO_BLOCK },
	{ "misaligned", misaligned, NO_OBJECT(64), NO_BLOCK },
	{ "the tail of a slab", slab_tail, NO_OBJECT(48), NO_BLOCK },
	{ "inside a large block", inside_large, NO_BLOCK, NO_BLOCK },
	{ "a page inside a large block", page_inside_large, NO_BLOCK, NO_BLOCK },
	{ "a freed large block", freed_large, FREE_BLOCK, FREE_BLOCK },
	{ "a freed large block among others", merged_large, FREE_BLOCK, FREE_BLOCK },
	{ "inside a huge block", inside_huge, NOT_OURS, NOT_OURS },
	{ "a freed huge block", freed_huge, NOT_OURS, NOT_OURS },
	{ "on the stack", on_stack, NOT_OURS, NOT_OURS },
	{ "static data", in_data, NOT_OURS, NOT_OURS },
	{ "a mapping", mapped, NOT_OURS, NOT_OURS },
	{ "inside a mapping", inside_mapped, NOT_OURS, NOT_OURS },
	{ "memory that cannot be read", protected, NOT_OURS, NOT_OURS },
	{ "one", one, NOT_OURS, NOT_OURS },
	{ "the NULL page", in_null_page, NOT_OURS, NOT_OURS },
	{ "the end of the NULL page", end_of_null_page, NOT_OURS, NOT_OURS },
	{ "not canonical", not_canonical, NOT_OURS, NOT_OURS },
	{ "just beyond user space", just_beyond_user_space, NOT_OURS, NOT_OURS },
	{ "the last address", last_address, NOT_OURS, NOT_OURS },
};

/* Double frees of objects. */

static void at_once(void)
{
	void *p = heap_malloc(64);

	heap_free(p);
	heap_free(p);
}

static void of_smallest(void)
{
	void *p = heap_malloc(1);

	heap_free(p);
	heap_free(p);
}

static void of_largest(void)
{
	void *p = heap_malloc(MAX_SLAB_BYTES);

	heap_free(p);
	heap_free(p);
}

static void after_other_frees(void)
{
	void *p[4];

	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = heap_malloc(64);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		heap_free(p[i]);
	heap_free(p[0]);
}

#define MANY 5000

/* So many other frees that the object is anywhere by then: spare sheaf, barn or slab. */
static void after_many_frees(unsigned int nr)
{
	static void *p[MANY];

	for (unsigned int i = 0; i < nr; i++)
		p[i] = heap_malloc(64);
	for (unsigned int i = 0; i < nr; i++)
		heap_free(p[i]);
	heap_free(p[0]);
	/* at the latest when it returns to its slab */
	heap_trim();
}

static void after_20_frees(void)
{
	after_many_frees(20);
}

static void after_200_frees(void)
{
	after_many_frees(200);
}

static void after_5000_frees(void)
{
	after_many_frees(MANY);
}

/* What a sheaf leaves in a free object is a hint, not the proof. */
static void of_overwritten(void)
{
	void *volatile *p = heap_malloc(64);

	heap_free((void *)(uintptr_t)p);
	p[1] = NULL;
	heap_free((void *)(uintptr_t)p);
	heap_trim();
}

static void *free_in_thread(void *p)
{
	heap_free(p);
	return NULL;
}

static void from_another_thread(void)
{
	void *p = heap_malloc(64);
	pthread_t thread;

	heap_free(p);
	pthread_create(&thread, NULL, free_in_thread, p);
	pthread_join(thread, NULL);
	heap_trim();
}

static void of_aligned(void)
{
	void *p = heap_aligned(256, 256);

	heap_free(p);
	heap_free(p);
}

/* Another size makes it move, and the old place is free then. */
static void by_realloc(void)
{
	void *p = heap_malloc(64);
	void *q = heap_realloc(p, 1000);

	(void)q;
	heap_free(p);
}

static void realloc_of_freed(void)
{
	void *p = heap_malloc(64);

	heap_free(p);
	heap_realloc(p, 1000);
}

static void by_realloc_to_nothing(void)
{
	void *p = heap_malloc(64);

	heap_realloc(p, 0);
	heap_free(p);
}

static const struct mistake double_frees[] = {
	{ "at once", at_once, DOUBLE_FREE(64) },
	{ "of the smallest", of_smallest, DOUBLE_FREE(16) },
	{ "of the largest", of_largest, DOUBLE_FREE(32768) },
	{ "after other frees", after_other_frees, DOUBLE_FREE(64) },
	{ "after 20 frees", after_20_frees, DOUBLE_FREE(64) },
	{ "after 200 frees", after_200_frees, DOUBLE_FREE(64) },
	/* its slab is gone by then */
	{ "after 5000 frees", after_5000_frees, FREE_BLOCK },
	{ "of an overwritten object", of_overwritten, DOUBLE_FREE(64) },
	{ "from another thread", from_another_thread, DOUBLE_FREE(64) },
	{ "of an aligned object", of_aligned, DOUBLE_FREE(256) },
	{ "of a block that moved", by_realloc, DOUBLE_FREE(64) },
	{ "realloc of a freed object", realloc_of_freed, DOUBLE_FREE(64) },
	{ "after realloc to nothing", by_realloc_to_nothing, DOUBLE_FREE(64) },
};

/* Print, rather than use check in a child. */
#define REQUIRE(cond)							\
	do {								\
		if (!(cond)) {						\
			warn("failed: %s (line %d)", #cond, __LINE__);	\
			_exit(1);					\
		}							\
	} while (0)

/* After a mistake that was only warned of, the heap is sound and of use. */
static void expect_sound_heap(void)
{
	void *p[100];

	REQUIRE(heap_validate(NULL) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = heap_malloc(i * 100);
		REQUIRE(p[i]);
		memset(p[i], 1, i * 100);
		for (size_t j = 0; j < i; j++)
			REQUIRE(p[i] != p[j]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		heap_free(p[i]);
	heap_trim();
	REQUIRE(heap_validate(NULL) == 0);
}

static void make_mistake(const void *arg)
{
	((const struct mistake *)arg)->make();
}

static void make_mistake_and_go_on(const void *arg)
{
	options_parse("bad_free=warn", "test");
	((const struct mistake *)arg)->make();
	expect_sound_heap();
}

START_TEST(double_free)
{
	const struct mistake *m = &double_frees[_i];
	struct child_end end;

	run_child(make_mistake, m, &end);
	expect_death(m->name, &end, m->line);
}
END_TEST

START_TEST(double_free_warn)
{
	const struct mistake *m = &double_frees[_i];
	struct child_end end;

	run_child(make_mistake_and_go_on, m, &end);
	expect_life(m->name, &end, m->line);
}
END_TEST

static void free_it(const void *arg)
{
	heap_free(((const struct bad_pointer *)arg)->make());
}

static void free_it_and_go_on(const void *arg)
{
	void *p;

	options_parse("bad_free=warn", "test");
	p = ((const struct bad_pointer *)arg)->make();
	errno = E2BIG;
	heap_free(p);
	REQUIRE(errno == E2BIG);
	expect_sound_heap();
}

static void realloc_it(const void *arg)
{
	heap_realloc(((const struct bad_pointer *)arg)->make(), 1000);
}

static void realloc_it_and_go_on(const void *arg)
{
	void *p;

	options_parse("bad_free=warn", "test");
	p = ((const struct bad_pointer *)arg)->make();
	errno = 0;
	REQUIRE(!heap_realloc(p, 1000));
	REQUIRE(errno == ENOMEM);
	expect_sound_heap();
}

static void ask_its_size(const void *arg)
{
	REQUIRE(heap_usable_size(((const struct bad_pointer *)arg)->make()) == 0);
	expect_sound_heap();
}

START_TEST(free_of_bad_pointer)
{
	const struct bad_pointer *bad = &bad_pointers[_i];
	struct child_end end;

	run_child(free_it, bad, &end);
	expect_death(bad->name, &end, bad->on_free);
}
END_TEST

START_TEST(free_of_bad_pointer_warn)
{
	const struct bad_pointer *bad = &bad_pointers[_i];
	struct child_end end;

	run_child(free_it_and_go_on, bad, &end);
	expect_life(bad->name, &end, bad->on_free);
}
END_TEST

START_TEST(realloc_of_bad_pointer)
{
	const struct bad_pointer *bad = &bad_pointers[_i];
	struct child_end end;

	run_child(realloc_it, bad, &end);
	expect_death(bad->name, &end, bad->on_realloc);
}
END_TEST

START_TEST(realloc_of_bad_pointer_warn)
{
	const struct bad_pointer *bad = &bad_pointers[_i];
	struct child_end end;

	run_child(realloc_it_and_go_on, bad, &end);
	expect_life(bad->name, &end, bad->on_realloc);
}
END_TEST

START_TEST(usable_size_of_bad_pointer)
{
	const struct bad_pointer *bad = &bad_pointers[_i];
	struct child_end end;

	run_child(ask_its_size, bad, &end);
	expect_life(bad->name, &end, "");
}
END_TEST

static void free_null(const void *arg)
{
	(void)arg;
	errno = E2BIG;
	heap_free(NULL);
	REQUIRE(errno == E2BIG);
	REQUIRE(heap_usable_size(NULL) == 0);
}

START_TEST(null_is_no_mistake)
{
	struct child_end end;

	run_child(free_null, NULL, &end);
	expect_life("NULL", &end, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bad_free");
	TCase *tc = tcase_create("bad_free");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, double_free, 0, ARRAY_SIZE(double_frees));
	tcase_add_loop_test(tc, double_free_warn, 0, ARRAY_SIZE(double_frees));
	tcase_add_loop_test(tc, free_of_bad_pointer, 0, ARRAY_SIZE(bad_pointers));
	tcase_add_loop_test(tc, free_of_bad_pointer_warn, 0, ARRAY_SIZE(bad_pointers));
	tcase_add_loop_test(tc, realloc_of_bad_pointer, 0, ARRAY_SIZE(bad_pointers));
	tcase_add_loop_test(tc, realloc_of_bad_pointer_warn, 0, ARRAY_SIZE(bad_pointers));
	tcase_add_loop_test(tc, usable_size_of_bad_pointer, 0, ARRAY_SIZE(bad_pointers));
	tcase_add_test(tc, null_is_no_mistake);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
