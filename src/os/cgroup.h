/* SPDX-License-Identifier: MIT */
/*
 * The cgroup that the process is in, for pressure.c.
 */
#ifndef SLABUDDY_OS_CGROUP_H
#define SLABUDDY_OS_CGROUP_H

#include "os/pressure.h"

/* Arbitrary; a cgroup with a longer path counts as none. */
#define CGROUP_PATH_BYTES 1024

struct cgroup {
	char path[CGROUP_PATH_BYTES]; /* of its directory, and then perhaps of a file in it */
	size_t root_bytes;	      /* of that, what all cgroups have in common */
	size_t dir_bytes;	      /* and what is the directory's */
	unsigned int version;	      /* 1 or 2 */
};

/* The one that says how much memory there is. Return: whether there is one. errno is not kept. */
bool cgroup_find(struct cgroup *cgroup, const struct os_pressure_places *places);

/* Go to the one around it. Return: false: this was the outermost. */
bool cgroup_go_up(struct cgroup *cgroup);

/* Make cgroup->path that of the file @name in it. Return: whether it fits. */
bool cgroup_file(struct cgroup *cgroup, const char *name);

#endif
