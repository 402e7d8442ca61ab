/* SPDX-License-Identifier: MIT */
/* Messages: one line each, whole or cut, and the audit's count. */
#include "base/check.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "../testing.h"

START_TEST(warn_is_one_line_and_keeps_errno)
{
	const char *text;

	stderr_capture();
	errno = ERANGE;
	warn("%s and %d", "this", 7);
	ck_assert_int_eq(errno, ERANGE);
	text = stderr_captured();
	ck_assert_str_eq(text, "slabuddy: this and 7\n");
}
END_TEST

START_TEST(long_lines_are_cut)
{
	static char longer[10000];
	const char *text;

	memset(longer, 'x', sizeof(longer) - 1);
	stderr_capture();
	warn("%s", longer);
	warn("next");
	text = stderr_captured();
	ck_assert_uint_eq(count_char(text, '\n'), 2);
	ck_assert_ptr_nonnull(strstr(text, "x\nslabuddy: next\n"));
	ck_assert_uint_lt(strlen(text), 1024);
}
END_TEST

static void complain_once(void)
{
	warn_once("once");
}

START_TEST(warn_once_is_once)
{
	stderr_capture();
	complain_once();
	complain_once();
	ck_assert_str_eq(stderr_captured(), "slabuddy: once\n");
}
END_TEST

START_TEST(fatal_aborts)
{
	fatal("%s", "test of fatal()");
}
END_TEST

START_TEST(assertions)
{
	int evaluated = 0;

	ASSERT(++evaluated);
	ASSERT_SLOW(++evaluated);
	ck_assert_int_eq(evaluated, DEBUG_BUILD ? 2 : 0);
}
END_TEST

#ifdef SLABUDDY_DEBUG
START_TEST(failed_assertion_aborts)
{
	ASSERT(errno == -1);
}
END_TEST
#endif

static unsigned int nr_lines;
static char last_line[64];

static void note_line(maybe_unused struct audit *audit, const char *line)
{
	nr_lines++;
	strncpy(last_line, line, sizeof(last_line) - 1);
}

START_TEST(audit_counts_all_and_reports_some)
{
	struct audit audit = { .report = note_line };

	AUDIT(&audit, nr_lines == 0, "not reported");
	ck_assert_uint_eq(audit.faults, 0);
	for (int i = 0; i < 1000; i++)
		AUDIT(&audit, i < 0, "fault %d", i);
	ck_assert_uint_eq(audit.faults, 1000);
	ck_assert_uint_gt(nr_lines, 3);
	ck_assert_uint_lt(nr_lines, 100);
	ck_assert_int_eq(strncmp(last_line, "fault ", 6), 0);
}
END_TEST

START_TEST(audit_without_a_reporter_warns)
{
	struct audit audit = { .faults = 0 };

	stderr_capture();
	audit_fault(&audit, "%s", "text");
	ck_assert_str_eq(stderr_captured(), "slabuddy: audit: text\n");
}
END_TEST

int main(void)
{
	TCase *tc = test_case("base/check");

	tcase_add_test(tc, warn_is_one_line_and_keeps_errno);
	tcase_add_test(tc, long_lines_are_cut);
	tcase_add_test(tc, warn_once_is_once);
	tcase_add_test_raise_signal(tc, fatal_aborts, SIGABRT);
	tcase_add_test(tc, assertions);
#ifdef SLABUDDY_DEBUG
	tcase_add_test_raise_signal(tc, failed_assertion_aborts, SIGABRT);
#endif
	tcase_add_test(tc, audit_counts_all_and_reports_some);
	tcase_add_test(tc, audit_without_a_reporter_warns);
	return test_run(tc);
}
