/* SPDX-License-Identifier: MIT */
/*
 * A mistake that a program can make, the line that it costs, and what follows: SIGABRT, or with
 * bad_free=warn a sound heap in a process that goes on.
 */
#ifndef SLABUDDY_TESTS_DEATH_MISTAKE_H
#define SLABUDDY_TESTS_DEATH_MISTAKE_H

struct mistake {
	const char *name;
	void (*make)(void);
	const char *line;
};

/* Fail the running test unless the mistake ends a child as it should. */
void expect_death_by(const struct mistake *mistake);

/* The same with bad_free=warn: the heap is sound, and works as before. @settle: works with it, or waits for what
 * the mistake left behind; NULL: nothing. */
void expect_life_after(const struct mistake *mistake, void (*settle)(void));

#endif
