/* SPDX-License-Identifier: MIT */
/*
 * A process that is looked at from outside, while it runs on: it is neither stopped nor told. So
 * what is read may have changed since, and any pointer may lead nowhere: each read may fail, and
 * each walk has an end of its own.
 *
 * Or the core file of one, which ended at any moment, perhaps because of what it had done to its
 * heap.
 */
#ifndef SLABUDDY_TOOLS_TARGET_H
#define SLABUDDY_TOOLS_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/core.h"
#include "tools/maps.h"

struct target {
	const char *label; /* as the command line has it */
	struct core *core; /* NULL: it is a process */
	pid_t pid;
	int pagemap;		/* /proc/PID/pagemap, or -1: it is not known what is resident */
	size_t page_size;	/* the hardware's */
	char name[64];		/* of the command */
	char program[PATH_MAX]; /* its file, as in maps; "": not known */
	struct maps maps;	/* when it was opened */
	bool torn; /* something did not fit together: it changed meanwhile, or is not there */
};

/**
 * target_open() - open what a command line names.
 * @text: a process id, or the name of a core file; must stay.
 *
 * Return: 0; or the exit status, after a line on stderr.
 */
int target_open(struct target *target, const char *text);

void target_close(struct target *target);

/* Copy @bytes at @addr. Return: false: they are not all there. */
bool target_read(const struct target *target, uint64_t addr, void *to, size_t bytes);

/* The same of a library's own pages, which a core has in other files. Variables may be as these
 * have them. */
bool target_read_image(const struct target *target, uint64_t addr, void *to, size_t bytes);

/* The same of an integer of 1 to 8 bytes. */
bool target_read_number(const struct target *target, uint64_t addr, size_t bytes, uint64_t *number);

/* What it means that it is torn, in words. */
const char *target_torn_text(const struct target *target);

#endif
