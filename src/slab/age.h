/* SPDX-License-Identifier: MIT */
/*
 * What nobody uses goes back after a while, for the thread of malloc/kswapd.c: free objects and pages in slots that no
 * thread owns, in processors' slots and in the shared one; full sheaves in barns and empty slabs.
 *
 * Whether a thing is used shows in the counters that are there anyway, those of its locks above all. So a fast path
 * does nothing for this, and what it does is not seen: a processor's slot with as many objects as at the last
 * look counts as idle. Draining it needlessly costs its next user a refill.
 *
 * The empty slabs of some caches stay: of those that are watched, since a fault may be found there, whose report asks
 * libc for names; and of those that wait for readers (SLAB_TYPESAFE_BY_RCU), since liburcu would be called.
 */
#ifndef SLABUDDY_SLAB_AGE_H
#define SLABUDDY_SLAB_AGE_H

#include "base/compiler.h"

/* All [KSWAPD] */
struct idle {
	uint32_t seen;	/* what it had done up to the last look */
	uint32_t looks; /* that found no more; IDLE_EMPTY: and there is nothing left to drain */
};

#define IDLE_EMPTY UINT32_MAX

/**
 * slab_age() - look at all slots and caches; drain those that were idle at the last @looks looks.
 *
 * Return: whether there is anything left that may be drained some time.
 * Context: one thread at a time, whose slot is slot_alien; no lock but LOCK_KSWAPD is held. May make system calls.
 */
bool slab_age(unsigned int looks);

/* Drain all of these at once, idle or not. Context: as above. */
void slab_drain_idle(void);

#endif
