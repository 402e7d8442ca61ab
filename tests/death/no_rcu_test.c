/* SPDX-License-Identifier: MIT */
/* The library as it is where there is no liburcu: no_rcu.c stands here in the place of rcu.c. */
#include <check.h>
#include <stdlib.h>

#include <slabuddy/rcupdate.h>
#include <slabuddy/slab.h>

#include "base/bits.h"
#include "death/child.h"

static void call_kfree_rcu(const void *arg)
{
	(void)arg;
	slabuddy_kvfree_call_rcu(kmalloc(64, GFP_KERNEL), 0);
}

static void call_mightsleep(const void *arg)
{
	(void)arg;
	kvfree_rcu_mightsleep(kmalloc(64, GFP_KERNEL));
}

static void call_barrier(const void *arg)
{
	(void)arg;
	kvfree_rcu_barrier();
}

static const struct call {
	const char *name;
	void (*make)(const void *arg);
	const char *line;
} calls[] = {
	{ "kfree_rcu", call_kfree_rcu,
	  "slabuddy: kfree_rcu() needs liburcu, and this library was built without\n" },
	{ "mightsleep", call_mightsleep,
	  "slabuddy: kvfree_rcu_mightsleep() needs liburcu, and this library was built without\n" },
	{ "barrier", call_barrier,
	  "slabuddy: kvfree_rcu_barrier() needs liburcu, and this library was built without\n" },
};

START_TEST(each_call_ends_the_process)
{
	struct child_end end;

	run_child(calls[_i].make, NULL, &end);
	expect_death(calls[_i].name, &end, calls[_i].line);
}
END_TEST

static void make_typesafe(const void *arg)
{
	(void)arg;
	if (slabuddy_has_rcu() || kmem_cache_create("typed", 64, NULL, SLAB_TYPESAFE_BY_RCU))
		_Exit(1);
}

START_TEST(no_typesafe_cache)
{
	struct child_end end;

	run_child(make_typesafe, NULL, &end);
	expect_life("typesafe", &end,
		    "slabuddy: kmem_cache_create(typed): SLAB_TYPESAFE_BY_RCU needs liburcu, and this library "
		    "was built without\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("no_rcu");
	TCase *tc = tcase_create("no_rcu");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_loop_test(tc, each_call_ends_the_process, 0, ARRAY_SIZE(calls));
	tcase_add_test(tc, no_typesafe_cache);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
