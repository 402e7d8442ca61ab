/* SPDX-License-Identifier: MIT */
/*
 * Allocations that fail because somebody wants to see what happens then: the kernel's fault injection,
 * lib/fault-inject.c.
 */
#ifndef SLABUDDY_BASE_FAULT_H
#define SLABUDDY_BASE_FAULT_H

#include <sys/types.h>

#include "base/compiler.h"

/*
 * All members may be changed while threads ask; who asks at that moment gets the answer of either.
 */
struct fault_attr {
	unsigned long interval;	   /* [atomic] every n-th call that gets this far; 0 and 1: each */
	unsigned long probability; /* [atomic] in percent; 0: nothing ever fails */
	long space;		   /* [atomic] bytes that are still to be had before the first failure */
	long times;		   /* [atomic] failures still to come; -1: no end */
	unsigned long min_order;   /* [atomic] pages: blocks of a lower order never fail */
	unsigned long calls;	   /* [atomic] that came as far as the interval */
	uint64_t state;		   /* [atomic] of the random numbers: the same in every run */
};

extern struct fault_attr failslab;	  /* objects of caches with SLAB_FAILSLAB */
extern struct fault_attr fail_page_alloc; /* blocks of pages */

/**
 * should_fail() - whether this allocation is one of those.
 * @bytes: its size.
 *
 * Context: any thread, no lock.
 */
bool should_fail(struct fault_attr *attr, size_t bytes);

/*
 * What the calling thread was told last. Whoever got no memory asks here whether that was on purpose, and
 * then does not look for some elsewhere or try again. So whoever asks for memory must ask should_fail()
 * first, or say that there was no question.
 */
struct fault_answer {
	bool fail;	    /* the last question was answered with yes */
	unsigned int spare; /* failures to leave out, for one that must not fail */
};
extern thread_local_word struct fault_answer fault_answer;

/* Whether anything may fail by @attr at all. */
static inline bool fault_is_on(const struct fault_attr *attr)
{
	return unlikely(READ_ONCE(attr->probability));
}

/**
 * fault_attr_parse() - set @attr from "interval,probability,space,times[,min-order=N]".
 * @text: of @len characters, not ended by a zero.
 *
 * Return: false when it is not of that form or out of bounds; @attr is as it was.
 */
bool fault_attr_parse(struct fault_attr *attr, const char *text, size_t len);

#endif
