/* SPDX-License-Identifier: MIT */
/*
 * Double frees of objects that other frees have moved on since: into the spare sheaf, a larger
 * sheaf, the barn, back to the slab. Each is found at the second free itself, not later when some
 * sheaf returns to the slabs. And what is found only there leaves a heap that a SIGABRT handler can
 * allocate from.
 */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/check.h"
#include "death/child.h"
#include "malloc/heap.h"
#include "slab/slab.h"

#define SIZE 64
#define LINE "slabuddy: free(): double free of PTR (cache kmalloc-64)\n"

/* A child that gets here has got away with it. */
#define UNNOTICED 3

static const unsigned int numbers[] = { 1, 2, 14, 20, 40, 100, 300, 1000 };

/* Others of their slabs stay in use, or the slabs would be gone with the objects in them. */
static void allocate_every_other(void **objects, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		objects[i] = heap_malloc(SIZE);
		heap_malloc(SIZE);
	}
}

static void free_again_after(const void *arg)
{
	unsigned int nr = *(const unsigned int *)arg;
	static void *objects[1000];

	allocate_every_other(objects, nr);
	for (unsigned int i = 0; i < nr; i++)
		heap_free(objects[i]);
	heap_free(objects[0]);
	_exit(UNNOTICED);
}

START_TEST(after_a_number_of_frees)
{
	struct child_end end;

	run_child(free_again_after, &numbers[_i], &end);
	expect_death("after frees", &end, LINE);
}
END_TEST

/* Where the thread's free objects of this size are, before and after a free. */
struct places {
	void **main;
	void *first; /* in the main sheaf */
	unsigned int count, capacity;
	unsigned int in_barn;
	unsigned long handed_out; /* by the slabs */
};

static struct places places_now(void)
{
	size_t tag = size_to_tag(SIZE);
	struct slot_cache *sc = &this_slot->cache[tag];
	struct kmem_cache_node *node = &tag_to_cache(tag)->node0;

	return (struct places){
		.main = sc->objects,
		.first = sc->count ? sc->objects[0] : NULL,
		.count = sc->count,
		.capacity = sc->capacity,
		.in_barn = node->barn.nr_objects,
		.handed_out = node->nr_inuse,
	};
}

static bool only_sheaves_changed(const struct places *a, const struct places *b)
{
	return a->main != b->main && a->in_barn == b->in_barn && a->handed_out == b->handed_out;
}

static bool swapped(const struct places *a, const struct places *b)
{
	return only_sheaves_changed(a, b) && b->count == 1;
}

static bool grown(const struct places *a, const struct places *b)
{
	return only_sheaves_changed(a, b) && b->capacity > a->capacity && b->count == a->count + 1;
}

static bool stored(const struct places *a, const struct places *b)
{
	return b->in_barn > a->in_barn;
}

static bool flushed(const struct places *a, const struct places *b)
{
	return b->handed_out < a->handed_out && b->in_barn == a->in_barn;
}

static const struct way {
	const char *name;
	bool (*happened)(const struct places *before, const struct places *after);
} ways[] = {
	{ "swapped", swapped },
	{ "grown", grown },
	{ "stored in the barn", stored },
	{ "flushed to the slabs", flushed },
};

static void *objects_of_another[20000];

static void *allocate_for_another(void *arg)
{
	allocate_every_other(objects_of_another, ARRAY_SIZE(objects_of_another));
	return arg;
}

/*
 * Free until the main sheaf goes that way, then free its first object again. Another thread has
 * allocated, so that this one's sheaves start small.
 */
static void free_again_when(const void *arg)
{
	const struct way *way = arg;
	void **objects = objects_of_another;
	pthread_t thread;

	heap_free(heap_malloc(2 * SIZE)); /* or it would be given the other thread's slot */
	pthread_create(&thread, NULL, allocate_for_another, NULL);
	pthread_join(thread, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(objects_of_another); i++) {
		struct places after, before = places_now();

		heap_free(objects[i]);
		after = places_now();
		if (before.first && way->happened(&before, &after)) {
			heap_free(before.first);
			_exit(UNNOTICED);
		}
	}
	warn("no main sheaf was %s", way->name);
	_exit(1);
}

START_TEST(after_the_sheaf_moved)
{
	struct child_end end;

	run_child(free_again_when, &ways[_i], &end);
	expect_death(ways[_i].name, &end, LINE);
}
END_TEST

#define HANDLED 4

static void allocate_in_handler(int signo)
{
	static const size_t sizes[] = { SIZE, 1000, 100000, (size_t)64 << 20 };

	(void)signo;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (int n = 0; n < 300; n++) {
			void *p = heap_malloc(sizes[i]);

			if (!p)
				_exit(1);
			if (n & 1)
				heap_free(p);
		}
	}
	_exit(HANDLED);
}

/* The program overwrites the mark of a free object, so that only the slab knows. */
static void free_overwritten(const void *arg)
{
	void *volatile *p = heap_malloc(SIZE);

	(void)arg;
	alarm(20); /* a deadlock is what this is about */
	signal(SIGABRT, allocate_in_handler);
	heap_free((void *)(uintptr_t)p);
	p[1] = NULL;
	heap_free((void *)(uintptr_t)p);
	heap_trim();
	_exit(UNNOTICED);
}

START_TEST(handler_that_allocates)
{
	struct child_end end;

	run_child(free_overwritten, NULL, &end);
	ck_assert_str_eq(end.said, LINE);
	ck_assert_msg(WIFEXITED(end.status) && WEXITSTATUS(end.status) == HANDLED, "status 0x%x",
		      (unsigned int)end.status);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("moved_object");
	TCase *tc = tcase_create("moved_object");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, after_a_number_of_frees, 0, ARRAY_SIZE(numbers));
	tcase_add_loop_test(tc, after_the_sheaf_moved, 0, ARRAY_SIZE(ways));
	tcase_add_test(tc, handler_that_allocates);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
