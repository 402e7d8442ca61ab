/* SPDX-License-Identifier: MIT */
/* Shrinkers: when they are called, with what, how often, and what waits for them. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabuddy/shrinker.h>
#include <slabuddy/slab.h>

#include "../testing.h"
#include "base/check.h"
#include "death/child.h"
#include "fault/faulty_os.h"

/* For several threads and children: check's own assertions take a lock. */
#define REQUIRE(cond) ((cond) ? (void)0 : fatal("not so: %s (line %d)", #cond, __LINE__))

/* No zone has it, so that without the OS there is none. */
#define TOO_MUCH (48UL << 20)

static struct kmem_cache *cache;

static void refuse_everything(void)
{
	faulty_os_fail(1, (unsigned long)-1 / 2);
}

/* What a shrinker of these tests says and does, and what it was told. */
struct script {
	unsigned long count;	/* count_objects() */
	unsigned long answer;	/* scan_objects() */
	unsigned long answers;	/* how often; then SHRINK_STOP */
	unsigned long skip;	/* of nr_to_scan this many are not looked at */
	void (*meanwhile)(void);

	unsigned long counts;
	unsigned long scans;
	unsigned long scanned;
	unsigned long largest;
	struct shrink_control last;
};

static unsigned long count_script(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct script *script = shrinker->private_data;

	script->counts++;
	script->last = *sc;
	return script->count;
}

static unsigned long scan_script(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct script *script = shrinker->private_data;

	script->scans++;
	script->last = *sc;
	REQUIRE(sc->nr_scanned == sc->nr_to_scan);
	script->largest = MAX(script->largest, sc->nr_to_scan);
	if (script->meanwhile)
		script->meanwhile();
	if (!script->answers)
		return SHRINK_STOP;
	script->answers--;
	sc->nr_scanned = sc->nr_to_scan - script->skip;
	script->scanned += sc->nr_scanned;
	return script->answer;
}

static struct shrinker *add(struct script *script)
{
	struct shrinker *shrinker = shrinker_alloc(0, "test-%d", 1);

	ck_assert_ptr_nonnull(shrinker);
	ck_assert_int_eq(shrinker->seeks, DEFAULT_SEEKS);
	shrinker->count_objects = count_script;
	shrinker->scan_objects = scan_script;
	shrinker->private_data = script;
	shrinker_register(shrinker);
	return shrinker;
}

/* An allocation that cannot succeed. */
static void fail_with(gfp_t gfp)
{
	refuse_everything();
	ck_assert_ptr_null(kmalloc(TOO_MUCH, gfp | __GFP_NOWARN));
	faulty_os_work();
}

#define FOR_EVER (1UL << 40)

START_TEST(only_with_direct_reclaim)
{
	struct script script = { .count = 1000, .answers = FOR_EVER };
	struct shrinker *shrinker = add(&script);

	fail_with(GFP_NOWAIT);
	fail_with(GFP_ATOMIC);
	ck_assert_uint_eq(script.counts, 0);
	fail_with(GFP_NOIO);
	ck_assert_uint_gt(script.scans, 0);
	ck_assert_uint_eq(script.last.gfp_mask, GFP_NOIO | __GFP_NOWARN);
	ck_assert_int_eq(script.last.nid, 0);
	shrinker_free(shrinker);
	script.counts = 0;
	fail_with(GFP_KERNEL);
	ck_assert_uint_eq(script.counts, 0);
	assert_heap_sound();
}
END_TEST

START_TEST(not_registered_not_called)
{
	struct script script = { .count = 1000, .answers = FOR_EVER };
	struct shrinker *shrinker = shrinker_alloc(0, "test");

	shrinker->count_objects = count_script;
	shrinker->private_data = &script;
	stderr_capture();
	shrinker_register(shrinker);
	ck_assert_str_eq(stderr_captured(), "slabuddy: shrinker_register(test): it lacks a function\n");
	fail_with(GFP_KERNEL);
	ck_assert_uint_eq(script.counts, 0);
	shrinker_free(shrinker);
	ck_assert_ptr_null(shrinker_alloc(1, "flags"));
	shrinker_register(NULL);
	shrinker_free(NULL);
}
END_TEST

/* A million objects, none of which can be freed: 4 / seeks of them, by ever larger shares. */
START_TEST(proportions)
{
	const unsigned long count = 1UL << 20;
	struct script script = { .count = count, .answers = FOR_EVER };
	struct shrinker *shrinker = add(&script);
	unsigned long expected = 0;

	for (int priority = 12; priority >= 0; priority--)
		expected += MIN((count >> priority) * 2, 2 * count);
	fail_with(GFP_KERNEL);
	ck_assert_uint_eq(script.counts, 13);
	ck_assert_uint_eq(script.scanned, expected);
	ck_assert_uint_eq(script.largest, 128);
	/* with a larger batch, and dearer objects */
	memset(&script, 0, sizeof(script));
	script.count = count;
	script.answers = FOR_EVER;
	shrinker->batch = 256;
	shrinker->seeks = 4;
	fail_with(GFP_KERNEL);
	ck_assert_uint_eq(script.scanned, expected / 2);
	ck_assert_uint_eq(script.largest, 256);
	/* and with objects that cost nothing */
	memset(&script, 0, sizeof(script));
	script.count = count;
	script.answers = FOR_EVER;
	shrinker->seeks = 0;
	fail_with(GFP_KERNEL);
	ck_assert_uint_eq(script.scanned, 13 * count / 2);
	shrinker_free(shrinker);
}
END_TEST

/* What is less than a batch waits for the next round, or until it is all there is. */
START_TEST(less_than_a_batch)
{
	struct script script = { .count = 100, .answers = FOR_EVER };
	struct shrinker *shrinker = add(&script);

	fail_with(GFP_KERNEL | __GFP_NORETRY);
	ck_assert_uint_eq(script.counts, 13);
	ck_assert_uint_ge(script.scanned, 100);
	/* twice as much as there is at priority 0, by batches, as in the kernel */
	ck_assert_uint_eq(script.largest, 128);
	script.scanned = 0;
	script.count = 127 << 11; /* 127 at the first round */
	script.answer = 1;
	fail_with(GFP_KERNEL | __GFP_NORETRY);
	ck_assert_uint_eq(script.scanned, 128);
	shrinker_free(shrinker);
	/* half of a hundred is too little even at the last priority; added up it is enough */
	script.count = 100;
	script.scans = 0;
	shrinker = add(&script);
	shrinker->seeks = 8;
	fail_with(GFP_KERNEL | __GFP_NORETRY);
	ck_assert_uint_eq(script.scans, 0);
	fail_with(GFP_KERNEL | __GFP_NORETRY);
	ck_assert_uint_eq(script.scans, 1);
	shrinker_free(shrinker);
}
END_TEST

START_TEST(nothing_to_free)
{
	static const unsigned long counts[] = { 0, SHRINK_EMPTY };
	struct script script = { .answers = FOR_EVER };
	struct shrinker *shrinker = add(&script);

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		script.count = counts[i];
		fail_with(GFP_KERNEL | __GFP_RETRY_MAYFAIL);
		ck_assert_uint_eq(script.scans, 0);
	}
	shrinker_free(shrinker);
}
END_TEST

START_TEST(shrink_stop)
{
	struct script script = { .count = 1UL << 20, .answers = 1, .answer = 0 };
	struct shrinker *shrinker = add(&script);

	fail_with(GFP_KERNEL);
	ck_assert_uint_gt(script.counts, 2);
	/* after the one answer each round ends at the first call */
	ck_assert_uint_le(script.scans, script.counts + 1);
	shrinker_free(shrinker);
}
END_TEST

START_TEST(what_was_really_looked_at)
{
	struct script script = { .count = 1UL << 20, .answers = FOR_EVER, .skip = 64, .answer = 1 };
	struct shrinker *shrinker = add(&script);

	fail_with(GFP_KERNEL | __GFP_NORETRY);
	/* 512 at the first priority: by 128 asked for, 64 looked at, until less than a batch is left */
	ck_assert_uint_eq(script.scans, 7);
	script.skip = 128; /* nothing */
	script.scans = 0;
	fail_with(GFP_KERNEL | __GFP_NORETRY);
	ck_assert_uint_eq(script.scans, 1);
	shrinker_free(shrinker);
}
END_TEST

/* It says that it frees, and there is never any memory: how often is it believed? */
START_TEST(how_often)
{
	struct script script = { .count = 1UL << 20, .answers = FOR_EVER, .answer = 1 };
	struct shrinker *shrinker = add(&script);

	fail_with(GFP_KERNEL | __GFP_NORETRY);
	ck_assert_uint_eq(script.counts, 1);
	script.counts = 0;
	fail_with(GFP_KERNEL);
	ck_assert_uint_eq(script.counts, 13);
	script.counts = 0;
	script.count = 100;
	script.answers = 50;
	fail_with(GFP_KERNEL | __GFP_RETRY_MAYFAIL);
	ck_assert_uint_eq(script.answers, 0);
	ck_assert_uint_gt(script.counts, 13);
	shrinker_free(shrinker);
}
END_TEST

static void work_again(void)
{
	faulty_os_work();
}

START_TEST(no_fail)
{
	struct script script = { .count = 1UL << 20, .meanwhile = work_again };
	struct shrinker *shrinker = add(&script);
	void *ptr;

	refuse_everything();
	ptr = kmalloc(TOO_MUCH, GFP_KERNEL | __GFP_NOFAIL);
	ck_assert_ptr_nonnull(ptr);
	ck_assert_uint_gt(script.scans, 0);
	kfree(ptr);
	shrinker_free(shrinker);
}
END_TEST

static void *work_later(void *unused)
{
	usleep(50000);
	faulty_os_work();
	return unused;
}

/* Nobody can help, and it goes on until the OS does. */
START_TEST(no_fail_and_no_shrinker)
{
	pthread_t thread;
	void *ptr;

	cache = kmem_cache_create("patient", 5000, 0, 0, NULL);
	refuse_everything();
	pthread_create(&thread, NULL, work_later, NULL);
	ptr = kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NOFAIL);
	pthread_join(thread, NULL);
	ck_assert_ptr_nonnull(ptr);
}
END_TEST

static void *cached[4096];
static size_t nr_cached;

static unsigned long count_cached(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker;
	(void)sc;
	return nr_cached ? nr_cached : SHRINK_EMPTY;
}

static unsigned long free_cached(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long freed = 0;

	(void)shrinker;
	while (freed < sc->nr_to_scan && nr_cached) {
		kmem_cache_free(cache, cached[--nr_cached]);
		freed++;
	}
	return freed;
}

/* The real thing: a program's cache makes room for what it needs more. */
START_TEST(memory_comes_back)
{
	struct shrinker *shrinker = shrinker_alloc(0, "cached");
	void *objects[256], *one;

	cache = kmem_cache_create("cached", 4000, 0, SLAB_RECLAIM_ACCOUNT | SLAB_NO_MERGE, NULL);
	shrinker->count_objects = count_cached;
	shrinker->scan_objects = free_cached;
	shrinker_register(shrinker);
	/* all of the memory there is */
	for (size_t i = 0; i < 2000; i++)
		cached[nr_cached++] = kmem_cache_alloc(cache, GFP_KERNEL);
	refuse_everything();
	while (nr_cached < ARRAY_SIZE(cached) && (one = kmem_cache_alloc(cache, GFP_NOWAIT)))
		cached[nr_cached++] = one;
	ck_assert_uint_lt(nr_cached, ARRAY_SIZE(cached));
	ck_assert_ptr_null(kmalloc(4096, GFP_NOWAIT));
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		objects[i] = kmalloc(4096, GFP_KERNEL);
		ck_assert_ptr_nonnull(objects[i]);
	}
	ck_assert_uint_gt(nr_cached, 0);
	ck_assert_ptr_nonnull(alloc_pages(GFP_KERNEL, 4));
	faulty_os_work();
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		kfree(objects[i]);
	ck_assert_uint_gt(slabuddy_shrink(), 0);
	ck_assert_uint_eq(nr_cached, 0);
	shrinker_free(shrinker);
	stderr_capture();
	kmem_cache_destroy(cache);
	ck_assert_str_eq(stderr_captured(), "");
	assert_heap_sound();
}
END_TEST

static void allocate_more(void)
{
	REQUIRE(!kmalloc(TOO_MUCH, GFP_KERNEL | __GFP_NOWARN));
	REQUIRE(!slabuddy_shrink());
}

START_TEST(no_recursion)
{
	struct script script = { .count = 1000, .meanwhile = allocate_more };
	struct shrinker *shrinker = add(&script), *other = add(&script);

	fail_with(GFP_KERNEL | __GFP_NORETRY);
	/* two shrinkers in 13 rounds, each asked once a round */
	ck_assert_uint_eq(script.counts, 26);
	shrinker_free(other);
	shrinker_free(shrinker);
}
END_TEST

START_TEST(shrink_at_once)
{
	struct script dear = { .count = 100, .answers = 3, .answer = 40 };
	struct script cheap = { .count = 10000, .answers = FOR_EVER, .answer = 0 };
	struct shrinker *first = add(&dear), *second = add(&cheap);

	first->seeks = 100;
	ck_assert_uint_eq(slabuddy_shrink(), 120);
	ck_assert_uint_ge(cheap.scanned, 10000);
	ck_assert_uint_eq(dear.last.gfp_mask, GFP_KERNEL);
	/* one that always has something is not asked for ever */
	cheap.answer = 1;
	cheap.counts = 0;
	ck_assert_uint_gt(slabuddy_shrink(), 0);
	ck_assert_uint_eq(cheap.counts, 16);
	shrinker_free(first);
	shrinker_free(second);
	ck_assert_uint_eq(slabuddy_shrink(), 0);
}
END_TEST

static bool in_scan, go_on, freed;

static void linger(void)
{
	__atomic_store_n(&in_scan, true, __ATOMIC_RELEASE);
	while (!load_acquire(&go_on))
		usleep(100);
}

static void *call_shrink(void *unused)
{
	slabuddy_shrink();
	return unused;
}

static void *call_free(void *shrinker)
{
	shrinker_free(shrinker);
	store_release(&freed, true);
	return NULL;
}

static void wait_until(bool *what)
{
	while (!load_acquire(what))
		usleep(100);
}

START_TEST(free_waits_for_the_scan)
{
	struct script script = { .count = 1000, .answers = 1, .meanwhile = linger };
	struct shrinker *shrinker = add(&script);
	pthread_t scanner, ender;

	pthread_create(&scanner, NULL, call_shrink, NULL);
	wait_until(&in_scan);
	pthread_create(&ender, NULL, call_free, shrinker);
	usleep(30000);
	ck_assert(!load_acquire(&freed));
	/* others do not go in any more */
	script.counts = 0;
	slabuddy_shrink();
	ck_assert_uint_eq(script.counts, 0);
	store_release(&go_on, true);
	pthread_join(ender, NULL);
	pthread_join(scanner, NULL);
	ck_assert(freed);
	assert_heap_sound();
}
END_TEST

/* In a child of fork() nobody is in the shrinker. */
START_TEST(fork_while_in_a_scan)
{
	struct script script = { .count = 1000, .answers = 1, .meanwhile = linger };
	struct shrinker *shrinker = add(&script);
	pthread_t scanner;
	int status;
	pid_t pid;

	pthread_create(&scanner, NULL, call_shrink, NULL);
	wait_until(&in_scan);
	pid = fork();
	if (!pid) {
		alarm(100); /* a safety net */
		store_release(&go_on, true);
		script.counts = 0;
		slabuddy_shrink();
		if (!script.counts)
			_exit(1);
		shrinker_free(shrinker);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	store_release(&go_on, true);
	pthread_join(scanner, NULL);
	shrinker_free(shrinker);
}
END_TEST

static pid_t child;

static void fork_here(void)
{
	child = fork();
}

/* A shrinker may itself fork; the child is in it as well, and comes out. */
START_TEST(fork_within_a_scan)
{
	struct script script = { .count = 1000, .answers = 1, .meanwhile = fork_here };
	struct shrinker *shrinker = add(&script);
	int status;

	fail_with(GFP_KERNEL | __GFP_NORETRY);
	script.meanwhile = NULL;
	shrinker_free(shrinker);
	if (!child)
		_exit(0);
	waitpid(child, &status, 0);
	ck_assert_int_eq(status, 0);
}
END_TEST

static unsigned long count_some(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)sc;
	REQUIRE(shrinker->private_data == shrinker);
	return 500;
}

static unsigned long scan_some(struct shrinker *shrinker, struct shrink_control *sc)
{
	REQUIRE(shrinker->private_data == shrinker);
	return sc->nr_to_scan > 100 ? 0 : SHRINK_STOP;
}

static bool stop;

static void *come_and_go(void *unused)
{
	for (int i = 0; i < 500; i++) {
		struct shrinker *shrinker = shrinker_alloc(0, "some");

		shrinker->count_objects = count_some;
		shrinker->scan_objects = scan_some;
		shrinker->private_data = shrinker;
		shrinker_register(shrinker);
		shrinker_free(shrinker);
	}
	return unused;
}

static void *shrink_on(void *unused)
{
	while (!READ_ONCE(stop))
		slabuddy_shrink();
	return unused;
}

START_TEST(many_threads)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, i < 2 ? shrink_on : come_and_go, NULL);
	pthread_join(threads[2], NULL);
	pthread_join(threads[3], NULL);
	WRITE_ONCE(stop, true);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	assert_heap_sound();
}
END_TEST

/* The line, without its one number that depends on the system. */
static void expect_line(const char *said, const char *before, const char *after)
{
	size_t len = strlen(before);

	ck_assert_msg(!strncmp(said, before, len), "%s", said);
	said += len;
	said += strspn(said, "0123456789");
	ck_assert_str_eq(said, after);
}

START_TEST(what_is_said)
{
	struct script script = { .count = 1000, .answers = FOR_EVER };
	struct shrinker *shrinker = add(&script);

	refuse_everything();
	stderr_capture();
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_null(kmalloc(TOO_MUCH, GFP_KERNEL));
	expect_line(stderr_captured(), "slabuddy: out of memory: gfp=0xcc0, ",
		    " KiB committed, 1 shrinkers asked\n");
	stderr_capture();
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_null(kmalloc(TOO_MUCH, GFP_ATOMIC));
	expect_line(stderr_captured(), "slabuddy: out of memory: gfp=0x820, ",
		    " KiB committed, no shrinker asked without __GFP_DIRECT_RECLAIM\n");
	faulty_os_work();
	shrinker_free(shrinker);
}
END_TEST

static struct shrinker *doomed;

static void free_it(void)
{
	shrinker_free(doomed);
}

static void free_within(const void *arg)
{
	struct script script = { .count = 1000, .meanwhile = free_it };

	(void)arg;
	doomed = add(&script);
	slabuddy_shrink();
}

START_TEST(free_within_a_shrinker)
{
	struct child_end end;

	run_child(free_within, NULL, &end);
	expect_death("within", &end,
		     "slabuddy: shrinker_free(test-1) within the shrinker test-1, which it would "
		     "wait for\n");
}
END_TEST

int main(void)
{
	TCase *tc = test_case("shrinker");

	tcase_add_test(tc, only_with_direct_reclaim);
	tcase_add_test(tc, not_registered_not_called);
	tcase_add_test(tc, proportions);
	tcase_add_test(tc, less_than_a_batch);
	tcase_add_test(tc, nothing_to_free);
	tcase_add_test(tc, shrink_stop);
	tcase_add_test(tc, what_was_really_looked_at);
	tcase_add_test(tc, how_often);
	tcase_add_test(tc, no_fail);
	tcase_add_test(tc, no_fail_and_no_shrinker);
	tcase_add_test(tc, memory_comes_back);
	tcase_add_test(tc, no_recursion);
	tcase_add_test(tc, shrink_at_once);
	tcase_add_test(tc, free_waits_for_the_scan);
	tcase_add_test(tc, fork_while_in_a_scan);
	tcase_add_test(tc, fork_within_a_scan);
	tcase_add_test(tc, many_threads);
	tcase_add_test(tc, what_is_said);
	tcase_add_test(tc, free_within_a_shrinker);
	return test_run(tc);
}
