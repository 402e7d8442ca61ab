/* SPDX-License-Identifier: MIT */
#include "buddy/kswapd.h"

#include <errno.h>
#include <limits.h>

#include "base/vm_event.h"
#include "buddy/purge.h"
#include "os/info.h"
#include "os/thread.h"

uint32_t kswapd_state;

static int (*start_thread)(void);   /* [const once the process is set up] */
static void (*forget_thread)(void); /* [const once the process is set up] */
static unsigned long own_process; /* [atomic] in which kswapd_boot() was called last; 0: in none */
static bool libc_has_lists;	  /* [atomic] of robust mutexes, for each of its threads */

void kswapd_set_start(int (*start)(void), void (*forget)(void))
{
	start_thread = start;
	forget_thread = forget;
}

static void note_process(void)
{
	WRITE_ONCE(own_process, os_process_id());
	WRITE_ONCE(libc_has_lists, os_thread_has_robust_list());
}

void kswapd_boot(void)
{
	uint32_t failed = KSWAPD_FAILED;

	note_process();
	/* whoever asks again may have made room for a thread */
	__atomic_compare_exchange_n(&kswapd_state, &failed, KSWAPD_NONE, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
}

void kswapd_boot_in_child(void)
{
	if (!READ_ONCE(own_process))
		return;
	if (forget_thread)
		forget_thread();
	note_process();
	WRITE_ONCE(kswapd_state, KSWAPD_NONE);
}

static bool go_from(enum kswapd_state from, enum kswapd_state to)
{
	uint32_t state = from;

	return __atomic_compare_exchange_n(&kswapd_state, &state, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

/* The child of a vfork() has another number; or the same in another namespace, but then it has no list. */
static bool is_own_process(void)
{
	return READ_ONCE(own_process) == os_process_id() &&
	       (!READ_ONCE(libc_has_lists) || os_thread_has_robust_list());
}

/* Not in the child of a vfork(), which has the memory of its parent and soon ends; nor in the middle of a fork(). */
static bool may_start(void)
{
	return start_thread && is_own_process() && !lock_world_is_mine();
}

cold void kswapd_call(void)
{
	int error;

	if (go_from(KSWAPD_SLEEPS, KSWAPD_RUNS)) {
		os_wake(&kswapd_state);
		return;
	}
	if (!may_start() || !go_from(KSWAPD_NONE, KSWAPD_RUNS))
		return;
	error = start_thread();
	if (!error)
		return;
	vm_event_add(VM_KSWAPD_FAIL, error != -EBUSY);
	/* the last one is about to end: later */
	store_release(&kswapd_state, error == -EBUSY ? KSWAPD_NONE : KSWAPD_FAILED);
}

void kswapd_options_changed(void)
{
	if (kswapd_is_on())
		kswapd_boot();
	else if (__atomic_fetch_add(&kswapd_state, 0, __ATOMIC_ACQ_REL) == KSWAPD_SLEEPS)
		kswapd_call();
}

/* Calls @visit for each zone that has pages, until it returns true. Return: whether it did. */
static bool any_zone(bool (*visit)(struct zone *zone))
{
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		for (int type = 0; type < MAX_NR_ZONES; type++) {
			struct zone *zone = &node_data[nid].zones[type];

			/* racy peek: who gives a zone its first pages calls later */
			if (READ_ONCE(zone->managed_pages) && visit(zone))
				return true;
		}
	}
	return false;
}

static bool has_too_much(struct zone *zone)
{
	bool much;

	zone_lock(zone);
	much = zone->nr_dirty > zone->nr_settled + KSWAPD_WAKE_PAGES;
	zone_unlock(zone);
	return much;
}

void kswapd_sleep(void)
{
	__atomic_exchange_n(&kswapd_state, KSWAPD_SLEEPS, __ATOMIC_ACQ_REL);
	if ((!kswapd_is_on() || any_zone(has_too_much)) && go_from(KSWAPD_SLEEPS, KSWAPD_RUNS))
		return;
	while (load_acquire(&kswapd_state) == KSWAPD_SLEEPS)
		os_sleep_on(&kswapd_state, KSWAPD_SLEEPS);
}

/* How many pages are due, given that @least of the dirty ones were not needed in this step. */
static unsigned long pages_due(struct zone_age *age, unsigned long least)
{
	unsigned long due = 0;

	for (unsigned int i = KSWAPD_STEPS - 1; i > 0; i--)
		age->unneeded[i] = MIN(age->unneeded[i - 1], least);
	age->unneeded[0] = least;
	for (unsigned int i = 0; i < KSWAPD_STEPS; i++) {
		unsigned long part = DIV_ROUND_UP(age->unneeded[i], KSWAPD_STEPS - i);

		due = MAX(due, part);
	}
	return due;
}

/* The next step begins. @stuck: more pages than these the OS did not take. Return: whether there is more to come. */
static bool begin_step(struct zone *zone, unsigned long stuck)
{
	bool more;

	zone_lock(zone);
	zone->least_dirty = zone->nr_dirty;
	/* what cannot go is no reason to wake anybody */
	zone->nr_settled = zone->nr_dirty > stuck ? zone->nr_dirty : 0;
	if (!zone_can_purge(zone))
		zone->nr_settled = zone->managed_pages;
	more = zone->nr_dirty > zone->nr_settled;
	zone_unlock(zone);
	return more;
}

bool zone_age(struct zone *zone, struct zone_age *age)
{
	unsigned long dirty, least, due, gone = 0;

	zone_lock(zone);
	dirty = zone->nr_dirty;
	least = MIN(zone->least_dirty, dirty);
	zone_unlock(zone);
	due = pages_due(age, least);
	if (due)
		gone = zone_purge(zone, dirty - due);
	for (unsigned int i = 0; i < KSWAPD_STEPS; i++)
		age->unneeded[i] -= MIN(age->unneeded[i], gone);
	return begin_step(zone, due && !gone ? dirty - due : ULONG_MAX);
}
