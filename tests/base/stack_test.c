/* SPDX-License-Identifier: MIT */
#include "base/stack.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../testing.h"

#define NR_FRAMES 16

static void *stack[NR_FRAMES];
static unsigned int nr;

/* Known to the dynamic linker, see local.mk; each does something behind its call, so that it has a frame. */
exported noinline unsigned int stack_test_inner(unsigned int max, unsigned int skip);
exported noinline unsigned int stack_test_outer(unsigned int max, unsigned int skip);

exported noinline unsigned int stack_test_inner(unsigned int max, unsigned int skip)
{
	nr = stack_capture(stack, max, skip);
	return nr;
}

exported noinline unsigned int stack_test_outer(unsigned int max, unsigned int skip)
{
	return stack_test_inner(max, skip) + 1;
}

static bool names(const void *addr, const char *function)
{
	char line[STACK_LINE_BYTES];

	stack_describe(line, addr);
	return !strncmp(line, function, strlen(function)) && line[strlen(function)] == '+' &&
	       strstr(line, "/0x") && strstr(line, "[stack_test]");
}

START_TEST(innermost_first)
{
	stack_test_outer(NR_FRAMES, 0);
	ck_assert_uint_gt(nr, 2);
	ck_assert(names(stack[0], "stack_test_inner"));
	ck_assert(names(stack[1], "stack_test_outer"));
	stack_test_outer(NR_FRAMES, 1);
	ck_assert(names(stack[0], "stack_test_outer"));
}
END_TEST

START_TEST(no_more_than_asked_for)
{
	memset(stack, 0, sizeof(stack));
	stack_test_outer(2, 0);
	ck_assert_uint_eq(nr, 2);
	ck_assert_ptr_null(stack[2]);
	stack_test_outer(0, 0);
	ck_assert_uint_eq(nr, 0);
}
END_TEST

static void handler(maybe_unused int sig)
{
	stack_test_outer(NR_FRAMES, 0);
}

/* Through the frame that the kernel makes for a handler. */
START_TEST(in_a_signal_handler)
{
	ck_assert_ptr_ne(signal(SIGUSR1, handler), SIG_ERR);
	raise(SIGUSR1);
	ck_assert(names(stack[0], "stack_test_inner"));
	ck_assert(names(stack[1], "stack_test_outer"));
	ck_assert_uint_gt(nr, 4);
}
END_TEST

static void *thread(void *arg)
{
	stack_test_outer(NR_FRAMES, 0);
	return arg;
}

START_TEST(in_a_thread)
{
	pthread_t id;

	ck_assert_int_eq(pthread_create(&id, NULL, thread, NULL), 0);
	pthread_join(id, NULL);
	ck_assert(names(stack[1], "stack_test_outer"));
}
END_TEST

static void no_name(void)
{
}

START_TEST(what_has_no_name)
{
	char line[STACK_LINE_BYTES];
	char expected[STACK_LINE_BYTES];
	int local;

	/* a static function: the module and where in it, if no exported one lies before it */
	stack_describe(line, (const char *)(uintptr_t)no_name + 1);
	ck_assert_ptr_nonnull(strstr(line, "[stack_test"));
	snprintf(expected, sizeof(expected), "%p", (void *)&local);
	stack_describe(line, &local);
	ck_assert_str_eq(line, expected);
	stack_describe(line, NULL);
	ck_assert_str_eq(line, "(nil)");
}
END_TEST

int main(void)
{
	TCase *tc = test_case("base/stack");

	tcase_add_test(tc, innermost_first);
	tcase_add_test(tc, no_more_than_asked_for);
	tcase_add_test(tc, in_a_signal_handler);
	tcase_add_test(tc, in_a_thread);
	tcase_add_test(tc, what_has_no_name);
	return test_run(tc);
}
