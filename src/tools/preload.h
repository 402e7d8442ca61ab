/* SPDX-License-Identifier: MIT */
/*
 * The library to preload, and the environment that makes a program load it and report at exit.
 */
#ifndef SLABUDDY_TOOLS_PRELOAD_H
#define SLABUDDY_TOOLS_PRELOAD_H

#include <sys/types.h>

/**
 * preload_find() - find libslabuddy-malloc.so.
 *
 * In this order: $SLABUDDY_LIBRARY; where libtool puts it, beside a tool that lies in a build
 * tree; the library directory of the installation.
 *
 * Return: its absolute path, to be freed; NULL after having said on stderr what is missing.
 */
char *preload_find(void);

/**
 * preload_environment() - set LD_PRELOAD and SLABUDDY_OPTIONS in this process.
 * @library: absolute path, without blanks and colons
 * @report: where the library reports at exit; NULL for no report
 * @pid: the one process that is to report
 *
 * What the user had in both variables is kept, the library coming before it and the options
 * after it.
 *
 * Return: 0, or -1 with errno set.
 */
int preload_environment(const char *library, const char *report, pid_t pid);

#endif
