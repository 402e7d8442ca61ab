/* SPDX-License-Identifier: MIT */
#include "slab/percpu.h"

#include "base/bits.h"
#include "page/meta.h"

struct slot *percpu_slots[OS_MAX_CPUS];
struct rseq_place percpu_rseq read_mostly;

/* The same and stopped ones too. A slot stays for ever once it is there. [atomic] */
static struct slot *made[OS_MAX_CPUS];

/* Held from percpu_stop() to percpu_restart(). */
static struct lock percpu_lock;
static unsigned int nr_stops;	/* [percpu_lock; atomic] more than 1: out of a signal handler */
static unsigned int nr_indices; /* [percpu_lock; atomic] all in made[] are below it */

enum { UNKNOWN, MISSING, THERE };
static int state; /* [atomic] */

bool percpu_is_there(void)
{
#ifndef PERCPU_MISSING
	struct rseq_place place;
	bool there;

	if (likely(load_acquire(&state) != UNKNOWN))
		return READ_ONCE(state) == THERE;
	/* where nodes mean something, a slot is of the processor's; mm_cid says nothing of where that is */
	there = os_rseq_start(&place, nodes_are_real());
	lock_acquire(&percpu_lock, LOCK_PERCPU);
	if (state == UNKNOWN && there)
		percpu_rseq = place;
	if (state == UNKNOWN)
		store_release(&state, there ? THERE : MISSING);
	lock_release(&percpu_lock, LOCK_PERCPU);
#endif
	return READ_ONCE(state) == THERE;
}

static uint32_t index_here(void)
{
	const char *thread = (const char *)thread_identity();

	/* the kernel changes it when it moves the thread */
	return *(const volatile uint32_t *)(const void *)(thread + percpu_rseq.index);
}

static void publish(struct slot *slot)
{
	ASSERT_HELD(&percpu_lock, LOCK_PERCPU);
	store_release(&made[slot->cpu], slot);
	if (slot->cpu >= nr_indices)
		WRITE_ONCE(nr_indices, slot->cpu + 1);
	if (!nr_stops)
		store_release(&percpu_slots[slot->cpu], slot);
}

static noinline struct slot *make(uint32_t index)
{
	struct slot *slot = slot_new_percpu(index);
	struct slot *there;

	if (!slot)
		return NULL;
	lock_acquire(&percpu_lock, LOCK_PERCPU);
	there = made[index];
	if (!there)
		publish(slot);
	lock_release(&percpu_lock, LOCK_PERCPU);
	/* another thread was faster: this one is for whoever wants a slot of his own */
	if (there)
		slot_donate(slot);
	return there ? there : slot;
}

struct slot *percpu_here(void)
{
	uint32_t index = index_here();
	struct slot *slot;

	if (unlikely(index >= OS_MAX_CPUS))
		return NULL;
	slot = load_acquire(&made[index]);
	return likely(slot) ? slot : make(index);
}

bool percpu_stop(void)
{
	lock_acquire(&percpu_lock, LOCK_PERCPU);
	ADD_ONCE(nr_stops, 1);
	for (unsigned int i = 0; i < nr_indices; i++)
		WRITE_ONCE(percpu_slots[i], NULL);
	if (!nr_indices || os_rseq_fence())
		return true;
	percpu_restart();
	return false;
}

void percpu_restart(void)
{
	SUB_ONCE(nr_stops, 1);
	for (unsigned int i = 0; !nr_stops && i < nr_indices; i++)
		store_release(&percpu_slots[i], made[i]);
	lock_release(&percpu_lock, LOCK_PERCPU);
}

bool percpu_is_stopped(void)
{
	return READ_ONCE(nr_stops) > 0;
}

void percpu_walk_lock(lock_visit *visit, void *arg)
{
	visit(&percpu_lock, arg);
}

void percpu_for_each(void (*visit)(struct slot *slot, void *arg), void *arg)
{
	unsigned int nr = READ_ONCE(nr_indices);

	for (unsigned int i = 0; i < nr; i++) {
		struct slot *slot = load_acquire(&made[i]);

		if (slot)
			visit(slot, arg);
	}
}
