/* SPDX-License-Identifier: MIT */
/*
 * What both libraries offer beside the names that programs know already.
 *
 * The malloc family of libslabuddy-malloc is declared where it always was: <stdlib.h>, <malloc.h>,
 * <new>.
 */
#ifndef SLABUDDY_SLABUDDY_H
#define SLABUDDY_SLABUDDY_H

#include <slabuddy/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * slabuddy_version() - version of the library that is loaded.
 *
 * Return: text as SLABUDDY_VERSION_STRING, which is the version of the header.
 * Context: any.
 */
const char *slabuddy_version(void);

/**
 * slabuddy_option() - change options at run time.
 * @text: "key=value" items separated by blanks, as in the environment variable SLABUDDY_OPTIONS.
 *
 * An item that is unknown, malformed or out of bounds costs one line on stderr and nothing else.
 * Sizes of sheaves hold for caches that are used for the first time afterwards; everything else
 * holds from now on.
 *
 * Return: the number of items refused.
 * Context: any thread.
 */
int slabuddy_option(const char *text);

/**
 * slabuddy_validate() - check the whole heap.
 *
 * Reports the first faults on stderr. A fault is a bug of the allocator, or the trace of a program
 * that wrote into memory it did not own.
 *
 * Return: the number of faults, 0 for a sound heap.
 * Context: any thread; the others wait at their next slow path.
 * Cost: a look at every page of the heap: about 0.4 ms for each 100 MiB of small objects.
 */
unsigned long slabuddy_validate(void);

/*
 * A program may define this to have options of its own:
 *
 *	const char *slabuddy_options = "dirty_percent=5";
 *
 * It is read once, before the environment's SLABUDDY_OPTIONS.
 */
extern const char *slabuddy_options;

#ifdef __cplusplus
}
#endif

#endif
