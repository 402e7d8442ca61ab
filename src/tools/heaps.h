/* SPDX-License-Identifier: MIT */
/*
 * The heaps of a process: one of each of our libraries that it has mapped, or has in itself.
 */
#ifndef SLABUDDY_TOOLS_HEAPS_H
#define SLABUDDY_TOOLS_HEAPS_H

#include "tools/layout.h"
#include "tools/symbol.h"

struct heap {
	const char *path; /* of the library */
	struct layout layout;
	uint64_t root;	    /* its address */
	struct image image; /* of the library; none when it is part of the program */
};

/* Both libraries, and a program that has one in itself. */
#define MAX_HEAPS 3

struct heaps {
	struct heap heap[MAX_HEAPS];
	unsigned int nr;
};

/* Return: 0; or the exit status, after a line on stderr: there is none, or none that can be read.
 */
int heaps_find(const struct target *target, struct heaps *heaps);

/* Whether they still are where they were found: the process may have ended since, and its number be
 * another's. */
bool heaps_are_there(const struct target *target, const struct heaps *heaps);

#endif
