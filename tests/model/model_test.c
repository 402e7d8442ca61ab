/* SPDX-License-Identifier: MIT */
/*
 * Random sequences of several threads, compared with the model. Every case runs its threads in
 * rounds: those of one round end before the next one's start, and the model's tables stay, so that
 * blocks outlive the threads that allocated them. Within a round all threads meet at a barrier now
 * and then, and one of them audits the heap while the others own slots and wait.
 */
#include <check.h>
#include <pthread.h>

#include "base/bits.h"
#include "base/option.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "malloc/info.h"
#include "model/world.h"

#define ROUNDS 3
#define MEETINGS 2

static uint64_t seed;

struct round {
	pthread_barrier_t barrier;
	unsigned long steps; /* between two meetings */
};

struct member {
	struct round *round;
	unsigned int worker;
	pthread_t thread;
};

static void *run_member(void *arg)
{
	struct member *m = arg;

	for (int meeting = 0; meeting < MEETINGS; meeting++) {
		world_work(m->worker, m->round->steps);
		if (pthread_barrier_wait(&m->round->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			world_audit();
		pthread_barrier_wait(&m->round->barrier);
	}
	world_work(m->worker, m->round->steps);
	return NULL;
}

static void run_round(unsigned int threads, unsigned long steps)
{
	struct round round = { .steps = steps };
	struct member members[MAX_WORKERS];

	pthread_barrier_init(&round.barrier, NULL, threads);
	for (unsigned int i = 0; i < threads; i++) {
		members[i].round = &round;
		members[i].worker = i;
		ck_assert_int_eq(pthread_create(&members[i].thread, NULL, run_member, &members[i]),
				 0);
	}
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(members[i].thread, NULL);
	pthread_barrier_destroy(&round.barrier);
	world_audit();
}

static void run_model(unsigned int threads, enum mix mix, unsigned long steps)
{
	unsigned long each = scaled(steps) / threads / (MEETINGS + 1) + 1;

	world_start(threads, mix, seed ^ threads << 8 ^ mix);
	for (int round = 0; round < ROUNDS; round++)
		run_round(threads, each);
	world_end();
}

static const unsigned int thread_counts[] = { 1, 2, 4, 8 };

START_TEST(small_blocks)
{
	run_model(thread_counts[_i], MIX_SMALL, 600000);
}
END_TEST

START_TEST(every_class)
{
	run_model(thread_counts[_i], MIX_CLASSES, 200000);
}
END_TEST

START_TEST(large_and_huge_blocks)
{
	run_model(thread_counts[_i], MIX_LARGE, 6000);
}
END_TEST

START_TEST(everything)
{
	run_model(thread_counts[_i], MIX_ALL, 200000);
}
END_TEST

/* The same on a heap that is split into nodes, and with sheaves of the least size. */
START_TEST(several_nodes)
{
	options_parse("numa=fake=3", "test");
	run_model(4, MIX_ALL, 150000);
}
END_TEST

START_TEST(tiny_sheaves)
{
	options_parse("sheaf=0", "test");
	run_model(4, MIX_ALL, 150000);
}
END_TEST

/* Nothing dirty is kept, so that what is given out again was given back before. */
START_TEST(eager_purge)
{
	options_parse("dirty_min=0 dirty_percent=0", "test");
	run_model(4, MIX_ALL, 60000);
}
END_TEST

static bool work_done; /* [atomic] */

static void *look_on(void *arg)
{
	struct heap_figures f;

	(void)arg;
	while (!READ_ONCE(work_done)) {
		if (heap_validate(NULL))
			model_fail("faults in a heap at work");
		heap_figures(&f);
		usleep(1000);
	}
	return NULL;
}

/* heap_validate() and heap_figures() are for a heap at work too. */
START_TEST(audit_at_work)
{
	pthread_t auditor;

	ck_assert_int_eq(pthread_create(&auditor, NULL, look_on, NULL), 0);
	run_model(4, MIX_ALL, 100000);
	WRITE_ONCE(work_done, true);
	pthread_join(auditor, NULL);
}
END_TEST

static void *trim_often(void *arg)
{
	(void)arg;
	while (!READ_ONCE(work_done)) {
		heap_trim();
		usleep(1000);
	}
	return NULL;
}

static void *run_without_meeting(void *arg)
{
	struct member *m = arg;

	world_work(m->worker, m->round->steps);
	return NULL;
}

/* heap_trim() takes slots from the stack of free ones, empties them and puts them back. */
START_TEST(trim_at_work)
{
	struct round round = { .steps = scaled(20000) };
	struct member members[4];
	pthread_t trimmer;

	world_start(ARRAY_SIZE(members), MIX_ALL, seed);
	ck_assert_int_eq(pthread_create(&trimmer, NULL, trim_often, NULL), 0);
	for (int n = 0; n < ROUNDS; n++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(members); i++) {
			members[i].round = &round;
			members[i].worker = i;
			ck_assert_int_eq(pthread_create(&members[i].thread, NULL,
							run_without_meeting, &members[i]), 0);
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(members); i++)
			pthread_join(members[i].thread, NULL);
	}
	WRITE_ONCE(work_done, true);
	pthread_join(trimmer, NULL);
	world_audit();
	world_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model");
	TCase *tc = tcase_create("model");
	SRunner *runner = srunner_create(suite);
	int failed;

	seed = test_seed("model");
	/* a safety net: nothing here depends on time */
	tcase_set_timeout(tc, 100.0 + 100.0 * (double)env_number("SLABUDDY_SCALE", 1));
	tcase_add_loop_test(tc, small_blocks, 0, ARRAY_SIZE(thread_counts));
	tcase_add_loop_test(tc, every_class, 0, ARRAY_SIZE(thread_counts));
	tcase_add_loop_test(tc, large_and_huge_blocks, 0, ARRAY_SIZE(thread_counts));
	tcase_add_loop_test(tc, everything, 0, ARRAY_SIZE(thread_counts));
	tcase_add_test(tc, several_nodes);
	tcase_add_test(tc, tiny_sheaves);
	tcase_add_test(tc, eager_purge);
	tcase_add_test(tc, audit_at_work);
	tcase_add_test(tc, trim_at_work);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
