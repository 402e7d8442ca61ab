/* SPDX-License-Identifier: MIT */
#include "base/fault.h"

#include <pthread.h>
#include <string.h>

#include "../testing.h"

static struct fault_attr attr;

static bool parse(const char *text)
{
	return fault_attr_parse(&attr, text, strlen(text));
}

static unsigned int failures(unsigned int calls, size_t bytes)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < calls; i++)
		nr += should_fail(&attr, bytes);
	return nr;
}

START_TEST(texts)
{
	static const char *const good[] = { "1,100,0,-1", "0,0,0,0", "10,50,4096,3",
					    "1,100,0,-1,min-order=0", "1,100,0,-1,min-order=14" };
	static const char *const bad[] = {
		"", "1", "1,100,0", "1,100,0,-2", "1,101,0,1", "-1,100,0,1", "1,100,-1,1", "a,1,1,1",
		"1,100,0,-1,", "1,100,0,-1,min-order=", "1,100,0,-1,min-order=64",
		"1,100,0,-1 ", "1,,0,1", "1,100,0,99999999999999999999", "1,100,0,1,max-order=1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert_msg(parse(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fault_attr before = attr;

		ck_assert_msg(!parse(bad[i]), "%s", bad[i]);
		ck_assert_int_eq(memcmp(&before, &attr, sizeof(attr)), 0);
	}
	ck_assert(parse("7,13,99,5,min-order=3"));
	ck_assert_uint_eq(attr.interval, 7);
	ck_assert_uint_eq(attr.probability, 13);
	ck_assert_int_eq(attr.space, 99);
	ck_assert_int_eq(attr.times, 5);
	ck_assert_uint_eq(attr.min_order, 3);
	/* the kernel's default */
	ck_assert(parse("7,13,99,5"));
	ck_assert_uint_eq(attr.min_order, 1);
	/* not beyond what is given */
	ck_assert(fault_attr_parse(&attr, "1,2,3,45", 7));
	ck_assert_int_eq(attr.times, 4);
}
END_TEST

START_TEST(never_and_always)
{
	ck_assert_uint_eq(failures(1000, 1), 0);
	ck_assert(!fault_is_on(&attr));
	ck_assert(parse("1,100,0,-1"));
	ck_assert(fault_is_on(&attr));
	ck_assert_uint_eq(failures(1000, 1), 1000);
	ck_assert(parse("1,100,0,0"));
	ck_assert_uint_eq(failures(1000, 1), 0);
}
END_TEST

START_TEST(so_many_times)
{
	ck_assert(parse("1,100,0,7"));
	ck_assert_uint_eq(failures(1000, 1), 7);
	ck_assert_int_eq(attr.times, 0);
}
END_TEST

START_TEST(every_nth)
{
	ck_assert(parse("10,100,0,-1"));
	for (unsigned int i = 1; i <= 100; i++)
		ck_assert(should_fail(&attr, 1) == (i % 10 == 0));
}
END_TEST

START_TEST(after_so_many_bytes)
{
	ck_assert(parse("1,100,1000,-1"));
	ck_assert_uint_eq(failures(10, 100), 0);
	ck_assert_uint_eq(failures(10, 100), 10);
}
END_TEST

START_TEST(by_chance)
{
	unsigned int first;

	ck_assert(parse("1,30,0,-1"));
	first = failures(10000, 1);
	ck_assert_uint_gt(first, 2500);
	ck_assert_uint_lt(first, 3500);
	/* the same calls fail again */
	ck_assert(parse("1,30,0,-1"));
	ck_assert_uint_eq(failures(10000, 1), first);
}
END_TEST

static void *ask(void *nr)
{
	*(unsigned int *)nr = failures(20000, 1);
	return NULL;
}

/* No failure is counted twice, whoever asks at the same time. */
START_TEST(threads)
{
	pthread_t thread[4];
	unsigned int nr[4], all = 0;

	ck_assert(parse("1,50,0,5000"));
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, ask, &nr[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		all += nr[i];
	}
	ck_assert_uint_eq(all, 5000);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("base/fault");

	tcase_add_test(tc, texts);
	tcase_add_test(tc, never_and_always);
	tcase_add_test(tc, so_many_times);
	tcase_add_test(tc, every_nth);
	tcase_add_test(tc, after_so_many_bytes);
	tcase_add_test(tc, by_chance);
	tcase_add_test(tc, threads);
	return test_run(tc);
}
