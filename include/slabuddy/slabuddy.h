/* SPDX-License-Identifier: MIT */
/*
 * What both libraries offer beside the names that programs know already.
 *
 * The malloc family of libslabuddy-malloc is declared where it always was: <stdlib.h>, <malloc.h>,
 * <new>.
 */
#ifndef SLABUDDY_SLABUDDY_H
#define SLABUDDY_SLABUDDY_H

#include <stddef.h>

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

/**
 * slabuddy_worth_vacating() - whether the slab that a block lies in should lose it.
 * @ptr: a block of malloc() or its kin under libslabuddy-malloc, of kmalloc() in libslabuddy, or an object of any
 *	cache. Nobody may free it meanwhile. NULL is nothing.
 *
 * As kmem_cache_worth_vacating() in <slabuddy/slab.h>.
 *
 * Return: 1 or 0, which it is for large blocks too; -EINVAL: not the start of a block in use of this library's;
 * -EOPNOTSUPP: its cache is watched by slab_debug, or has a constructor or SLAB_TYPESAFE_BY_RCU.
 * Context: any thread, not in a signal handler.
 */
int slabuddy_worth_vacating(const void *ptr);

/**
 * slabuddy_move() - move a block into a fuller slab, if that is worth it.
 * @ptr: as above. Nobody may use it meanwhile. Pointers to it are the caller's to change.
 *
 * As kmem_cache_move(). The block keeps its size and alignment.
 *
 * Return: where all that could be used of it is now, the old block being free; NULL: nothing was done.
 * Context: any thread, not in a signal handler. errno is left alone.
 */
void *slabuddy_move(void *ptr);

/**
 * typedef slabuddy_limit_handler - what is called when the memory limit has refused an allocation.
 * @bytes: what the heap wanted to hold more: often not what was asked for, but a slab or its pages.
 * @arg: as it was given to slabuddy_set_memory_limit().
 *
 * Return: not 0 when it freed something, or raised the limit, so that the allocation is tried again; 0: it fails.
 * Context: the thread that allocates, with no lock of the heap's held; several threads at a time. It may allocate, but
 * what the limit refuses to it fails at once. It must return.
 */
typedef int slabuddy_limit_handler(size_t bytes, void *arg);

/**
 * slabuddy_set_memory_limit() - a limit on the memory that the heap holds.
 * @bytes: 4 MiB to 1 PiB; 0: none. As the option memory_limit.
 * @handler: called when there is nothing left to give back; NULL: nobody.
 * @arg: given to it.
 *
 * Pages in use count, whether they were touched or not, free ones that have memory behind them, huge blocks and
 * the heap's own tables. An allocation that would go beyond the limit first gives back all free memory, then has caches
 * shrunk (libslabuddy's, by the rules of its gfp flags), then calls @handler for as long as that says so, then fails
 * with ENOMEM. When the heap holds more already, what is free and what becomes free goes back until it holds less.
 *
 * Return: 0; or -1 with errno EINVAL, nothing being changed.
 * Context: any thread, the handler included. Another thread may still be in the handler before this one.
 */
int slabuddy_set_memory_limit(size_t bytes, slabuddy_limit_handler *handler, void *arg);

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
