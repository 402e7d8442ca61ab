/* SPDX-License-Identifier: MIT */
/*
 * Waiting for something that another thread does under a lock:
 *
 *	lock                                 lock
 *	while (not so)                       make it so
 *		ticket = event_expect()      sleepers = event_happened()
 *		unlock                       unlock
 *		event_wait(ticket)           if (sleepers)
 *		lock                                 event_wake()
 *	unlock
 *
 * Zeroed memory is a valid event. Whoever waited in the parent of a fork() does not exist in the child, and
 * nothing in an event is wrong for that.
 */
#ifndef SLABUDDY_BASE_EVENT_H
#define SLABUDDY_BASE_EVENT_H

#include "base/compiler.h"

struct event {
	uint32_t word; /* [the user's lock; atomic] EVENT_SLEEPERS, and twice how often it happened */
};

#define EVENT_SLEEPERS 1u

/* Say that this thread is about to wait. The lock is held. Return: the ticket for it. */
static inline uint32_t event_expect(struct event *event)
{
	WRITE_ONCE(event->word, event->word | EVENT_SLEEPERS);
	return event->word;
}

/* Say that it happened. The lock is held. Return: whether event_wake() must follow. */
static inline bool event_happened(struct event *event)
{
	bool sleepers = event->word & EVENT_SLEEPERS;

	WRITE_ONCE(event->word, (event->word & ~EVENT_SLEEPERS) + 2);
	return sleepers;
}

/**
 * event_wait() - sleep until it happened, @ms milliseconds have passed or there was a signal.
 *
 * Return: false when the time has passed.
 * Context: no lock held. Keeps errno.
 */
bool event_wait(struct event *event, uint32_t ticket, unsigned int ms);

/* Wake all who wait. Context: no lock held. The event may be gone already, if what was in its place
 * may still be read. */
void event_wake(struct event *event);

#endif
