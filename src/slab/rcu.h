/* SPDX-License-Identifier: MIT */
/*
 * Waiting for RCU's readers. The core does not know liburcu: whoever does registers it here.
 */
#ifndef SLABUDDY_SLAB_RCU_H
#define SLABUDDY_SLAB_RCU_H

#include "base/compiler.h"

/**
 * slab_set_rcu() - say how to wait for readers.
 * @defer: call @fn with @head once all readers of now are gone. @head has room for two words, which are
 *	@defer's until then. May be called with a slot's lock held.
 * @barrier: wait until everything that was deferred before has been called.
 *
 * Context: once, before the first cache that needs it is made.
 */
void slab_set_rcu(void (*defer)(void *head, void (*fn)(void *head)), void (*barrier)(void));

/* What must have been done before the first slab_rcu_defer(), without any lock; nothing unless set. */
void slab_set_rcu_start(void (*start)(void));

/* Get ready for slab_rcu_defer(). Return: false when nobody has said how. No lock may be held. */
bool slab_rcu_start(void);

void slab_rcu_defer(void *head, void (*fn)(void *head));
void slab_rcu_barrier(void);

#endif
