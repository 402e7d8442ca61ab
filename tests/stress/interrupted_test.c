/* SPDX-License-Identifier: MIT */
/*
 * A slow path that is interrupted while it holds its slot: by a signal handler that forks, or by
 * another thread that asks for figures. The system call that makes memory usable is the place where
 * both come in, so that no luck is needed; a timer then comes in anywhere.
 */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/check.h"
#include "death/child.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "malloc/info.h"
#include "os/mem.h"

#define TIMER_FORKS 50
#define TIMER_US    2000

/* What a deadlock costs, where it would be one. */
#define PATIENCE_S 20

int __real_os_commit(void *addr, size_t bytes);
int __wrap_os_commit(void *addr, size_t bytes);

static void (*interruption)(void); /* run once, inside the next os_commit() */

int __wrap_os_commit(void *addr, size_t bytes)
{
	void (*now)(void) = interruption;

	interruption = NULL;
	if (now)
		now();
	return __real_os_commit(addr, bytes);
}

/* Print, rather than use check in a child. */
#define REQUIRE(cond)							\
	do {								\
		if (!(cond)) {						\
			warn("failed: %s (line %d)", #cond, __LINE__);	\
			_exit(1);					\
		}							\
	} while (0)

static void send_signal(void)
{
	raise(SIGUSR1);
}

/* Allocate so much that memory has to be committed, and be interrupted at that. */
static void allocate_interrupted(void)
{
	void *p = heap_malloc(1 << 20);

	REQUIRE(p);
	REQUIRE(!interruption);
	memset(p, 1, 1 << 20);
	heap_free(p);
}

static void expect_sound_heap(void)
{
	void *p[100];

	REQUIRE(heap_validate(NULL) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		REQUIRE((p[i] = heap_malloc(i * 1000)));
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		heap_free(p[i]);
	REQUIRE(heap_validate(NULL) == 0);
}

static volatile sig_atomic_t nr_forks, nr_bad;

/* The child may not allocate: it stands in the middle of an allocation. */
static void fork_in_handler(int signo)
{
	int status = -1;
	pid_t pid = fork();

	(void)signo;
	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		nr_bad++;
	nr_forks++;
}

static void expect_ordinary_fork(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		expect_sound_heap();
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && !status);
}

static void forked_once(const void *arg)
{
	(void)arg;
	alarm(PATIENCE_S);
	signal(SIGUSR1, fork_in_handler);
	interruption = send_signal;
	allocate_interrupted();
	REQUIRE(nr_forks == 1 && !nr_bad);
	expect_sound_heap();
	expect_ordinary_fork();
}

START_TEST(fork_in_a_slow_path)
{
	struct child_end end;

	run_child(forked_once, NULL, &end);
	expect_life("fork", &end, "");
}
END_TEST

static void forked_by_timer(const void *arg)
{
	static const struct itimerval often = { { 0, TIMER_US }, { 0, TIMER_US } }, never;

	(void)arg;
	signal(SIGVTALRM, fork_in_handler);
	alarm(PATIENCE_S);
	setitimer(ITIMER_VIRTUAL, &often, NULL);
	while (nr_forks < TIMER_FORKS) {
		void *p[64];

		for (size_t i = 0; i < ARRAY_SIZE(p); i++)
			p[i] = heap_malloc(i & 1 ? 100000 + i * 8192 : i * 100);
		for (size_t i = 0; i < ARRAY_SIZE(p); i++)
			heap_free(p[i]);
	}
	setitimer(ITIMER_VIRTUAL, &never, NULL);
	REQUIRE(!nr_bad);
	expect_sound_heap();
	expect_ordinary_fork();
}

START_TEST(fork_anywhere)
{
	struct child_end end;

	run_child(forked_by_timer, NULL, &end);
	expect_life("timer", &end, "");
}
END_TEST

static void *take_figures(void *arg)
{
	heap_figures(arg);
	return NULL;
}

static void take_figures_in_thread(void)
{
	struct heap_figures f = { 0 };
	pthread_t thread;

	REQUIRE(!pthread_create(&thread, NULL, take_figures, &f));
	pthread_join(thread, NULL);
	REQUIRE(f.metadata_bytes);
}

static void watched(const void *arg)
{
	(void)arg;
	alarm(PATIENCE_S);
	interruption = take_figures_in_thread;
	allocate_interrupted();
	expect_sound_heap();
}

/* Whoever only looks does not wait for a slot that is busy with the OS. */
START_TEST(figures_in_a_slow_path)
{
	struct child_end end;

	run_child(watched, NULL, &end);
	expect_life("figures", &end, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("interrupted");
	TCase *tc = tcase_create("interrupted");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, fork_in_a_slow_path);
	tcase_add_test(tc, fork_anywhere);
	tcase_add_test(tc, figures_in_a_slow_path);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
