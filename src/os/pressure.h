/* SPDX-License-Identifier: MIT */
/*
 * What the OS says about memory being short: for the machine or the process' cgroup, by waiting for it (PSI, pressure
 * stall information), and by the limits of its cgroups.
 *
 * All calls are for a thread with files of its own (os_own_files()), since they keep one open. Each keeps errno.
 */
#ifndef SLABUDDY_OS_PRESSURE_H
#define SLABUDDY_OS_PRESSURE_H

#include "base/compiler.h"

struct os_pressure {
	int fd; /* -1: there is none */
};

/* Where these things are to be found. */
struct os_pressure_places {
	const char *machine; /* the machine's PSI file */
	const char *cgroups; /* the list of the process' cgroups */
	const char *root;    /* where they are mounted */
};
extern const struct os_pressure_places os_pressure_places;

/**
 * os_pressure_open() - ask to be told of pressure on memory.
 *
 * By the process' own cgroup if it is of version 2 and the process may write there, else by the machine.
 *
 * Return: whether there will be events. If not, @pressure is good for os_pressure_wait() all the same.
 */
bool os_pressure_open(struct os_pressure *pressure, const struct os_pressure_places *places);
void os_pressure_close(struct os_pressure *pressure);

/**
 * os_pressure_wait() - sleep for @ms milliseconds, or until there is pressure.
 *
 * Return: whether there is pressure. What came before the call and was not told yet counts.
 */
bool os_pressure_wait(struct os_pressure *pressure, unsigned int ms);

/**
 * os_cgroup_is_near_limit() - whether one of the cgroups that the process is in is almost full.
 * @percent: of its limit (memory.high, memory.max, memory.limit_in_bytes). The page cache that is not in
 *	use does not count.
 *
 * Return: false when there is no limit, or nothing to be found out.
 */
bool os_cgroup_is_near_limit(const struct os_pressure_places *places, unsigned int percent);

#endif
