/* SPDX-License-Identifier: MIT */
/* Events: no wake-up is lost between the lock's release and the sleep, and none is made for nobody. */
#include <pthread.h>

#include "../testing.h"
#include "base/event.h"
#include "base/lock.h"

#define FOR_EVER 1000000

static struct event event;

START_TEST(nobody_waits)
{
	ck_assert(!event_happened(&event));
	event_expect(&event);
	ck_assert(event_happened(&event));
	ck_assert(!event_happened(&event));
	event_wake(&event);
}
END_TEST

START_TEST(happened_before_the_sleep)
{
	uint32_t ticket = event_expect(&event);

	event_happened(&event);
	/* somebody else waits by now, for what comes next */
	event_expect(&event);
	ck_assert(event_wait(&event, ticket, FOR_EVER));
}
END_TEST

START_TEST(the_time_passes)
{
	ck_assert(!event_wait(&event, event_expect(&event), 20));
	ck_assert(!event_wait(&event, event_expect(&event), 1020));
}
END_TEST

#define NR_THREADS 4
#define TURNS 2000

static struct lock lock;
static unsigned int turn; /* [lock] */

/* Each thread in its turn; all others sleep. */
static void *take_turns(void *number)
{
	for (unsigned int i = 0; i < TURNS; i++) {
		bool sleepers;

		lock_acquire(&lock, LOCK_MEMPOOL);
		while (turn % NR_THREADS != (uintptr_t)number) {
			uint32_t ticket = event_expect(&event);

			lock_release(&lock, LOCK_MEMPOOL);
			if (!event_wait(&event, ticket, FOR_EVER))
				return number;
			lock_acquire(&lock, LOCK_MEMPOOL);
		}
		turn++;
		sleepers = event_happened(&event);
		lock_release(&lock, LOCK_MEMPOOL);
		if (sleepers)
			event_wake(&event);
	}
	return NULL;
}

START_TEST(turns)
{
	pthread_t threads[NR_THREADS];

	for (uintptr_t i = 0; i < NR_THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_turns, (void *)i), 0);
	for (int i = 0; i < NR_THREADS; i++) {
		void *late;

		pthread_join(threads[i], &late);
		ck_assert_ptr_null(late);
	}
	ck_assert_uint_eq(turn, NR_THREADS * TURNS);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("event");

	tcase_add_test(tc, nobody_waits);
	tcase_add_test(tc, happened_before_the_sleep);
	tcase_add_test(tc, the_time_passes);
	tcase_add_test(tc, turns);
	return test_run(tc);
}
