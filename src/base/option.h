/* SPDX-License-Identifier: MIT */
/*
 * Options, written like a kernel command line: "key=value word key=value".
 *
 * One table (option.c) holds each key's type, bounds, default and help. The values live in one
 * struct, read by every layer; they are set while the heap is set up and may be read at any time.
 */
#ifndef SLABUDDY_BASE_OPTION_H
#define SLABUDDY_BASE_OPTION_H

#include <slabuddy/slabuddy.h>

#include "base/lock.h"

#define OPTION_STRING_BYTES 256

struct options {
	unsigned long numa;	       /* nodes to pretend there are; NUMA_AUTO: what there is */
	unsigned long percpu;	       /* enum option_percpu */
	unsigned long purge;	       /* enum option_purge */
	unsigned long dirty_min_kib;   /* KiB of free dirty pages that a zone may always keep */
	unsigned long dirty_percent;   /* and this share of what is in use */
	unsigned long kswapd;	       /* 1: a thread gives back what lies idle */
	unsigned long dirty_decay_ms;  /* and this is how long that takes */
	unsigned long memory_limit;    /* bytes that the heap may hold, see page/limit.h; 0: any */
	unsigned long slab_merge;      /* 1: caches of like objects share slabs */
	unsigned long sheaf_kib;       /* KiB of free objects that one full sheaf may hold */
	unsigned long bad_free;	       /* enum option_bad_free */
	unsigned long audit;	       /* enum option_audit */
	unsigned long exit_report_pid; /* only this process writes the report; 0: any */
	unsigned long thp;	       /* enum option_thp */
	unsigned long slab_debugged;   /* 1: slab_debug counts */
	char exit_report[OPTION_STRING_BYTES]; /* file for figures at exit; "": none */
	char slab_debug[OPTION_STRING_BYTES];  /* see base/slab_debug.h */
};

/* options.numa: the machine's nodes. 1 is "off", N is "fake=N". */
#define NUMA_AUTO 0

/* Which threads use their processor's slot. */
enum option_percpu {
	PERCPU_OFF,  /* none */
	PERCPU_ON,   /* all, where the kernel and libc can do it */
	PERCPU_AUTO, /* those beyond so many */
};

/* Which pageblocks ask for a transparent huge page, see buddy/thp.h. */
enum option_thp {
	THP_AUTO,   /* those that will be used as a whole */
	THP_ALWAYS, /* all */
	THP_NEVER,  /* none */
};

/* Whether free pages above the watermark go back to the OS. */
enum option_purge {
	PURGE_OFF,
	PURGE_ON,
	PURGE_BATCH, /* many blocks by one call, where the kernel can do that */
};

enum option_bad_free {
	BAD_FREE_ABORT,
	BAD_FREE_WARN,
};

enum option_audit {
	AUDIT_OFF,
	AUDIT_EXIT,
};

extern struct options options;

/**
 * options_parse() - take over a list of options.
 * @text: "key=value" items separated by blanks; NULL counts as empty.
 * @source: named in the complaint about an item that cannot be used.
 *
 * An item that is unknown, malformed or out of bounds costs one line on stderr and nothing else:
 * its default stands.
 *
 * Return: the number of items refused.
 * Context: any thread; takes LOCK_OPTIONS. Allocates nothing.
 */
int options_parse(const char *text, const char *source);

/* The least and the most that the memory limit may be, if it is not 0. */
#define MEMORY_LIMIT_MIN (4UL << 20)
#define MEMORY_LIMIT_MAX (1UL << 50)

/* Set the memory limit, and whom to call when it is reached; NULL: nobody. Both at once. */
void options_set_memory_limit(size_t bytes, slabuddy_limit_handler *handler, void *arg);

/* Whom to call with *@arg, or NULL. */
slabuddy_limit_handler *options_limit_handler(void **arg);

/* For fork(): the lock that guards the values. */
void options_walk_locks(lock_visit *visit, void *arg);

#endif
