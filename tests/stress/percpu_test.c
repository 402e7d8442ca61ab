/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU slots: threads that are moved, interrupted, outnumber the processors and fork, while others empty
 * the slots behind their backs.
 */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/option.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "malloc/info.h"
#include "model/block.h"
#include "model/rng.h"
#include "os/info.h"
#include "slab/alloc.h"
#include "slab/boot.h"
#include "slab/percpu.h"
#include "slab/slab.h"

/* What automake takes for "skipped". */
#define SKIPPED 77

enum {
	THREADS = 24, /* many more than most test machines have processors */
	NR_KEPT = 300,
	NR_SHARED = 256,
};

static uint64_t seed;
static bool stop;		       /* [atomic] */
static struct block shared[NR_SHARED]; /* [its own lock] handed from thread to thread */
static pthread_mutex_t shared_lock[NR_SHARED];

static void setup(void)
{
	slab_boot();
	options.percpu = PERCPU_ON;
	seed = test_seed("percpu");
	for (int i = 0; i < NR_SHARED; i++)
		pthread_mutex_init(&shared_lock[i], NULL);
}

static size_t random_size(struct rng *rng)
{
	return rng_below(rng, 40) ? 1 + rng_below(rng, 700) : 1 + rng_below(rng, 60000);
}

static void replace(struct rng *rng, struct block *block)
{
	size_t size = random_size(rng);

	if (block->ptr)
		block_free(block);
	block_born(block, heap_malloc(size), size, 16, false);
}

static void replace_shared(struct rng *rng)
{
	unsigned int i = (unsigned int)rng_below(rng, NR_SHARED);

	pthread_mutex_lock(&shared_lock[i]);
	replace(rng, &shared[i]);
	pthread_mutex_unlock(&shared_lock[i]);
}

/* To any one processor that the process may use. */
static void move(struct rng *rng, const cpu_set_t *allowed)
{
	cpu_set_t one;
	int cpu;

	do
		cpu = (int)rng_below(rng, CPU_SETSIZE);
	while (!CPU_ISSET(cpu, allowed));
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

struct work {
	unsigned long turns;
	bool moves;
};

static struct work work;

static void *run(void *arg)
{
	struct rng rng = { .state = seed + (uintptr_t)arg };
	struct block kept[NR_KEPT] = { 0 };
	cpu_set_t allowed;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (unsigned long n = 0; n < work.turns && !READ_ONCE(stop); n++) {
		replace(&rng, &kept[rng_below(&rng, NR_KEPT)]);
		if (!rng_below(&rng, 4))
			replace_shared(&rng);
		if (work.moves && !rng_below(&rng, 200))
			move(&rng, &allowed);
	}
	for (int i = 0; i < NR_KEPT; i++) {
		if (kept[i].ptr)
			block_free(&kept[i]);
	}
	if (!percpu_is_mine())
		model_fail("a thread has a slot of its own");
	return arg;
}

static void start(pthread_t *threads, unsigned int nr)
{
	for (uintptr_t i = 0; i < nr; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, run, (void *)i), 0);
}

static void finish(pthread_t *threads, unsigned int nr)
{
	struct heap_figures f;

	for (unsigned int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < NR_SHARED; i++) {
		if (shared[i].ptr)
			block_free(&shared[i]);
	}
	ck_assert_uint_eq(heap_validate(NULL), 0);
	heap_figures(&f);
	ck_assert_uint_eq(f.slab_live_bytes + f.large_bytes + f.huge_bytes, 0);
}

START_TEST(more_threads_than_processors)
{
	pthread_t threads[THREADS];

	work = (struct work){ .turns = scaled(40000) };
	start(threads, THREADS);
	finish(threads, THREADS);
}
END_TEST

START_TEST(threads_that_are_moved)
{
	pthread_t threads[THREADS];

	work = (struct work){ .turns = scaled(20000), .moves = true };
	start(threads, THREADS);
	finish(threads, THREADS);
}
END_TEST

static unsigned long nr_signals; /* [atomic] */

static void on_alarm(int signo)
{
	(void)signo;
	__atomic_fetch_add(&nr_signals, 1, __ATOMIC_RELAXED);
}

/* Each signal has the sequence that it meets begin anew. */
START_TEST(threads_that_are_interrupted)
{
	struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { 0 };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	pthread_t threads[THREADS];

	work = (struct work){ .turns = scaled(20000), .moves = true };
	sigaction(SIGPROF, &action, NULL);
	setitimer(ITIMER_PROF, &often, NULL);
	start(threads, THREADS);
	finish(threads, THREADS);
	setitimer(ITIMER_PROF, &never, NULL);
	ck_assert_uint_gt(READ_ONCE(nr_signals), 0);
}
END_TEST

static void *trim_often(void *arg)
{
	while (!READ_ONCE(stop)) {
		heap_trim();
		if (heap_validate(NULL))
			model_fail("faults between two trims");
	}
	return arg;
}

/* All slots are emptied, and checked to the last object, while their users run. */
START_TEST(slots_that_are_emptied)
{
	pthread_t threads[THREADS], trimmer;

	work = (struct work){ .turns = scaled(20000), .moves = true };
	start(threads, THREADS);
	ck_assert_int_eq(pthread_create(&trimmer, NULL, trim_often, NULL), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	WRITE_ONCE(stop, true);
	pthread_join(trimmer, NULL);
	finish(NULL, 0);
}
END_TEST

static int child(unsigned int number)
{
	struct rng rng = { .state = number };
	struct block blocks[100] = { 0 };

	for (int n = 0; n < 3000; n++)
		replace(&rng, &blocks[rng_below(&rng, 100)]);
	return heap_validate(NULL) ? 1 : 0;
}

START_TEST(forks_of_a_busy_process)
{
	pthread_t threads[THREADS];

	work = (struct work){ .turns = ULONG_MAX, .moves = true };
	start(threads, THREADS);
	for (unsigned int n = 0; n < scaled(60); n++) {
		pid_t pid = fork();
		int status;

		ck_assert_int_ge(pid, 0);
		if (!pid)
			_exit(child(n));
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		ck_assert_int_eq(status, 0);
	}
	WRITE_ONCE(stop, true);
	finish(threads, THREADS);
}
END_TEST

/* As a signal handler may do while the slots are stopped: the child has them stopped once, as its parent. */
START_TEST(a_fork_between_stop_and_restart)
{
	int status;
	pid_t pid;

	heap_free(heap_malloc(100));
	ck_assert(percpu_stop());
	pid = fork();
	if (!pid) {
		bool kept = percpu_is_stopped();

		percpu_restart();
		_exit(!kept || percpu_is_stopped() || child(1));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	percpu_restart();
	ck_assert(!percpu_is_stopped());
}
END_TEST

/* What lies in another processor's slot is within reach. */
START_TEST(a_slot_far_away)
{
	struct rng rng = { .state = 1 };
	struct kmem_cache *cache;
	unsigned long cached;
	void *objects[40];
	cpu_set_t allowed;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (int i = 0; i < 40; i++)
		objects[i] = heap_malloc(100);
	cache = addr_to_cache(objects[0]);
	for (int i = 0; i < 40; i++)
		heap_free(objects[i]);
	ck_assert_ptr_eq(this_slot, slot_percpu);
	cached = slot_count_objects(cache);
	ck_assert_uint_ge(cached, 40);
	for (int i = 0; i < 20; i++) {
		move(&rng, &allowed);
		heap_free(heap_malloc(100));
	}
	slot_forget_idle(cache);
	ck_assert_uint_eq(slot_count_objects(cache), 0);
	/* and the slots go on */
	heap_free(heap_malloc(100));
	ck_assert_uint_gt(slot_count_objects(cache), 0);
	ck_assert_uint_eq(heap_validate(NULL), 0);
}
END_TEST

static struct slot far_slot;	    /* every processor's, for the test below */
static struct slot_cache *far_sheaf; /* [atomic] its main sheaf; NULL: the test is over */
static uint32_t far_round;	    /* [atomic] odd: the sheaf is closed, and to be opened */

/* What a slow path does that has been moved since it closed the sheaf. */
static void *open_from_afar(void *arg)
{
	const struct slot_cache open = { .count = 5, .capacity = 12 };
	struct slot_cache *sc;

	while ((sc = load_acquire(&far_sheaf))) {
		uint32_t round = load_acquire(&far_round);

		if (!(round & 1))
			continue;
		store_release(&sc->state, open.state);
		store_release(&far_round, round + 1);
	}
	return arg;
}

/* A push that meets a sheaf which another processor opens at that moment sees it closed or open. */
START_TEST(a_sheaf_that_is_opened_meanwhile)
{
	struct slot_cache *sc = &far_slot.cache[TAG_FIRST_CACHE];
	size_t place = TAG_FIRST_CACHE * sizeof(*sc);
	unsigned long lost = 0, rounds = scaled(1000000);
	time_t end = time(NULL) + 5;
	void *objects[12];
	pthread_t opener;

	heap_free(heap_malloc(100));
	far_slot.self = &far_slot;
	sc->objects = objects;
	store_release(&far_sheaf, sc);
	ck_assert(percpu_stop());
	for (unsigned int i = 0; i < OS_MAX_CPUS; i++)
		WRITE_ONCE(percpu_slots[i], &far_slot);
	ck_assert_int_eq(pthread_create(&opener, NULL, open_from_afar, NULL), 0);
	for (unsigned long n = 0; n < rounds && time(NULL) < end; n++) {
		WRITE_ONCE(sc->state, 0);
		store_release(&far_round, READ_ONCE(far_round) + 1);
		while (!percpu_put(offsetof(struct slot, self), place, objects))
			;
		lost += sc->count != 6;
		while (load_acquire(&far_round) & 1)
			;
	}
	store_release(&far_sheaf, NULL);
	pthread_join(opener, NULL);
	for (unsigned int i = 0; i < OS_MAX_CPUS; i++)
		WRITE_ONCE(percpu_slots[i], NULL);
	percpu_restart();
	ck_assert_uint_eq(lost, 0);
}
END_TEST

static void construct(void *object)
{
	*(int *)object = 1;
}

static void *take_a_slot(void *arg)
{
	for (int i = 0; i < 20; i++)
		heap_free(heap_malloc((size_t)i * 100));
	return arg;
}

/* What a constructor is to work on lies on the node of the slot that wants it. */
START_TEST(constructed_where_it_is_wanted)
{
	static struct kmem_cache cache;
	pthread_t thread;
	int *object;

	ck_assert_int_eq(options_parse("numa=fake=2", "test"), 0);
	/* slots are of both nodes in turn: the first goes to a thread of its own */
	options.percpu = PERCPU_OFF;
	ck_assert_int_eq(pthread_create(&thread, NULL, take_a_slot, NULL), 0);
	pthread_join(thread, NULL);
	options.percpu = PERCPU_ON;
	heap_free(heap_malloc(100));
	ck_assert(percpu_is_mine());
	ck_assert_uint_eq(percpu_here()->nid, 1);
	ck_assert_int_eq(cache_setup(&cache, &(struct cache_params){ .name = "constructed",
								     .size = 100,
								     .max_order = 3,
								     .ctor = construct }),
			 0);
	object = cache_alloc_slow(&cache);
	ck_assert_ptr_nonnull(object);
	ck_assert_int_eq(*object, 1);
	ck_assert_uint_eq(slab_of(&cache, object)->nid, 1);
	ck_assert_uint_eq(heap_validate(NULL), 0);
}
END_TEST

static pthread_barrier_t barrier;

static sem_t filled;

/* Fill sheaves, and stay. */
static void *fill_and_wait(void *arg)
{
	void *objects[1000];

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 1000; i++)
			objects[i] = heap_malloc(64);
		for (int i = 0; i < 1000; i++)
			heap_free(objects[i]);
	}
	sem_post(&filled);
	pthread_barrier_wait(&barrier);
	return arg;
}

enum { MANY = 100 };

static size_t cached_by_many_threads(enum option_percpu kind)
{
	struct heap_figures f;
	pthread_t threads[MANY];

	options.percpu = kind;
	pthread_barrier_init(&barrier, NULL, MANY + 1);
	sem_init(&filled, 0, 0);
	/* one after the other: those that fill at once share what sheaves may hold, the more the busier the machine is */
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, fill_and_wait, NULL), 0);
		while (sem_wait(&filled))
			;
	}
	heap_figures(&f);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < MANY; i++)
		pthread_join(threads[i], NULL);
	return f.cached_bytes;
}

/* What threads keep grows with processors, not with threads. */
START_TEST(memory_of_many_threads)
{
	/* two sheaves of 64 KiB a processor, and as much in the barn */
	size_t bound = (size_t)os_nr_cpus() * KIB(64) * 4;
	size_t percpu = cached_by_many_threads(PERCPU_ON);

	ck_assert_uint_le(percpu, bound);
	/* the same load with slots of their own keeps 10 KiB a thread at least */
	heap_trim();
	if (MANY * KIB(10) > bound)
		ck_assert_uint_gt(cached_by_many_threads(PERCPU_OFF), bound);
}
END_TEST

static bool uses_percpu[200];

static void *tell_kind(void *arg)
{
	for (int i = 0; i < 20; i++)
		heap_free(heap_malloc((size_t)i * 100));
	uses_percpu[(uintptr_t)arg] = percpu_is_mine();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

/* Some threads have slots of their own, the others share the processors'. */
START_TEST(some_of_each_kind)
{
	pthread_t threads[200];
	unsigned int shared_nr = 0, nr = 200;

	options.percpu = PERCPU_AUTO;
	pthread_barrier_init(&barrier, NULL, nr + 1);
	for (uintptr_t i = 0; i < nr; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, tell_kind, (void *)i), 0);
	pthread_barrier_wait(&barrier);
	for (unsigned int i = 0; i < nr; i++)
		shared_nr += uses_percpu[i];
	/* no more than eight a processor, however many begin at once; the main thread may have one of these */
	if (8 * os_nr_cpus() < nr) {
		ck_assert_uint_ge(shared_nr, nr - 8 * os_nr_cpus());
		ck_assert_uint_le(shared_nr, nr - 8 * os_nr_cpus() + 1);
	}
	ck_assert_uint_eq(heap_validate(NULL), 0);
	pthread_barrier_wait(&barrier);
	for (unsigned int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

static void *tell_this_kind(void *arg)
{
	heap_free(heap_malloc(100));
	*(bool *)arg = percpu_is_mine();
	return NULL;
}

/* Off is off, and a thread that has begun with one kind stays with it. */
START_TEST(off)
{
	bool percpu = true;
	pthread_t thread;

	heap_free(heap_malloc(100));
	options.percpu = PERCPU_OFF;
	ck_assert_int_eq(pthread_create(&thread, NULL, tell_this_kind, &percpu), 0);
	pthread_join(thread, NULL);
	ck_assert(!percpu);
	heap_free(heap_malloc(100));
	ck_assert(percpu_is_mine());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("percpu");
	TCase *tc = tcase_create("percpu");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!percpu_is_there()) {
		puts("no restartable sequences here: nothing to test");
		return SKIPPED;
	}
	tcase_set_timeout(tc, 100.0 + 100.0 * (double)env_number("SLABUDDY_SCALE", 1));
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, more_threads_than_processors);
	tcase_add_test(tc, threads_that_are_moved);
	tcase_add_test(tc, threads_that_are_interrupted);
	tcase_add_test(tc, slots_that_are_emptied);
	tcase_add_test(tc, forks_of_a_busy_process);
	tcase_add_test(tc, a_fork_between_stop_and_restart);
	tcase_add_test(tc, a_slot_far_away);
	tcase_add_test(tc, a_sheaf_that_is_opened_meanwhile);
	tcase_add_test(tc, constructed_where_it_is_wanted);
	tcase_add_test(tc, memory_of_many_threads);
	tcase_add_test(tc, some_of_each_kind);
	tcase_add_test(tc, off);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
