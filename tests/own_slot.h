/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_TESTS_OWN_SLOT_H
#define SLABUDDY_TESTS_OWN_SLOT_H

#include "base/option.h"
#include "slab/boot.h"
#include "slab/slot.h"

/* For a test that looks at slots: the calling thread has one of its own from now on, instead of
 * sharing one until its eighth slow path. */
static inline void take_own_slot(void)
{
	slab_boot();
	WRITE_ONCE(options.percpu, PERCPU_OFF);
	if (this_slot == slot_percpu)
		this_slot = slot_none;
	for (int i = 0; i < NR_NONE; i++)
		slot_get();
}

#endif
