/* SPDX-License-Identifier: MIT */
/* Mistakes with kfree_rcu(): the line each costs while the culprit is on the stack. */
#include <check.h>
#include <stdlib.h>
#include <urcu.h>

#include <slabuddy/rcupdate.h>
#include <slabuddy/slab.h>

#include "base/bits.h"
#include "death/child.h"
#include "death/mistake.h"

struct outer {
	unsigned long first[4];
	struct inner {
		unsigned long number;
		struct rcu_head rcu;
	} inner;
};

static void inside_an_object(void)
{
	struct outer *outer = kmalloc(sizeof(*outer), GFP_KERNEL);
	struct inner *inner = &outer->inner;

	kfree_rcu(inner, rcu);
}

static void inside_a_run_of_pages(void)
{
	char *block = kmalloc(100000, GFP_KERNEL);

	slabuddy_kvfree_call_rcu(block + 8192, 0);
}

static void of_the_page_api(void)
{
	slabuddy_kvfree_call_rcu((void *)get_zeroed_page(GFP_KERNEL), 0);
}

static void on_the_stack(void)
{
	struct outer outer;
	struct outer *ptr = &outer;

	kfree_rcu(ptr, inner.rcu);
}

static const struct mistake mistakes[] = {
	{ "inside an object", inside_an_object,
	  "slabuddy: free(): invalid pointer PTR: not the start of an object (cache kmalloc-64)\n" },
	{ "inside a run of pages", inside_a_run_of_pages,
	  "slabuddy: free(): invalid pointer PTR: not the start of an allocated block\n" },
	{ "of the page API", of_the_page_api,
	  "slabuddy: free(): invalid pointer PTR: not the start of an allocated block\n" },
	{ "on the stack", on_the_stack,
	  "slabuddy: free(): invalid pointer PTR: not the start of an allocated block\n" },
};

START_TEST(abort_is_the_default)
{
	expect_death_by(&mistakes[_i]);
}
END_TEST

START_TEST(with_a_warning_it_goes_on)
{
	expect_life_after(&mistakes[_i], kvfree_rcu_barrier);
}
END_TEST

static void far_offset(const void *arg)
{
	char *block = kmalloc(100000, GFP_KERNEL);

	(void)arg;
	slabuddy_kvfree_call_rcu(block + 4096, 4096);
}

START_TEST(offset_too_large)
{
	struct child_end end;

	run_child(far_offset, NULL, &end);
	expect_death("offset", &end,
		     "slabuddy: kfree_rcu(): a struct rcu_head at offset 4096, over 4095\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bad_rcu_free");
	TCase *tc = tcase_create("bad_rcu_free");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_loop_test(tc, abort_is_the_default, 0, ARRAY_SIZE(mistakes));
	tcase_add_loop_test(tc, with_a_warning_it_goes_on, 0, ARRAY_SIZE(mistakes));
	tcase_add_test(tc, offset_too_large);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
