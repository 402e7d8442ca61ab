/* SPDX-License-Identifier: MIT */
/*
 * A piece of code in a child process: what it says on stderr and how it ends.
 */
#ifndef SLABUDDY_TESTS_DEATH_CHILD_H
#define SLABUDDY_TESTS_DEATH_CHILD_H

#include <stddef.h>

struct child_end {
	int status;	 /* as waitpid() gives it */
	char said[8192]; /* stderr, with every address replaced by PTR */
};

/* Run @code(@arg) in a child, which ends with status 0 when it returns. */
void run_child(void (*code)(const void *arg), const void *arg, struct child_end *end);

/* Fail the running test unless the child was killed by SIGABRT after it had said @line. */
void expect_death(const char *name, const struct child_end *end, const char *line);

/* Fail the running test unless the child ended with status 0 after it had said @lines. */
void expect_life(const char *name, const struct child_end *end, const char *lines);

#endif
