/* SPDX-License-Identifier: MIT */
/*
 * fork() out of a program whose other threads allocate without a pause. The child finds a sound
 * heap with no lock held, may free what the parent's threads have allocated, and may fork again.
 * Other libraries' fork handlers may allocate too, whether they run before ours or after them.
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/option.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "model/block.h"

#define THREADS 4
#define NR_SHARED 400
#define NR_OWN 300

static struct block shared[NR_SHARED]; /* the parent's, freed by its children */
static bool stop;		       /* [atomic] */
static unsigned long handler_runs;

/* Handlers that allocate, one set registered before the heap's own and one after. */
static void allocating_handler(void)
{
	void *p[20];

	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = heap_malloc(i * 3000);
		if (!p[i])
			model_fail("no memory in a fork handler");
		memset(p[i], 1, i * 3000);
	}
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		heap_free(p[i]);
	handler_runs++;
}

static __attribute__((constructor(101))) void register_first(void)
{
	pthread_atfork(allocating_handler, allocating_handler, allocating_handler);
}

static size_t draw_size(struct rng *rng)
{
	return rng_below(rng, rng_below(rng, 20) ? 2000 : 200000);
}

static void *allocate_without_pause(void *arg)
{
	struct rng rng = { .state = (uintptr_t)arg };
	static struct block tables[THREADS][NR_OWN];
	struct block *own = tables[(uintptr_t)arg];

	while (!READ_ONCE(stop)) {
		struct block *block = &own[rng_below(&rng, NR_OWN)];
		size_t size = draw_size(&rng);

		if (!block->ptr)
			block_born(block, heap_malloc(size), size, 16, false);
		else if (size & 1)
			block_free(block);
		else
			block_realloc(block, size);
	}
	for (unsigned int i = 0; i < NR_OWN; i++) {
		if (own[i].ptr)
			block_free(&own[i]);
	}
	return NULL;
}

static void *allocate_shared(void *arg)
{
	struct rng rng = { .state = 7 };

	(void)arg;
	for (unsigned int i = 0; i < NR_SHARED; i++) {
		size_t size = draw_size(&rng);

		block_born(&shared[i], heap_malloc(size), size, 16, false);
	}
	return NULL;
}

static int wait_for(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0)
		;
	return status;
}

static void expect_sound(void)
{
	if (heap_validate(NULL))
		model_fail("faults in process %d", (int)getpid());
}

static _Noreturn void be_child(struct rng *rng, int generations)
{
	struct block own[50];

	alarm(100); /* a safety net, in case of a deadlock */
	expect_sound();
	for (unsigned int i = 0; i < NR_SHARED; i++) {
		if (shared[i].ptr && rng_below(rng, 2))
			block_free(&shared[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(own); i++) {
		size_t size = draw_size(rng);

		block_born(&own[i], heap_calloc(size, 1), size, 16, true);
	}
	if (generations > 1) {
		pid_t pid = fork();

		/* the grandchild takes over what its parent has just allocated */
		if (pid ? wait_for(pid) : 0)
			_exit(2);
		expect_sound();
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(own); i++)
		block_free(&own[i]);
	heap_trim();
	expect_sound();
	_exit(0);
}

static void start(pthread_t *threads)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, allocate_shared, NULL), 0);
	pthread_join(thread, NULL);
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, allocate_without_pause, (void *)i),
				 0);
}

static void finish(pthread_t *threads)
{
	WRITE_ONCE(stop, true);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < NR_SHARED; i++)
		block_free(&shared[i]);
	expect_sound();
}

START_TEST(children_of_a_busy_process)
{
	struct rng rng = { .state = test_seed("fork") };
	unsigned long forks = scaled(150);
	pthread_t threads[THREADS];

	start(threads);
	for (unsigned long n = 0; n < forks; n++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (!pid)
			be_child(&rng, 2);
		ck_assert_int_eq(wait_for(pid), 0);
		rng_next(&rng);
	}
	finish(threads);
	/* twice a fork in this process: before and after it */
	ck_assert_uint_ge(handler_runs, 2 * forks);
}
END_TEST

/* Both sets of handlers, the second one registered when the heap's stand. */
START_TEST(handlers_before_and_after)
{
	pthread_atfork(allocating_handler, allocating_handler, allocating_handler);
	handler_runs = 0;
	for (int n = 0; n < 20; n++) {
		pid_t pid = fork();

		if (!pid)
			_exit(heap_validate(NULL) || handler_runs != 4 * (unsigned long)n + 4);
		ck_assert_int_eq(wait_for(pid), 0);
	}
	ck_assert_uint_eq(handler_runs, 4 * 20);
	expect_sound();
}
END_TEST

static void *fork_often(void *arg)
{
	struct rng rng = { .state = (uintptr_t)arg };

	for (unsigned long n = 0; n < scaled(25); n++) {
		pid_t pid = fork();

		if (!pid)
			be_child(&rng, 1);
		if (pid < 0 || wait_for(pid))
			model_fail("a child of a thread went wrong");
	}
	return NULL;
}

START_TEST(several_threads_fork)
{
	pthread_t threads[THREADS], forkers[3];

	start(threads);
	for (uintptr_t i = 0; i < ARRAY_SIZE(forkers); i++)
		ck_assert_int_eq(pthread_create(&forkers[i], NULL, fork_often, (void *)i), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(forkers); i++)
		pthread_join(forkers[i], NULL);
	finish(threads);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fork");
	TCase *tc = tcase_create("fork");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 100.0 + 100.0 * (double)env_number("SLABUDDY_SCALE", 1));
	tcase_add_test(tc, children_of_a_busy_process);
	tcase_add_test(tc, handlers_before_and_after);
	tcase_add_test(tc, several_threads_fork);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
