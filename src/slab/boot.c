/* SPDX-License-Identifier: MIT */
#include "slab/boot.h"

#include <pthread.h>
#include <string.h>

#include <slabuddy/slabuddy.h>

#include "base/fault.h"
#include "base/lock.h"
#include "base/option.h"
#include "buddy/kswapd.h"
#include "buddy/page_sheaf.h"
#include "os/info.h"
#include "page/meta.h"
#include "page/section.h"
#include "slab/percpu.h"

bool slab_booted read_mostly;
static bool options_read; /* [boot_lock] */
static bool loaded;	  /* [atomic] the constructor has run */
static struct lock boot_lock;

#pragma weak slabuddy_options

extern char **environ;

static void walk_boot(lock_visit *visit, void *arg)
{
	visit(&boot_lock, arg);
}

/*
 * @env: NULL while nobody has told libc where the environment is: the dynamic linker may allocate
 * that early. Then later.
 */
static void read_options(char **env)
{
	static const char name[] = "SLABUDDY_OPTIONS=";

	if (options_read || !env)
		return;
	options_read = true;
	if (&slabuddy_options)
		options_parse(slabuddy_options, "slabuddy_options");
	for (; *env && !os_is_secure(); env++) {
		if (!strncmp(*env, name, sizeof(name) - 1))
			options_parse(*env + sizeof(name) - 1, "SLABUDDY_OPTIONS");
	}
	if (fault_is_on(&fail_page_alloc))
		page_sheaves_enable(false);
}

static void set_walkers(void)
{
	lock_set_walker(LOCK_INIT, walk_boot);
	lock_set_walker(LOCK_LIFETIME, cache_walk_lifetime);
	lock_set_walker(LOCK_CACHES, cache_walk_caches);
	lock_set_walker(LOCK_PERCPU, percpu_walk_lock);
	lock_set_walker(LOCK_SLOTS, slot_walk_list);
	lock_set_walker(LOCK_SLOT, slot_walk_slots);
	lock_set_walker(LOCK_BARN, cache_walk_barns);
	lock_set_walker(LOCK_NODE, cache_walk_nodes);
	lock_set_walker(LOCK_ZONE, zone_walk_locks);
	lock_set_walker(LOCK_SECTIONS, section_walk_locks);
	lock_set_walker(LOCK_META, meta_walk_locks);
	lock_set_walker(LOCK_OPTIONS, options_walk_locks);
}

/* The world is still frozen, so that the list of slots can be changed whoever held its lock. */
static void after_fork_in_child(void)
{
	if (!lock_world_is_torn())
		slot_adopt_all();
	lock_thaw_world_in_child();
	kswapd_boot_in_child();
}

/*
 * Handlers of fork() run in the reverse order of their registration, and whoever takes a lock of
 * its own in one must still find malloc alive: so ours come first of all.
 */
static void register_fork_handlers(void)
{
	static bool registered; /* [atomic] */

	if (__atomic_exchange_n(&registered, true, __ATOMIC_RELAXED))
		return;
	if (pthread_atfork(lock_freeze_world, lock_thaw_world, after_fork_in_child))
		fatal("pthread_atfork failed: fork() would not be safe");
}

static bool may_register_later(void)
{
	return slab_sees_atfork && slab_sees_atfork();
}

void slab_boot_slow(void)
{
	lock_acquire(&boot_lock, LOCK_INIT);
	if (!slab_booted) {
		set_walkers();
		read_options(environ ? environ : os_first_environ());
		os_mark_brk_heap();
		slot_boot();
		store_release(&slab_booted, true);
	}
	lock_release(&boot_lock, LOCK_INIT);
	/* before there is a second thread: to begin one allocates */
	if (READ_ONCE(loaded))
		register_fork_handlers();
}

/*
 * pthread_atfork() may allocate, and it may be what allocates first, holding its own lock. So not
 * in slab_boot(), but here, where the program has not started yet; or there, where all others come
 * by us and so cannot be that far.
 *
 * The library is linked so that this runs before all other constructors (-z initfirst). That early
 * libc does not know the environment, so it comes as the third argument, as glibc passes it to
 * every constructor.
 */
static __attribute__((constructor)) void boot_at_load(int argc, char **argv, char **env)
{
	bool later = may_register_later();

	(void)argc;
	(void)argv;
	lock_acquire(&boot_lock, LOCK_INIT);
	read_options(env);
	lock_release(&boot_lock, LOCK_INIT);
	os_mark_brk_heap();
	if (later && !slab_booted && !kswapd_is_on()) {
		WRITE_ONCE(loaded, true);
		return;
	}
	slab_boot();
	cache_options_changed();
	if (kswapd_is_on())
		kswapd_boot();
	register_fork_handlers();
	WRITE_ONCE(loaded, true);
}
