/* SPDX-License-Identifier: MIT */
/*
 * Options of the environment: a bad one costs one line, and in a process with more rights than its
 * caller none counts. The program starts itself again, since they are read once at the start.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/option.h"
#include "death/child.h"
#include "malloc/heap.h"
#include "os/info.h"

bool __real_os_is_secure(void);
bool __wrap_os_is_secure(void);

/* The linker puts this in the place of os_is_secure(). */
bool __wrap_os_is_secure(void)
{
	return getenv("TEST_SECURE") || __real_os_is_secure();
}

static char *self;

struct start {
	const char *name;
	const char *options;
	bool secure;
	bool expect_warn; /* bad_free=warn took effect */
	const char *said;
};

#define SAYS "slabuddy: SLABUDDY_OPTIONS: "
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define WARN "bad_free=warn"
#define BAD_FREE_HELP "a pointer that cannot be freed: abort, or warn and leave it alone\n"

static const struct start starts[] = {
	{ "good", WARN, false, true, "" },
	{ "none", "", false, false, "" },
	{ "blanks", " \t\n " WARN " \n", false, true, "" },
	{ "secure", WARN, true, false, "" },
	{ "secure, bad", "nonsense", true, false, "" },
	{ "unknown key", "colour=red " WARN, false, true, SAYS "unknown option \"colour=red\"\n" },
	{ "no value", "bad_free " WARN, false, true,
	  SAYS "bad value in \"bad_free\": " BAD_FREE_HELP },
	{ "bad word", WARN " bad_free=maybe", false, true,
	  SAYS "bad value in \"bad_free=maybe\": " BAD_FREE_HELP },
	{ "empty value", "bad_free= " WARN, false, true,
	  SAYS "bad value in \"bad_free=\": " BAD_FREE_HELP },
	{ "out of bounds", "dirty_percent=1001 " WARN, false, true,
	  SAYS "bad value in \"dirty_percent=1001\": "
	       "free dirty pages kept, in percent of the pages in use\n" },
	{ "overflow", "dirty_min=99999999999999999999 " WARN, false, true,
	  SAYS "bad value in \"dirty_min=99999999999999999999\": "
	       "KiB of free dirty pages that are kept, fewer after most of a heap was given up\n" },
	{ "negative", "dirty_min=-1 " WARN, false, true,
	  SAYS "bad value in \"dirty_min=-1\": "
	       "KiB of free dirty pages that are kept, fewer after most of a heap was given up\n" },
	{ "two of them", "a=1 b=2 " WARN, false, true,
	  SAYS "unknown option \"a=1\"\n" SAYS "unknown option \"b=2\"\n" },
	{ "too long a key", HUNDRED HUNDRED HUNDRED " " WARN, false, true,
	  SAYS "unknown option \"" HUNDRED HUNDRED "\"\n" },
	{ "too long a value", "exit_report=/" HUNDRED HUNDRED HUNDRED " " WARN, false, true,
	  SAYS "bad value in \"exit_report=/" HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN "0123456\": "
	       "file that gets the heap's figures when the process exits\n" },
};

static void start_again(const void *arg)
{
	const struct start *start = arg;
	char *args[] = { self, (char *)(uintptr_t) "again", NULL };

	setenv("SLABUDDY_OPTIONS", start->options, 1);
	unsetenv("TEST_SECURE");
	if (start->secure)
		setenv("TEST_SECURE", "1", 1);
	/* the result as a status: 0 is abort, 1 is warn */
	execv("/proc/self/exe", args);
	_exit(99);
}

START_TEST(options_of_environment)
{
	const struct start *start = &starts[_i];
	struct child_end end;

	run_child(start_again, start, &end);
	end.status = end.status == (start->expect_warn ? BAD_FREE_WARN : BAD_FREE_ABORT) << 8 ?
			     0 : -1;
	expect_life(start->name, &end, start->said);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite;
	TCase *tc;
	SRunner *runner;
	int failed;

	if (argc > 1) {
		heap_free(heap_malloc(1));
		return (int)options.bad_free;
	}
	self = argv[0];
	suite = suite_create("secure");
	tc = tcase_create("secure");
	runner = srunner_create(suite);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, options_of_environment, 0, ARRAY_SIZE(starts));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
