/* SPDX-License-Identifier: MIT */
/*
 * The thread "slabuddy/kswapd" (option kswapd): it gives back what lies idle, step by step, and all at once when the OS
 * says that memory is short. See buddy/kswapd.h for when it is there and when it wakes.
 *
 * It is no thread of libc's (os/thread.h) and owns no slot. What it does at a time it does under LOCK_KSWAPD, for
 * which fork() waits.
 */
#ifndef SLABUDDY_MALLOC_KSWAPD_H
#define SLABUDDY_MALLOC_KSWAPD_H

#include "base/lock.h"

/* Start it. Return: as os_thread_start(). */
int kswapd_start(void);

/* In a new child process: there is none. */
void kswapd_forget(void);

void kswapd_walk_lock(lock_visit *visit, void *arg);

#endif
