/* SPDX-License-Identifier: MIT */
#include "slab/rcu.h"

static void (*rcu_start)(void); /* [const after slab_set_rcu_start()] or NULL */
static void (*rcu_defer)(void *head, void (*fn)(void *head)); /* [const after slab_set_rcu()] */
static void (*rcu_barrier)(void);

void slab_set_rcu(void (*defer)(void *head, void (*fn)(void *head)), void (*barrier)(void))
{
	rcu_barrier = barrier;
	store_release(&rcu_defer, defer);
}

void slab_set_rcu_start(void (*start)(void))
{
	rcu_start = start;
}

bool slab_rcu_start(void)
{
	if (!load_acquire(&rcu_defer))
		return false;
	if (rcu_start)
		rcu_start();
	return true;
}

void slab_rcu_defer(void *head, void (*fn)(void *head))
{
	rcu_defer(head, fn);
}

void slab_rcu_barrier(void)
{
	rcu_barrier();
}
