/* SPDX-License-Identifier: MIT */
/*
 * Setting up what the layers up to here need once in a process.
 */
#ifndef SLABUDDY_SLAB_BOOT_H
#define SLABUDDY_SLAB_BOOT_H

#include "base/compiler.h"

extern bool slab_booted; /* [atomic] */

cold void slab_boot_slow(void);

/**
 * slab_boot() - set up the walkers, the options and the thread-exit key, the first time.
 *
 * Every slow path that may be the first in a process calls it. It neither allocates nor calls
 * anything that does, so it works before any constructor has run.
 */
static inline void slab_boot(void)
{
	if (unlikely(!load_acquire(&slab_booted)))
		slab_boot_slow();
}

/*
 * Whether whoever registers handlers of fork() in this process does so by way of this library, see
 * malloc/atfork.c. The static libraries and libslabuddy have no such function.
 */
#pragma weak slab_sees_atfork
hidden bool slab_sees_atfork(void);

#endif
