/* SPDX-License-Identifier: MIT */
/*
 * A private temporary directory, where the program under the library leaves its report.
 */
#ifndef SLABUDDY_TOOLS_SCRATCH_H
#define SLABUDDY_TOOLS_SCRATCH_H

struct scratch {
	char *dir;    /* NULL: could not be made */
	char *report; /* an empty file */
	char *link;   /* another name of the library, or NULL */
};

/**
 * scratch_make() - make the directory and the report file.
 *
 * The paths are absolute and free of blanks and colons, so that they can stand in LD_PRELOAD and
 * SLABUDDY_OPTIONS.
 *
 * Return: 0, or -1 with errno set and scratch->dir NULL.
 */
int scratch_make(struct scratch *scratch);

/* Make scratch->link a symbolic link to @target. Return: 0, or -1 with errno set. */
int scratch_link(struct scratch *scratch, const char *target);

/* Remove what was made. */
void scratch_remove(struct scratch *scratch);

/* Whether @path can be an element of LD_PRELOAD or a value in SLABUDDY_OPTIONS. */
_Bool path_is_plain(const char *path);

#endif
