/* SPDX-License-Identifier: MIT */
/*
 * The mappings of a process, as /proc tells of them.
 */
#ifndef SLABUDDY_TOOLS_MAPS_H
#define SLABUDDY_TOOLS_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mapping {
	uint64_t start;
	uint64_t end;
	uint64_t offset; /* in the file */
	bool readable;
	char *path;   /* as /proc has it; "" for anonymous memory */
	uint64_t rss; /* bytes; of smaps only */
};

struct maps {
	struct mapping *mapping; /* by address */
	size_t nr;
};

/**
 * maps_read() - read the mappings of a process.
 * @file: "maps" or "smaps", whose figures take the kernel longer.
 *
 * Return: 0, or an errno value: ENOENT and ESRCH, no such process; EACCES and EPERM, not the
 * caller's to look at.
 */
int maps_read(pid_t pid, const char *file, struct maps *maps);

void maps_free(struct maps *maps);

#endif
