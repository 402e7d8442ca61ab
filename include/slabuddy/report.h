/* SPDX-License-Identifier: MIT */
/*
 * What the heap of this process looks like, as text in the formats of the kernel's files in /proc. Tools
 * that read those can read these.
 *
 * Nothing is printed by itself and no signal handler is installed: call these when you want them. Nothing
 * is stopped either, so figures of a busy heap are a moment apart from one another; those of a heap at rest
 * are exact. Each call collects first and writes then, without a lock of the heap, so that the stream may
 * allocate. It is flushed, and a report is one piece, whatever other threads write to it.
 *
 * libslabuddy and libslabuddy-malloc both have these, each for its own heap: a program that is linked with
 * the one and runs with the other preloaded gets the figures of the one it is linked with.
 *
 * All functions: any thread, not from a signal handler, no cancellation point. Return: 0, errno being as it
 * was; or -1 with errno when @file or @fd took less than all of it, or with ENOMEM, nothing being written.
 */
#ifndef SLABUDDY_REPORT_H
#define SLABUDDY_REPORT_H

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A line for each cache, as /proc/slabinfo version 2.1. active_objs are what the program holds: what lies
 * free in the sheaves of threads is not among them, what a prefilled sheaf holds is. */
int slabuddy_slabinfo(FILE *file);
int slabuddy_slabinfo_fd(int fd);

/* Free blocks of each order, as /proc/buddyinfo. */
int slabuddy_buddyinfo(FILE *file);
int slabuddy_buddyinfo_fd(int fd);

/* The same by migrate type, and pageblocks of each type, as /proc/pagetypeinfo. */
int slabuddy_pagetypeinfo(FILE *file);
int slabuddy_pagetypeinfo_fd(int fd);

/* How fragmented free pages are, as /sys/kernel/debug/extfrag/extfrag_index: for each order, why a
 * block of it would not be had. -1.000: it would; towards 0.000: too few pages are free;
 * towards 1.000: enough are, in smaller blocks. Less than 0 for a few pages that are far from
 * enough: -0.500, as a number should read, where the kernel writes 0.-500. More pages come from the
 * OS in either case, so it is no failure. */
int slabuddy_extfrag_index(FILE *file);
int slabuddy_extfrag_index_fd(int fd);

/* The part of the free pages that lie in blocks too small for each order, 0.000 to 1.000, as
 * /sys/kernel/debug/extfrag/unusable_index. Of no free pages it is 1.000. */
int slabuddy_unusable_index(FILE *file);
int slabuddy_unusable_index_fd(int fd);

/* Pages, watermarks and counters of each zone, as /proc/zoneinfo. */
int slabuddy_zoneinfo(FILE *file);
int slabuddy_zoneinfo_fd(int fd);

/* Figures and counters of the whole heap, a name and a number a line, as /proc/vmstat: under the kernel's
 * names where it has one that fits, such as nr_slab_unreclaimable, pgalloc_normal, pgfree. */
int slabuddy_vmstat(FILE *file);
int slabuddy_vmstat_fd(int fd);

/* The names that share a cache with another one, a line "alias cache" each: what the links in
 * /sys/kernel/slab tell. */
int slabuddy_aliases(FILE *file);
int slabuddy_aliases_fd(int fd);

#ifdef __cplusplus
}
#endif

#endif
