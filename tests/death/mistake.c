/* SPDX-License-Identifier: MIT */
#include "death/mistake.h"

#include "base/check.h"
#include "base/option.h"
#include "death/child.h"
#include "malloc/audit.h"

struct survival {
	const struct mistake *mistake;
	void (*settle)(void);
};

static void make_it(const void *arg)
{
	((const struct mistake *)arg)->make();
}

static void make_it_and_go_on(const void *arg)
{
	const struct survival *survival = arg;

	options_parse("bad_free=warn", "test");
	survival->mistake->make();
	if (heap_validate(NULL))
		fatal("the heap is broken");
	if (survival->settle)
		survival->settle();
	if (heap_validate(NULL))
		fatal("the heap is broken later");
}

void expect_death_by(const struct mistake *mistake)
{
	struct child_end end;

	run_child(make_it, mistake, &end);
	expect_death(mistake->name, &end, mistake->line);
}

void expect_life_after(const struct mistake *mistake, void (*settle)(void))
{
	const struct survival survival = { mistake, settle };
	struct child_end end;

	run_child(make_it_and_go_on, &survival, &end);
	expect_life(mistake->name, &end, mistake->line);
}
