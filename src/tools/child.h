/* SPDX-License-Identifier: MIT */
/*
 * One child process that stands in for this one: it gets this process's signals, and this
 * process ends as it ended.
 */
#ifndef SLABUDDY_TOOLS_CHILD_H
#define SLABUDDY_TOOLS_CHILD_H

#include <sys/resource.h>

struct child_end {
	int status; /* as from wait() */
	double wall_seconds;
	struct rusage usage; /* of the child and of the descendants it waited for */
};

/**
 * child_run() - run a program and wait for its end.
 * @path: the program's file
 * @argv: its arguments, NULL at the end
 * @prepare: called in the child before it becomes the program; returns -1 with errno on failure
 * @context: for @prepare
 * @end: filled in when the program was run
 *
 * Signals that somebody sends to this process are sent on to the child. Those that the terminal
 * sends reach the child anyway, as a member of the same process group, and are not.
 *
 * Return: 0, or an errno if the program could not be run.
 */
int child_run(const char *path, char *const argv[], int (*prepare)(void *context), void *context,
	      struct child_end *end);

/**
 * child_end_like() - end this process as the child ended.
 * @status: as from wait()
 *
 * A death by signal is repeated, without a second core file.
 */
_Noreturn void child_end_like(int status);

#endif
