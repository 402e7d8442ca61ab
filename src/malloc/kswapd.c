/* SPDX-License-Identifier: MIT */
#include "malloc/kswapd.h"

#include "base/fault.h"
#include "base/option.h"
#include "base/vm_event.h"
#include "buddy/kswapd.h"
#include "buddy/purge.h"
#include "os/pressure.h"
#include "os/thread.h"
#include "page/limit.h"
#include "slab/slot.h"

/* Of a cgroup's limit. Arbitrary: the kernel's reclaim begins at the limit itself. */
#define NEAR_LIMIT_PERCENT 90

static struct lock kswapd_lock;
static struct zone_age ages[MAX_NUMNODES][MAX_NR_ZONES]; /* [kswapd_lock] */

static void run(void);
static struct os_thread thread = { .name = "slabuddy/kswapd", .body = run };

int kswapd_start(void)
{
	void *const tls[] = { &this_slot, &fault_answer, &limit_answer };

	return os_thread_start(&thread, tls, ARRAY_SIZE(tls));
}

void kswapd_forget(void)
{
	os_thread_forget(&thread);
}

void kswapd_walk_lock(lock_visit *visit, void *arg)
{
	visit(&kswapd_lock, arg);
}

/* Calls @visit for each zone that has pages. Return: whether one of them returned true. */
static bool for_each_zone(bool (*visit)(struct zone *zone))
{
	bool any = false;

	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		for (int type = 0; type < MAX_NR_ZONES; type++) {
			struct zone *zone = &node_data[nid].zones[type];

			/* racy peek: a zone that was never used has nothing to give */
			if (READ_ONCE(zone->managed_pages))
				any |= visit(zone);
		}
	}
	return any;
}

static bool give_all(struct zone *zone)
{
	return zone_purge(zone, 0);
}

static bool age(struct zone *zone)
{
	return zone_age(zone, &ages[zone->nid][zone->type]);
}

/* Whether everything is to go at once. @may_open: files, to see; @pressed: the OS has said so. */
static bool is_short(bool may_open, bool pressed)
{
	vm_event_add(VM_KSWAPD_PRESSURE, pressed);
	if (pressed)
		return true;
	if (!may_open || !os_cgroup_is_near_limit(&os_pressure_places, NEAR_LIMIT_PERCENT))
		return false;
	vm_event_add(VM_KSWAPD_LIMIT, 1);
	return true;
}

/* One step. @all: at once. Return: whether there is more to come. */
static bool step(bool all)
{
	bool more;

	vm_event_add(VM_KSWAPD_RUN, 1);
	lock_acquire(&kswapd_lock, LOCK_KSWAPD);
	if (all) {
		slab_drain_idle();
		for_each_zone(give_all);
	}
	more = slab_age(KSWAPD_STEPS);
	/* last, since what the caches gave is here now */
	more |= for_each_zone(age);
	lock_release(&kswapd_lock, LOCK_KSWAPD);
	return more;
}

static void work(bool may_open)
{
	struct os_pressure pressure = { .fd = -1 };
	bool more = true;

	if (!may_open || !os_pressure_open(&pressure, &os_pressure_places))
		vm_event_add(VM_KSWAPD_BLIND, 1);
	while (more && kswapd_is_on()) {
		unsigned int ms = (unsigned int)READ_ONCE(options.dirty_decay_ms) / KSWAPD_STEPS;
		bool pressed = os_pressure_wait(&pressure, ms);

		if (kswapd_is_on())
			more = step(is_short(may_open, pressed));
	}
	os_pressure_close(&pressure);
}

static void run(void)
{
	bool own_files;

	/* it has no slot, and takes none */
	this_slot = slot_alien;
	own_files = !os_own_files();
	while (kswapd_is_on()) {
		work(own_files);
		if (kswapd_is_on())
			kswapd_sleep();
	}
	store_release(&kswapd_state, KSWAPD_NONE);
}
