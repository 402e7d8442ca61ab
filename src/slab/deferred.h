/* SPDX-License-Identifier: MIT */
/*
 * What signal handlers leave to the next slow path of any thread. A handler may have interrupted any code of
 * ours: a block that it frees is only put on a list, and a zone that had no pages for it only noted.
 */
#ifndef SLABUDDY_SLAB_DEFERRED_H
#define SLABUDDY_SLAB_DEFERRED_H

#include "base/compiler.h"

extern void *deferred_blocks; /* [atomic] linked by their first words */

/* Who frees them: the layer above. Once, before the first. */
void deferred_set_free(void (*free_block)(void *block));

/* Context: any, signal handlers included. The block has room for two words. */
void deferred_push(void *block);

struct zone;
extern struct zone *deferred_zone; /* [atomic] one that shall grow, or NULL */

void deferred_drain_slow(void);

/* Do what is left to do. No lock may be held. */
static inline void deferred_drain(void)
{
	/* racy peek: what comes later is for the next one */
	if (unlikely(READ_ONCE(deferred_blocks) || READ_ONCE(deferred_zone)))
		deferred_drain_slow();
}

#endif
