/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../testing.h"

#define NR_THREADS 4
#define NR_ROUNDS  50000

/* All that these tests lock: of a rank whose walker a test may replace. */
static struct lock a, b;
static unsigned long counter; /* [a] not atomic, so that a lost update shows */

static void walk_both(lock_visit *visit, void *arg)
{
	visit(&a, arg);
	visit(&b, arg);
}

static void *count(maybe_unused void *arg)
{
	for (int i = 0; i < NR_ROUNDS; i++) {
		lock_acquire(&a, LOCK_OPTIONS);
		counter++;
		lock_release(&a, LOCK_OPTIONS);
	}
	return NULL;
}

START_TEST(mutual_exclusion)
{
	pthread_t threads[NR_THREADS];

	for (int i = 0; i < NR_THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(counter, (unsigned long)NR_THREADS * NR_ROUNDS);
	ck_assert_uint_eq(a.word, 0);
}
END_TEST

START_TEST(try_takes_only_what_is_free)
{
	ck_assert(lock_try(&a, LOCK_OPTIONS));
	ck_assert(!lock_try(&a, LOCK_OPTIONS));
	lock_release(&a, LOCK_OPTIONS);
	ck_assert(lock_try(&a, LOCK_OPTIONS));
	lock_release(&a, LOCK_OPTIONS);
	ck_assert_uint_eq(a.word, 0);
}
END_TEST

static bool about_to_wait, got_it;

static void *wait_for_a(maybe_unused void *arg)
{
	store_release(&about_to_wait, true);
	lock_acquire(&a, LOCK_OPTIONS);
	store_release(&got_it, true);
	lock_release(&a, LOCK_OPTIONS);
	return NULL;
}

START_TEST(frozen_world)
{
	pthread_t thread;

	lock_set_walker(LOCK_OPTIONS, walk_both);
	lock_freeze_world();
	ck_assert(lock_world_is_mine());
	ck_assert_uint_ne(a.word, 0);
	ck_assert_uint_ne(b.word, 0);
	/* one's own acquisitions succeed, in any order, as often as one likes */
	for (int i = 0; i < 3; i++) {
		lock_acquire(&b, LOCK_OPTIONS);
		lock_acquire(&a, LOCK_OPTIONS);
		lock_release(&b, LOCK_OPTIONS);
		lock_release(&a, LOCK_OPTIONS);
	}
	ck_assert_uint_ne(a.word, 0);

	ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_a, NULL), 0);
	while (!load_acquire(&about_to_wait))
		sched_yield();
	/* long enough for most threads to get past a lock that did not hold them */
	for (int i = 0; i < 1000; i++)
		sched_yield();
	ck_assert(!load_acquire(&got_it));

	lock_thaw_world();
	pthread_join(thread, NULL);
	ck_assert(load_acquire(&got_it));
	ck_assert(!lock_world_is_mine());
	ck_assert_uint_eq(a.word, 0);
	ck_assert_uint_eq(b.word, 0);
}
END_TEST

static struct lock_count count_of(enum lock_rank rank)
{
	struct lock_count count = { 1, 1 };

	lock_count_rank(rank, &count);
	return count;
}

START_TEST(acquisitions_are_counted)
{
	unsigned long before;

	lock_set_walker(LOCK_OPTIONS, walk_both);
	/* parsing of options that the test was started with */
	before = count_of(LOCK_OPTIONS).acquisitions;
	for (int i = 0; i < 3; i++) {
		lock_acquire(&a, LOCK_OPTIONS);
		ck_assert(!lock_try(&a, LOCK_OPTIONS));
		lock_release(&a, LOCK_OPTIONS);
	}
	ck_assert(lock_try(&b, LOCK_OPTIONS));
	lock_release(&b, LOCK_OPTIONS);
	ck_assert_uint_eq(count_of(LOCK_OPTIONS).acquisitions - before, 4);
	ck_assert_uint_eq(count_of(LOCK_OPTIONS).waits, 0);
	/* what a lock that ends has counted stays */
	lock_retire(&a, LOCK_OPTIONS);
	ck_assert_uint_eq(count_of(LOCK_OPTIONS).acquisitions - before, 4 + 3);
}
END_TEST

START_TEST(waits_are_counted)
{
	pthread_t thread;

	lock_set_walker(LOCK_OPTIONS, walk_both);
	lock_acquire(&a, LOCK_OPTIONS);
	ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_a, NULL), 0);
	/* asleep: so it has come too late for the lock */
	while (!(READ_ONCE(a.word) & LOCK_WAITERS))
		sched_yield();
	lock_release(&a, LOCK_OPTIONS);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(count_of(LOCK_OPTIONS).acquisitions, 2);
	ck_assert_uint_eq(count_of(LOCK_OPTIONS).waits, 1);
}
END_TEST

static struct lock another_list;

static void walk_two_lists(lock_visit *visit, void *arg)
{
	visit(&another_list, arg);
	visit(&a, arg);
}

/* The list of mempools must stand still while the locks of mempools are counted. */
static void walk_b_under_a(lock_visit *visit, void *arg)
{
	ck_assert(lock_is_mine(&a));
	visit(&b, arg);
}

START_TEST(locks_that_come_and_go_are_counted_under_their_list)
{
	lock_set_walker(LOCK_MEMPOOLS, walk_two_lists);
	lock_set_walker(LOCK_MEMPOOL, walk_b_under_a);
	lock_acquire(&b, LOCK_MEMPOOL);
	lock_release(&b, LOCK_MEMPOOL);
	ck_assert_uint_eq(count_of(LOCK_MEMPOOL).acquisitions, 1);
	ck_assert_uint_eq(a.word, 0);
	ck_assert_uint_eq(another_list.word, 0);
	ck_assert_uint_eq(count_of(LOCK_MEMPOOLS).acquisitions, 2);
}
END_TEST

/* The audit freezes the world, in a fork handler it freezes a frozen one: the outer thaw counts. */
START_TEST(frozen_twice)
{
	lock_set_walker(LOCK_OPTIONS, walk_both);
	for (int round = 0; round < 2; round++) {
		lock_freeze_world();
		lock_freeze_world();
		lock_acquire(&a, LOCK_OPTIONS);
		ck_assert(lock_try(&b, LOCK_OPTIONS));
		lock_release(&b, LOCK_OPTIONS);
		lock_release(&a, LOCK_OPTIONS);
		lock_thaw_world();
		ck_assert(lock_world_is_mine());
		ck_assert_uint_ne(a.word, 0);
		ck_assert_uint_ne(b.word, 0);
		lock_thaw_world();
		ck_assert(!lock_world_is_mine());
		ck_assert_uint_eq(a.word, 0);
		ck_assert_uint_eq(b.word, 0);
		ck_assert(!lock_world_is_torn());
	}
}
END_TEST

/*
 * As in a signal handler that forks or exits, while the code that it interrupted holds a lock. That
 * code goes on afterwards, so it must find its lock as it was: after fork() in the child, too.
 */
START_TEST(frozen_with_a_lock_held)
{
	void (*const thaw[])(void) = { lock_thaw_world, lock_thaw_world_in_child };
	pthread_t thread;

	alarm(20); /* rather than wait for this very thread for ever */
	lock_set_walker(LOCK_OPTIONS, walk_both);
	lock_acquire(&a, LOCK_OPTIONS);
	lock_freeze_world();
	ck_assert(lock_world_is_torn());
	/* the handler gets past it, and does not let it go */
	lock_acquire(&a, LOCK_OPTIONS);
	lock_release(&a, LOCK_OPTIONS);
	ck_assert_uint_ne(a.word, 0);
	ck_assert_uint_ne(b.word, 0);
	thaw[_i]();
	ck_assert_uint_ne(a.word, 0);
	ck_assert_uint_eq(b.word, 0);

	/* others still wait for whoever held it first */
	ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_a, NULL), 0);
	while (!load_acquire(&about_to_wait))
		sched_yield();
	for (int i = 0; i < 1000; i++)
		sched_yield();
	ck_assert(!load_acquire(&got_it));
	lock_release(&a, LOCK_OPTIONS);
	pthread_join(thread, NULL);
	ck_assert(load_acquire(&got_it));

	/* and a world that is frozen later is whole again */
	lock_freeze_world();
	ck_assert(!lock_world_is_torn());
	lock_thaw_world();
	ck_assert_uint_eq(a.word, 0);
}
END_TEST

static bool stop;

static void *lock_all_day(maybe_unused void *arg)
{
	while (!load_acquire(&stop)) {
		lock_acquire(&a, LOCK_OPTIONS);
		counter++;
		counter++;
		lock_release(&a, LOCK_OPTIONS);
	}
	return NULL;
}

/* The library's own fork handlers freeze the world: no child may find a lock taken. */
START_TEST(fork_beside_a_busy_lock)
{
	pthread_t thread;

	lock_set_walker(LOCK_OPTIONS, walk_both);
	ck_assert_int_eq(pthread_create(&thread, NULL, lock_all_day, NULL), 0);
	for (int i = 0; i < 50; i++) {
		pid_t child = fork();
		int status;

		ck_assert_int_ge(child, 0);
		if (!child) {
			lock_acquire(&a, LOCK_OPTIONS);
			/* odd: the other thread was caught between its two steps */
			_exit((int)(counter % 2));
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFEXITED(status));
		ck_assert_int_eq(WEXITSTATUS(status), 0);
	}
	store_release(&stop, true);
	pthread_join(thread, NULL);
}
END_TEST

#ifdef SLABUDDY_DEBUG
START_TEST(ranks_in_order)
{
	struct lock locks[NR_LOCK_RANKS] = { { 0 } };

	for (int rank = 0; rank < NR_LOCK_RANKS; rank++) {
		lock_acquire(&locks[rank], (enum lock_rank)rank);
		ck_assert(lock_rank_held((enum lock_rank)rank));
		ASSERT_HELD(&locks[rank], (enum lock_rank)rank);
	}
	for (int rank = 0; rank < NR_LOCK_RANKS; rank++)
		lock_release(&locks[rank], (enum lock_rank)rank);
	for (int rank = 0; rank < NR_LOCK_RANKS; rank++)
		ck_assert(!lock_rank_held((enum lock_rank)rank));
}
END_TEST

/* For every rank: after it, none that is outside of it and not itself again. */
START_TEST(ranks_out_of_order)
{
	int inner = _i + 1;

	lock_acquire(&a, (enum lock_rank)inner);
	lock_acquire(&b, (enum lock_rank)_i);
}
END_TEST

START_TEST(same_rank_twice)
{
	lock_acquire(&a, (enum lock_rank)_i);
	lock_acquire(&b, (enum lock_rank)_i);
}
END_TEST

START_TEST(release_of_what_is_not_held)
{
	lock_release(&a, LOCK_ZONE);
}
END_TEST

START_TEST(assert_held_without_the_lock)
{
	a.word = 1; /* somebody has it, but not this thread */
	ASSERT_HELD(&a, LOCK_ZONE);
}
END_TEST

static void add_rank_tests(TCase *tc)
{
	tcase_add_test(tc, ranks_in_order);
	tcase_add_loop_test_raise_signal(tc, ranks_out_of_order, SIGABRT, 0, NR_LOCK_RANKS - 1);
	tcase_add_loop_test_raise_signal(tc, same_rank_twice, SIGABRT, 0, NR_LOCK_RANKS);
	tcase_add_test_raise_signal(tc, release_of_what_is_not_held, SIGABRT);
	tcase_add_test_raise_signal(tc, assert_held_without_the_lock, SIGABRT);
}
#else
static void add_rank_tests(TCase *tc)
{
	(void)tc;
}
#endif

int main(void)
{
	TCase *tc = test_case("base/lock");

	tcase_add_test(tc, mutual_exclusion);
	tcase_add_test(tc, try_takes_only_what_is_free);
	tcase_add_test(tc, acquisitions_are_counted);
	tcase_add_test(tc, waits_are_counted);
	tcase_add_test(tc, locks_that_come_and_go_are_counted_under_their_list);
	tcase_add_test(tc, frozen_world);
	tcase_add_test(tc, frozen_twice);
	tcase_add_loop_test(tc, frozen_with_a_lock_held, 0, 2);
	tcase_add_test(tc, fork_beside_a_busy_lock);
	add_rank_tests(tc);
	return test_run(tc);
}
