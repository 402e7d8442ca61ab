/* SPDX-License-Identifier: MIT */
/*
 * The thread that gives back what lies idle (option kswapd), as the zones see it: how they wake it, and how their free
 * pages age. What it does stands in malloc/kswapd.c.
 *
 * It is there from the first time that a zone has something to give, and sleeps without a timeout while no zone has:
 *
 *     NONE ──> RUNS <──> SLEEPS        under fork() all become NONE in the child
 *               └──> FAILED            it could not be started: not tried again
 *
 * Only who makes a step with one atomic operation on the state acts on it. The thread says SLEEPS first and then
 * looks at each zone under its lock, and a zone looks at the state while it holds its lock: so one of them sees the
 * other. Whoever changes the option makes an atomic operation on the state afterwards, for the same reason.
 */
#ifndef SLABUDDY_BUDDY_KSWAPD_H
#define SLABUDDY_BUDDY_KSWAPD_H

#include "buddy/zone.h"

enum kswapd_state {
	KSWAPD_NONE,
	KSWAPD_RUNS,
	KSWAPD_SLEEPS,
	KSWAPD_FAILED,
};
extern hidden uint32_t kswapd_state; /* [atomic] enum kswapd_state, a futex */

/*
 * Dirty pages that wake it. Arbitrary: 256 KiB; a small program that now and then frees a page is not worth a
 * wake-up. Once awake it goes on until there are none.
 */
#define KSWAPD_WAKE_PAGES 64

/*
 * Who starts the thread, and forgets in a child process that there was one: the layer above. @start returns as
 * os_thread_start(). Once, before anything else.
 */
void kswapd_set_start(int (*start)(void), void (*forget)(void));

/* This process may have the thread from now on: its constructors have begun, or it was just forked. */
void kswapd_boot(void);

/* In a new child process: the thread is not there. */
void kswapd_boot_in_child(void);

/* Start the thread or wake it. No lock of the zones' or below may be held. */
cold void kswapd_call(void);

/* The options may be others now: on takes effect at the next slow path, off ends the thread. */
void kswapd_options_changed(void);

/* Whether there is to be a thread. purge=off is for finding out what purging costs. */
static inline bool kswapd_is_on(void)
{
	return READ_ONCE(options.kswapd) && READ_ONCE(options.purge);
}

/* Whether kswapd_call() should be called once the lock of @zone is released. */
static inline bool kswapd_is_wanted(const struct zone *zone)
{
	uint32_t state = READ_ONCE(kswapd_state);

	return (state == KSWAPD_NONE || state == KSWAPD_SLEEPS) &&
	       zone->nr_dirty > zone->nr_settled + KSWAPD_WAKE_PAGES;
}

/* For the thread: sleep until a zone has something to give, or it is to end. Returns at once when it is so. */
void kswapd_sleep(void);

/* Steps in which a free page that is not needed goes back. Arbitrary; a wake-up each. */
#define KSWAPD_STEPS 8

/* Dirty pages of a zone that were not needed in the last 1, 2, 3 … steps. */
struct zone_age {
	unsigned long unneeded[KSWAPD_STEPS];
};

/**
 * zone_age() - a step is over: give back the part of a zone's free pages that is due.
 * @age: the zone's, all zero at first.
 *
 * Not needed over some time are as many dirty pages as there were at its least moment: the working set of Bonwick
 * and Adams 2001, "Magazines and Vmem", for pages and not for magazines. Of what was not needed for i steps a share
 * of 1 / (KSWAPD_STEPS + 1 - i) goes, so that after KSWAPD_STEPS of them all is gone in equal parts. Which pages
 * go is the purge's choice: those that have been free the longest.
 *
 * Return: whether there is more to come.
 * Context: the thread's; no lock of the zones' is held.
 */
bool zone_age(struct zone *zone, struct zone_age *age);

#endif
