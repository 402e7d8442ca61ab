/* SPDX-License-Identifier: MIT */
/*
 * The thread that gives back what lies idle: when it is there, what it does unasked, when it sleeps, and fork().
 *
 * Nothing here is said about how long it takes: each wait ends when what it waits for has come, or the test fails
 * by its time limit.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabuddy/slabuddy.h>

#include "base/bits.h"
#include "base/option.h"
#include "base/vm_event.h"
#include "buddy/kswapd.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "model/block.h"
#include "os/pressure.h"
#include "os/thread.h"

bool __wrap_os_pressure_open(struct os_pressure *pressure, const struct os_pressure_places *places);
bool __real_os_pressure_wait(struct os_pressure *pressure, unsigned int ms);
bool __wrap_os_pressure_wait(struct os_pressure *pressure, unsigned int ms);
bool __wrap_os_cgroup_is_near_limit(const struct os_pressure_places *places, unsigned int percent);

int __real_os_own_files(void);
int __wrap_os_own_files(void);

int __real_os_thread_start(struct os_thread *thread, void *const *tls, unsigned int nr);
int __wrap_os_thread_start(struct os_thread *thread, void *const *tls, unsigned int nr);

static int refusal; /* of the next thread; 0: none */
static unsigned int nr_starts;
static bool pressed; /* [atomic] the OS says that memory is short */
static bool near;    /* [atomic] a cgroup is near its limit */
static unsigned int waits; /* [atomic] */
static unsigned int nr_asked; /* [atomic] times that somebody asked for a cgroup's limit */
static bool files_are_shared; /* there is no close_range() */

/* What the machine is short of has nothing to do with the test. */
bool __wrap_os_pressure_open(struct os_pressure *pressure, const struct os_pressure_places *places)
{
	(void)places;
	pressure->fd = -1;
	return false;
}

bool __wrap_os_pressure_wait(struct os_pressure *pressure, unsigned int ms)
{
	const unsigned int part = 5;

	__atomic_fetch_add(&waits, 1, __ATOMIC_RELAXED);
	/* in parts, so that the test need not wait for the end of a step */
	for (unsigned int done = 0; done < ms && !READ_ONCE(near); done += part) {
		if (__atomic_exchange_n(&pressed, false, __ATOMIC_RELAXED))
			return true;
		if (__real_os_pressure_wait(pressure, MIN(part, ms - done)))
			return true;
	}
	return false;
}

bool __wrap_os_cgroup_is_near_limit(const struct os_pressure_places *places, unsigned int percent)
{
	(void)places;
	(void)percent;
	__atomic_fetch_add(&nr_asked, 1, __ATOMIC_RELAXED);
	return READ_ONCE(near);
}

int __wrap_os_own_files(void)
{
	return files_are_shared ? -ENOSYS : __real_os_own_files();
}

int __wrap_os_thread_start(struct os_thread *thread, void *const *tls, unsigned int nr)
{
	nr_starts++;
	return refusal ? refusal : __real_os_thread_start(thread, tls, nr);
}

/* The number of the thread of that name; 0: there is none. *@nr: how many threads there are. */
static int find_thread(int *nr)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	int found = 0;

	ck_assert_ptr_nonnull(tasks);
	*nr = 0;
	while ((entry = readdir(tasks))) {
		char path[300], name[32] = "";
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		++*nr;
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue; /* just gone */
		if (fgets(name, sizeof(name), file) && !strcmp(name, "slabuddy/kswapd\n"))
			found = atoi(entry->d_name);
		fclose(file);
	}
	closedir(tasks);
	return found;
}

static int kswapd_thread(void)
{
	int nr;

	return find_thread(&nr);
}

static unsigned long dirty_pages(void)
{
	struct zone_pages pages;

	zone_count(&node_data[0].zones[ZONE_NORMAL], &pages);
	return pages.dirty;
}

/* 8 MiB become free and dirty, in pages below the watermark. */
static void make_dirty(void)
{
	enum { NR = 64 };
	void *p[NR];

	for (int i = 0; i < NR; i++) {
		p[i] = heap_malloc(KIB(128));
		ck_assert_ptr_nonnull(p[i]);
		memset(p[i], 1, KIB(128));
	}
	for (int i = 0; i < NR; i++)
		heap_free(p[i]);
}

static void wait_until_clean(void)
{
	while (dirty_pages() > KSWAPD_WAKE_PAGES)
		usleep(1000);
}

static void wait_until_asleep(void)
{
	while (READ_ONCE(kswapd_state) != KSWAPD_SLEEPS)
		usleep(1000);
}

static void expect_sound(void)
{
	ck_assert_uint_eq(heap_validate(NULL), 0);
}

START_TEST(off_is_off)
{
	int before, after;

	find_thread(&before);
	make_dirty();
	ck_assert_uint_gt(dirty_pages(), 1000);
	usleep(50000);
	ck_assert_int_eq(find_thread(&after), 0);
	ck_assert_int_eq(before, after);
	ck_assert_uint_gt(dirty_pages(), 1000);
	ck_assert_uint_eq(vm_event_read(VM_KSWAPD_RUN), 0);
}
END_TEST

/* It comes when there is something to do, and everything goes back unasked. */
START_TEST(what_lies_idle_goes_back)
{
	ck_assert_int_eq(slabuddy_option("kswapd=on dirty_decay_ms=100"), 0);
	ck_assert_int_eq(kswapd_thread(), 0);
	heap_free(heap_malloc(100));
	ck_assert_int_eq(kswapd_thread(), 0);
	make_dirty();
	while (!kswapd_thread())
		usleep(1000);
	wait_until_clean();
	wait_until_asleep();
	ck_assert_uint_ge(vm_event_read(VM_KSWAPD_RUN), KSWAPD_STEPS);
	expect_sound();
	/* and again, by the same one */
	make_dirty();
	wait_until_clean();
	wait_until_asleep();
	ck_assert_uint_eq(vm_event_read(VM_KSWAPD_FAIL), 0);
	ck_assert_uint_eq(vm_event_read(VM_KSWAPD_BLIND), 2);
}
END_TEST

/* No more threads to be had: counted, and not tried again until somebody asks. */
START_TEST(refused)
{
	refusal = -EAGAIN;
	ck_assert_int_eq(slabuddy_option("kswapd=on dirty_decay_ms=100"), 0);
	for (int i = 0; i < 3; i++)
		make_dirty();
	ck_assert_uint_eq(nr_starts, 1);
	ck_assert_uint_eq(vm_event_read(VM_KSWAPD_FAIL), 1);
	ck_assert_int_eq(kswapd_thread(), 0);
	ck_assert_uint_gt(dirty_pages(), 1000);
	refusal = 0;
	slabuddy_option("kswapd=on");
	make_dirty();
	wait_until_clean();
	ck_assert_uint_eq(nr_starts, 2);
	ck_assert_uint_eq(vm_event_read(VM_KSWAPD_FAIL), 1);
}
END_TEST

/* The one before has not ended yet: later, and that is no failure. */
START_TEST(not_yet)
{
	refusal = -EBUSY;
	slabuddy_option("kswapd=on dirty_decay_ms=100");
	make_dirty();
	ck_assert_uint_gt(nr_starts, 1);
	ck_assert_uint_eq(vm_event_read(VM_KSWAPD_FAIL), 0);
	refusal = 0;
	make_dirty();
	wait_until_clean();
}
END_TEST

static unsigned long wakeups_of(int thread)
{
	unsigned long nr = 0;
	char path[100], line[200];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", thread);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		unsigned long part;

		if (sscanf(line, "voluntary_ctxt_switches: %lu", &part) == 1)
			nr += part;
	}
	fclose(file);
	ck_assert_uint_gt(nr, 0);
	return nr;
}

/* An idle process makes no wake-ups: the thread that has done its work is not seen by the scheduler any more. */
START_TEST(idle_is_idle)
{
	unsigned int nr_waits;
	unsigned long before;
	int thread;

	slabuddy_option("kswapd=on dirty_decay_ms=100");
	make_dirty();
	wait_until_clean();
	wait_until_asleep();
	/* it goes to sleep a moment after it has said so */
	usleep(100000);
	thread = kswapd_thread();
	before = wakeups_of(thread);
	nr_waits = READ_ONCE(waits);
	sleep(1);
	ck_assert_uint_eq(wakeups_of(thread), before);
	ck_assert_uint_eq(READ_ONCE(waits), nr_waits);
	/* what is not worth a wake-up does not make one */
	heap_free(heap_malloc(KIB(64)));
	usleep(50000);
	ck_assert_uint_eq(wakeups_of(thread), before);
}
END_TEST

START_TEST(turned_off_and_on)
{
	for (int i = 0; i < 10; i++) {
		slabuddy_option("kswapd=on dirty_decay_ms=100");
		make_dirty();
		/* one that is just ending comes back with the next free */
		while (!kswapd_thread())
			make_dirty();
		/* at work, asleep, and about to go to sleep */
		if (i) {
			wait_until_clean();
			wait_until_asleep();
		}
		if (i > 1)
			make_dirty();
		/* nine steps and a little */
		if (i > 2)
			usleep(100000 + 3000 * (unsigned int)i);
		slabuddy_option("kswapd=off");
		while (kswapd_thread())
			usleep(1000);
		make_dirty();
		ck_assert_int_eq(kswapd_thread(), 0);
	}
}
END_TEST

/* The OS says that memory is short: all goes at once, however long it may take otherwise. */
static void expect_all_at_once(bool *why)
{
	slabuddy_option("kswapd=on dirty_decay_ms=100 dirty_min=1000000");
	make_dirty();
	wait_until_asleep();
	/* from now on a step takes minutes */
	slabuddy_option("dirty_decay_ms=3600000");
	make_dirty();
	WRITE_ONCE(*why, true);
	wait_until_clean();
	WRITE_ONCE(*why, false);
	expect_sound();
}

START_TEST(pressure)
{
	expect_all_at_once(&pressed);
	ck_assert_uint_eq(vm_event_read(VM_KSWAPD_PRESSURE), 1);
	ck_assert_uint_eq(vm_event_read(VM_KSWAPD_LIMIT), 0);
}
END_TEST

START_TEST(near_a_limit)
{
	expect_all_at_once(&near);
	ck_assert_uint_gt(vm_event_read(VM_KSWAPD_LIMIT), 0);
	/* and when all is gone it sleeps, however near the limit is */
	slabuddy_option("dirty_decay_ms=100");
	WRITE_ONCE(near, true);
	make_dirty();
	wait_until_clean();
	wait_until_asleep();
	ck_assert_uint_eq(vm_event_read(VM_KSWAPD_PRESSURE), 0);
}
END_TEST

/* Where its files would be the program's it opens none, so it does not ask for limits either. */
START_TEST(opens_no_file_of_the_programs)
{
	struct zone *zone = &node_data[0].zones[ZONE_NORMAL];

	files_are_shared = true;
	WRITE_ONCE(near, true);
	/* first, so that it begins once, however slowly this thread goes on */
	make_dirty();
	slabuddy_option("kswapd=on dirty_decay_ms=100");
	zone_lock(zone);
	zone_unlock(zone);
	wait_until_clean();
	ck_assert_uint_gt(vm_event_read(VM_KSWAPD_RUN), 0);
	ck_assert_uint_eq(READ_ONCE(nr_asked), 0);
	ck_assert_uint_eq(vm_event_read(VM_KSWAPD_LIMIT), 0);
	ck_assert_uint_eq(vm_event_read(VM_KSWAPD_BLIND), 1);
}
END_TEST

static int wait_for(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0)
		;
	return status;
}

static void work_as_child(void)
{
	if (kswapd_thread())
		_exit(1);
	make_dirty();
	while (!kswapd_thread())
		usleep(1000);
	wait_until_clean();
	if (heap_validate(NULL))
		_exit(2);
}

/* A child, and a child of the child, and so on. */
static _Noreturn void be_children(int generations)
{
	pid_t pid = 0;

	while (!pid && generations-- > 0) {
		alarm(100);
		work_as_child();
		pid = fork();
	}
	_exit(pid && wait_for(pid) ? 3 : 0);
}

/* A child begins without the thread, whatever it was doing, and has its own when it has something to give. */
START_TEST(children)
{
	slabuddy_option("kswapd=on dirty_decay_ms=100");
	for (int i = 0; i < 10; i++) {
		pid_t pid;

		make_dirty();
		usleep(10000 * (unsigned int)i);
		pid = fork();
		if (!pid)
			be_children(3);
		ck_assert_int_eq(wait_for(pid), 0);
		ck_assert_int_ne(kswapd_thread(), 0);
	}
	wait_until_clean();
	expect_sound();
}
END_TEST

/* A default action would not end the first process of a namespace. */
static void give_up(int unused)
{
	(void)unused;
	_exit(4);
}

/* The first process of a container, which has the thread, makes another container. */
static _Noreturn void be_first(void)
{
	pid_t pid;

	signal(SIGALRM, give_up);
	alarm(100);
	work_as_child();
	/* no thread can begin from here on */
	if (unshare(CLONE_NEWPID))
		_exit(5);
	pid = fork();
	if (!pid) {
		alarm(100);
		make_dirty();
		/* it was called, and there is one now */
		if (READ_ONCE(kswapd_state) == KSWAPD_NONE)
			_exit(6);
		wait_until_clean();
		_exit(heap_validate(NULL) ? 2 : 0);
	}
	_exit(wait_for(pid) ? 3 : 0);
}

/* In a new namespace @be is its first process; not where none may be made, which needs root. */
static void expect_first(void (*be)(void))
{
	pid_t pid;

	slabuddy_option("kswapd=on dirty_decay_ms=100");
	if (unshare(CLONE_NEWPID)) {
		printf("skipped: no namespace of processes: %s\n", strerror(errno));
		return;
	}
	pid = fork();
	if (!pid)
		be();
	ck_assert_int_eq(wait_for(pid), 0);
}

/* Two processes may have the same number, and a child that of its parent: its thread is not there all the same. */
START_TEST(child_of_the_same_number)
{
	expect_first(be_first);
}
END_TEST

static int be_vforked(void *number)
{
	make_dirty();
	_exit(getpid() != *(pid_t *)number ? 6 : READ_ONCE(kswapd_state) != KSWAPD_NONE);
}

/* The first process of a container makes the first one of another in its own memory, as vfork() does. */
static _Noreturn void be_first_with_a_vfork(void)
{
	static _Alignas(64) char stack[KIB(256)];
	pid_t number = getpid(), pid;

	signal(SIGALRM, give_up);
	alarm(100);
	pid = clone(be_vforked, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_NEWPID | SIGCHLD,
		    &number);
	if (pid < 0)
		_exit(5);
	if (wait_for(pid))
		_exit(3);
	/* it is still there to be had */
	work_as_child();
	_exit(0);
}

START_TEST(vfork_child_of_the_same_number)
{
	expect_first(be_first_with_a_vfork);
}
END_TEST

enum { THREADS = 3, NR_OWN = 200 };
static bool stop; /* [atomic] */

static void *allocate_without_pause(void *arg)
{
	struct rng rng = { .state = (uintptr_t)arg + 1 };
	static struct block tables[THREADS][NR_OWN];
	struct block *own = tables[(uintptr_t)arg];

	while (!READ_ONCE(stop)) {
		struct block *block = &own[rng_below(&rng, NR_OWN)];
		size_t size = rng_below(&rng, rng_below(&rng, 20) ? 2000 : 400000);

		if (!block->ptr)
			block_born(block, heap_malloc(size), size, 16, false);
		else
			block_free(block);
	}
	for (unsigned int i = 0; i < NR_OWN; i++) {
		if (own[i].ptr)
			block_free(&own[i]);
	}
	return NULL;
}

static void fork_once(void)
{
	pid_t pid = fork();

	if (!pid) {
		alarm(100);
		/* see main() */
		if (!SANITIZED)
			make_dirty();
		_exit(heap_validate(NULL) != 0);
	}
	ck_assert_int_eq(wait_for(pid), 0);
}

/* Beside threads that come and go, while the process forks and memory is short now and then. */
START_TEST(in_a_busy_process)
{
	unsigned long rounds = scaled(20);

	slabuddy_option("kswapd=on dirty_decay_ms=100");
	for (unsigned long n = 0; n < rounds; n++) {
		pthread_t threads[THREADS];

		WRITE_ONCE(stop, false);
		for (uintptr_t i = 0; i < THREADS; i++)
			ck_assert_int_eq(pthread_create(&threads[i], NULL, allocate_without_pause,
							(void *)i), 0);
		usleep(20000);
		WRITE_ONCE(pressed, n % 3 == 0);
		fork_once();
		WRITE_ONCE(stop, true);
		for (unsigned int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		expect_sound();
	}
	wait_until_clean();
	expect_sound();
}
END_TEST

/* A signal for the process is for the program's threads. */
static int got_in; /* [atomic] */

static void handler(int unused)
{
	(void)unused;
	WRITE_ONCE(got_in, gettid());
}

START_TEST(signals)
{
	struct sigaction action = { .sa_handler = handler };
	sigset_t usr1;

	sigaction(SIGUSR1, &action, NULL);
	slabuddy_option("kswapd=on dirty_decay_ms=100");
	make_dirty();
	while (!kswapd_thread())
		usleep(1000);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	/* a thread that has it not blocked would get it */
	kill(getpid(), SIGUSR1);
	usleep(50000);
	ck_assert_int_eq(READ_ONCE(got_in), 0);
	sigprocmask(SIG_UNBLOCK, &usr1, NULL);
	while (!READ_ONCE(got_in))
		usleep(1000);
	ck_assert_int_eq(READ_ONCE(got_in), getpid());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kswapd");
	TCase *tc = tcase_create("kswapd");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 100.0 + 100.0 * (double)env_number("SLABUDDY_SCALE", 1));
	tcase_add_test(tc, off_is_off);
	tcase_add_test(tc, what_lies_idle_goes_back);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, not_yet);
	tcase_add_test(tc, idle_is_idle);
	tcase_add_test(tc, turned_off_and_on);
	tcase_add_test(tc, pressure);
	tcase_add_test(tc, near_a_limit);
	tcase_add_test(tc, opens_no_file_of_the_programs);
	/* a sanitizer has no threads in the child of a process that has some */
	if (!SANITIZED) {
		tcase_add_test(tc, children);
		tcase_add_test(tc, child_of_the_same_number);
		tcase_add_test(tc, vfork_child_of_the_same_number);
	}
	tcase_add_test(tc, in_a_busy_process);
	tcase_add_test(tc, signals);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
