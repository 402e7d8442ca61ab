/* SPDX-License-Identifier: MIT */
/* Limits of cgroups and pressure, from files that the test writes. */
#include "os/pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../testing.h"
#include "os/info.h"
#include "os/thread.h"

static char dir[] = "/tmp/slabuddy-pressure-XXXXXX";
static char machine[100], cgroups[100], root[100];
static struct os_pressure_places places = { machine, cgroups, root };

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(machine, sizeof(machine), "%s/psi", dir);
	snprintf(cgroups, sizeof(cgroups), "%s/cgroups", dir);
	snprintf(root, sizeof(root), "%s/root", dir);
}

static void teardown(void)
{
	char command[200];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static void put(const char *path, const char *text)
{
	char command[300];

	snprintf(command, sizeof(command), "mkdir -p $(dirname %s)", path);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(os_write_file(path, text, strlen(text)), 0);
}

/* The file @name below the root of cgroups. */
static void put_in(const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	put(path, text);
}

static bool near(unsigned int percent)
{
	bool is;

	errno = 4711;
	is = os_cgroup_is_near_limit(&places, percent);
	ck_assert_int_eq(errno, 4711);
	return is;
}

START_TEST(no_files)
{
	struct os_pressure pressure;

	ck_assert(!near(1));
	ck_assert(!os_pressure_open(&pressure, &places));
	/* then it is a pause and nothing else */
	ck_assert(!os_pressure_wait(&pressure, 10));
	os_pressure_close(&pressure);
}
END_TEST

START_TEST(version_2)
{
	put(cgroups, "0::/a/b\n");
	ck_assert(!near(90));
	put_in("a/b/memory.max", "max\n");
	put_in("a/b/memory.high", "max\n");
	put_in("a/b/memory.current", "1000000000\n");
	ck_assert(!near(90));
	put_in("a/b/memory.max", "2000000000\n");
	ck_assert(!near(90));
	ck_assert(near(50));
	put_in("a/b/memory.high", "1100000000\n");
	ck_assert(near(90));
	put_in("a/b/memory.stat", "anon 5\nworkingset_inactive_file 7\ninactive_file 100000000\n");
	ck_assert(!near(90));
	put_in("a/b/memory.stat", "anon 5\ninactive_file 1000000\n");
	ck_assert(near(90));
}
END_TEST

/* The one around it, and the outermost one as a container sees it. */
START_TEST(of_those_around)
{
	put(cgroups, "0::/a/b\n");
	put_in("a/b/memory.max", "max\n");
	put_in("a/b/memory.current", "100000\n");
	put_in("a/memory.max", "200000\n");
	put_in("a/memory.current", "150000\n");
	ck_assert(!near(90));
	put_in("a/memory.current", "199000\n");
	ck_assert(near(90));
	put_in("a/memory.current", "100\n");
	ck_assert(!near(90));
	put_in("memory.max", "100\n");
	put_in("memory.current", "99\n");
	ck_assert(near(90));
	put(cgroups, "0::/\n");
	ck_assert(near(90));
	put(cgroups, "0::/not/to/be/seen/from/here\n");
	ck_assert(near(90));
}
END_TEST

START_TEST(version_1)
{
	put(cgroups, "12:pids:/x\n4:cpu,memory:/a\n2:memory2:/c\n1:name=memory:/b\n0::/u\n");
	put_in("memory/a/memory.limit_in_bytes", "9223372036854771712\n");
	put_in("memory/a/memory.usage_in_bytes", "9000000000\n");
	ck_assert(!near(1));
	put_in("memory/a/memory.limit_in_bytes", "9500000000\n");
	ck_assert(near(90));
	put_in("memory/a/memory.stat", "inactive_file 9000000000\ntotal_inactive_file 1\n");
	ck_assert(near(90));
	put_in("memory/a/memory.stat", "inactive_file 1\ntotal_inactive_file 9000000000\n");
	ck_assert(!near(90));
	/* the others are nobody's */
	put_in("u/memory.max", "1\n");
	put_in("u/memory.current", "1\n");
	put_in("memory/b/memory.limit_in_bytes", "1\n");
	put_in("memory/b/memory.usage_in_bytes", "1\n");
	ck_assert(!near(90));
}
END_TEST

/* What is no number and what is too long is no limit, and no fault. */
START_TEST(nonsense)
{
	char text[3000];

	put(cgroups, "");
	ck_assert(!near(1));
	put(cgroups, "0::");
	put_in("memory.max", "-5\n");
	put_in("memory.current", "99999999999999999999999999\n");
	ck_assert(!near(1));
	put_in("memory.max", "0\n");
	ck_assert(near(90));
	memset(text, 'x', sizeof(text));
	memcpy(text, "0::/", 4);
	text[sizeof(text) - 1] = '\0';
	put(cgroups, text);
	ck_assert(!near(1));
	put(cgroups, "memory\n::\n4:memory\n5:cpu,memory");
	ck_assert(!near(1));
}
END_TEST

/* The trigger is written to the cgroup's file if that is there, else to the machine's. */
START_TEST(whom_to_ask)
{
	static const char trigger[] = "some 100000 2000000";
	struct os_pressure pressure;
	char path[200], text[100] = "";
	int fd;

	put(machine, "");
	ck_assert(os_pressure_open(&pressure, &places));
	ck_assert_int_gt(pressure.fd, 2);
	os_pressure_close(&pressure);
	ck_assert_int_eq(pressure.fd, -1);
	fd = open(machine, O_RDONLY);
	ck_assert_int_eq(read(fd, text, sizeof(text)), sizeof(trigger));
	ck_assert_str_eq(text, trigger);
	close(fd);

	put(cgroups, "0::/a\n");
	put_in("a/memory.pressure", "");
	ck_assert(os_pressure_open(&pressure, &places));
	os_pressure_close(&pressure);
	snprintf(path, sizeof(path), "%s/a/memory.pressure", root);
	fd = open(path, O_RDONLY);
	ck_assert_int_eq(read(fd, text, sizeof(text)), sizeof(trigger));
	close(fd);

	/* the machine's real one, where this process may ask it */
	if (os_pressure_open(&pressure, &os_pressure_places)) {
		os_pressure_wait(&pressure, 1);
		os_pressure_close(&pressure);
	}
}
END_TEST

static bool ready; /* [atomic] */
static int result;

static void open_own(void)
{
	result = os_own_files();
	if (!result && open("/dev/null", O_RDONLY) != 0)
		result = -EBADF;
	store_release(&ready, true);
}

/* A thread of ours has no file of the program's, and the program none of its. */
START_TEST(files_of_its_own)
{
	static struct os_thread thread = { .name = "files", .body = open_own };
	int before = dup(0), after;

	close(before);
	ck_assert_int_eq(os_thread_start(&thread, NULL, 0), 0);
	while (!load_acquire(&ready))
		os_pause(1);
	ck_assert(!result || result == -ENOSYS || result == -EPERM);
	after = dup(0);
	ck_assert_int_eq(before, after);
	close(after);
	while (load_acquire(&thread.alive))
		os_pause(1);
	/* and again, with the same memory */
	ready = false;
	ck_assert_int_eq(os_thread_start(&thread, NULL, 0), 0);
	while (!load_acquire(&ready))
		os_pause(1);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("os/pressure");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, no_files);
	tcase_add_test(tc, version_2);
	tcase_add_test(tc, of_those_around);
	tcase_add_test(tc, version_1);
	tcase_add_test(tc, nonsense);
	tcase_add_test(tc, whom_to_ask);
	tcase_add_test(tc, files_of_its_own);
	return test_run(tc);
}
