/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_TESTS_OWN_SLOT_H
#define SLABUDDY_TESTS_OWN_SLOT_H

#include "slab/boot.h"
#include "slab/slot.h"

/* For a test that looks at slots: the calling thread has one of its own from now on, instead of
 * sharing one until its eighth slow path. */
static inline void take_own_slot(void)
{
	slab_boot();
	for (int i = 0; i < NR_NONE; i++) {
		if (!slot_is_real(this_slot))
			slot_next_none(this_slot);
	}
}

#endif
