/* SPDX-License-Identifier: MIT */
#include "slab/boot.h"

#include <pthread.h>
#include <stdlib.h>

#include <slabuddy/slabuddy.h>

#include "base/lock.h"
#include "base/option.h"
#include "os/info.h"
#include "page/meta.h"
#include "page/section.h"
#include "slab/slot.h"

bool slab_booted;
static bool options_read; /* [boot_lock] */
static struct lock boot_lock;

#pragma weak slabuddy_options

extern char **environ;

static void walk_boot(void (*visit)(struct lock *lock))
{
	visit(&boot_lock);
}

/* The environment is not there yet when the dynamic linker allocates very early: then later. */
static void read_options(void)
{
	if (options_read || !environ)
		return;
	options_read = true;
	if (&slabuddy_options)
		options_parse(slabuddy_options, "slabuddy_options");
	if (!os_is_secure())
		options_parse(getenv("SLABUDDY_OPTIONS"), "SLABUDDY_OPTIONS");
}

static void set_walkers(void)
{
	lock_set_walker(LOCK_INIT, walk_boot);
	lock_set_walker(LOCK_CACHES, cache_walk_caches);
	lock_set_walker(LOCK_SLOTS, slot_walk_list);
	lock_set_walker(LOCK_SLOT, slot_walk_slots);
	lock_set_walker(LOCK_BARN, cache_walk_barns);
	lock_set_walker(LOCK_NODE, cache_walk_nodes);
	lock_set_walker(LOCK_ZONE, zone_walk_locks);
	lock_set_walker(LOCK_SECTIONS, section_walk_locks);
	lock_set_walker(LOCK_META, meta_walk_locks);
	lock_set_walker(LOCK_OPTIONS, options_walk_locks);
}

void slab_boot_slow(void)
{
	lock_acquire(&boot_lock, LOCK_INIT);
	if (!slab_booted) {
		set_walkers();
		read_options();
		os_mark_brk_heap();
		slot_boot();
		store_release(&slab_booted, true);
	}
	lock_release(&boot_lock, LOCK_INIT);
}

static void after_fork_in_child(void)
{
	lock_thaw_world_in_child();
	slot_adopt_all();
}

/*
 * pthread_atfork() may allocate, and it may be what allocates first, holding its own lock. So not
 * in slab_boot(), but here, where the program has not started yet.
 */
static __attribute__((constructor)) void boot_at_load(void)
{
	slab_boot();
	lock_acquire(&boot_lock, LOCK_INIT);
	read_options();
	lock_release(&boot_lock, LOCK_INIT);
	if (pthread_atfork(lock_freeze_world, lock_thaw_world, after_fork_in_child))
		fatal("pthread_atfork failed: fork() would not be safe");
}
