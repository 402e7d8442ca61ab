/* SPDX-License-Identifier: MIT */
/*
 * Events for the reports that happen in the top layers, where no structure of the heap's is at hand to count
 * them in. All of them are rare.
 */
#ifndef SLABUDDY_BASE_VM_EVENT_H
#define SLABUDDY_BASE_VM_EVENT_H

#include "base/compiler.h"

enum vm_event {
	VM_ALLOCSTALL_NORMAL, /* allocations that had to reclaim memory, by the zone they were for */
	VM_ALLOCSTALL_DMA32,
	VM_ALLOCSTALL_DMA,
	VM_ALLOC_FAIL,	  /* allocations that got none in the end */
	VM_SLABS_SCANNED, /* objects that shrinkers looked at */
	VM_KSWAPD_RUN,	     /* times that kswapd looked at the heap */
	VM_KSWAPD_PRESSURE,  /* of these, because the OS said that memory is short */
	VM_KSWAPD_LIMIT,     /* of these, because a cgroup was near its limit */
	VM_KSWAPD_BLIND,     /* times that it began to work and nobody would tell it of pressure */
	VM_KSWAPD_FAIL,	     /* times that the thread could not be started */
	VM_THP_ASK,	     /* pageblocks that asked for a huge page */
	VM_THP_BREAK_UP,     /* of these, those that a purge took something of */
	VM_THP_DEAR,	     /* huge pages that took longer than as many small ones */
	VM_THP_REFUSED,	     /* wishes that the OS would not hear */
	NR_VM_EVENTS,
};

extern unsigned long vm_events[NR_VM_EVENTS]; /* [atomic] */

static inline void vm_event_add(enum vm_event event, unsigned long nr)
{
	__atomic_fetch_add(&vm_events[event], nr, __ATOMIC_RELAXED);
}

static inline unsigned long vm_event_read(enum vm_event event)
{
	return READ_ONCE(vm_events[event]);
}

#endif
