/* SPDX-License-Identifier: MIT */
/*
 * What is to be run: where it lies, and whether a library can be preloaded into it.
 */
#ifndef SLABUDDY_TOOLS_PROGRAM_H
#define SLABUDDY_TOOLS_PROGRAM_H

/* Why the dynamic linker would not preload a library. */
enum preload_obstacle {
	PRELOAD_WORKS, /* or nothing is known against it */
	PRELOAD_STATIC,
	PRELOAD_PRIVILEGED, /* set-user-ID, set-group-ID or file capabilities */
	PRELOAD_FOREIGN,    /* made for another kind of processor */
};

/**
 * program_find() - find a program as execvp() does.
 * @name: a path if it has a slash, else looked for along PATH
 *
 * Return: its path, to be freed; NULL with errno ENOENT (no such file), EACCES (not executable)
 * or another.
 */
char *program_find(const char *name);

/**
 * program_obstacle() - look into a program's file.
 * @path: a program, or a script, whose interpreter is then looked at
 */
enum preload_obstacle program_obstacle(const char *path);

#endif
