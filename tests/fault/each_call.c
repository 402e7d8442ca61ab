/* SPDX-License-Identifier: MIT */
#include "fault/each_call.h"

#include <check.h>
#include <sys/mman.h>

#include "base/option.h"
#include "death/child.h"
#include "fault/faulty_os.h"

/*
 * A child of a sanitizer takes ten times as long. The other builds try all steps, there each seventh of the
 * steps has its turn. Prime to the steps and periods of the scripts, so that all kinds of calls have theirs.
 */
#define STRIDE (SANITIZED ? 7UL : 1UL)

static unsigned long *calls_made; /* shared with the children */

struct plan {
	const struct fault_script *script;
	unsigned long first;
	unsigned long count;
};

static void carry_out(const void *arg)
{
	const struct plan *plan = arg;

	/* a heap that gives all of its free memory back has more calls that may fail */
	options_parse("dirty_min=0 dirty_percent=0", "test");
	faulty_os_fail(plan->first, plan->count);
	plan->script->run();
	*calls_made = faulty_os_calls();
	faulty_os_work();
	plan->script->end();
}

static bool says_nothing(const char *said)
{
	return !said[0];
}

void for_each_call(const struct fault_script *script, unsigned long count)
{
	struct plan plan = { .script = script, .first = 1, .count = count };
	bool (*may_say)(const char *said) = script->may_say ? script->may_say : says_nothing;

	calls_made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(calls_made, MAP_FAILED);
	do {
		struct child_end end;

		*calls_made = 0;
		run_child(carry_out, &plan, &end);
		ck_assert_msg(!end.status && may_say(end.said),
			      "call %lu and %lu more: status %#x\n%s", plan.first, count - 1,
			      (unsigned int)end.status, end.said);
		plan.first += STRIDE * (script->step ? script->step(plan.first, count) : 1);
	} while (plan.first <= *calls_made);
	/* the script is worth something only if it asks for a lot */
	ck_assert_uint_gt(plan.first, count > 1000 ? 3 : 30);
}
