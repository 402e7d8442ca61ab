/* SPDX-License-Identifier: MIT */
/*
 * Restartable sequences: a few instructions that the kernel runs to their end on one processor, or has begin
 * anew. The area for that is the one that glibc has registered for each thread; nobody else's is used, and
 * nothing but rseq_cs is written.
 */
#ifndef SLABUDDY_OS_RSEQ_H
#define SLABUDDY_OS_RSEQ_H

#include "base/compiler.h"

/* What the instruction in front of an abort handler must end with, by glibc's registration. */
#if defined(__x86_64__)
#define RSEQ_SIGNATURE 0x53053053
#else
#define RSEQ_SIGNATURE 0xd428bc00
#endif

/* Offsets in the area. */
#define RSEQ_CPU_ID 4
#define RSEQ_CS 8
#define RSEQ_MM_CID 24

/* Numbers of processors are below this: the kernel's largest NR_CPUS on either architecture. */
#define OS_MAX_CPUS 8192

/* Where things are, once os_rseq_start() has said yes. */
struct rseq_place {
	ptrdiff_t area;	/* from the thread pointer to the area */
	ptrdiff_t index; /* and to the 32-bit number of the processor, or of the process' place on it */
};

/**
 * os_rseq_start() - see whether restartable sequences can be used.
 * @place: set if so.
 * @by_cpu: the number must be that of the processor. Otherwise it is, where the kernel has it, mm_cid:
 *	as small as the number of threads that run at once, and never the same for two of them.
 *
 * They cannot where glibc registers nothing (before 2.35, or GLIBC_TUNABLES=glibc.pthread.rseq=0), where the
 * kernel has no os_rseq_fence() (before 5.10), and where valgrind or a sanitizer looks at each access.
 *
 * Return: whether they can. Context: any, no lock.
 */
bool os_rseq_start(struct rseq_place *place, bool by_cpu);

/**
 * os_rseq_fence() - have every sequence that is under way in this process begin anew.
 *
 * What was written before is seen by all that begin afterwards. A system call; a few microseconds.
 *
 * Return: false when the kernel refuses, which it does once os_rseq_start() has said yes only by a filter of system
 * calls that the program has set since.
 */
bool os_rseq_fence(void);

#endif
