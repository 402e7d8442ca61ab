/* SPDX-License-Identifier: MIT */
/*
 * Shrinkers. They run without a lock, with a count of the threads in each: a shrinker stays on the list while
 * there are any, so that a thread that comes out of one finds the next.
 */
#include "api/shrinker.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/bits.h"
#include "base/check.h"
#include "base/event.h"
#include "base/list.h"
#include "base/lock.h"
#include "base/vm_event.h"
#include "buddy/zone.h"
#include "malloc/heap.h"
#include "page/meta.h"

#define NAME_BYTES 64

/* Objects a call, unless a shrinker says something else. The kernel's figure. */
#define DEFAULT_BATCH 128

/* How often a thread that waits for the end of a scan looks. Arbitrary: it is woken. */
#define LOOK_MS 1000

/* Rounds of slabuddy_shrink(). Arbitrary: what is still found then is made as fast as it is freed. */
#define MAX_ROUNDS 16

struct registered {
	struct shrinker shrinker;
	struct list_head list;	  /* [shrinkers_lock] */
	unsigned int nr_threads;  /* [shrinkers_lock] that are in it */
	bool ending;		  /* [shrinkers_lock] no other thread may go in */
	unsigned long nr_deferred; /* [shrinkers_lock] to scan that was too little for a batch */
	char name[NAME_BYTES];
};

static struct lock shrinkers_lock;
static struct list_head shrinkers; /* [shrinkers_lock] */
static unsigned int nr_shrinkers;  /* [shrinkers_lock; atomic] */
static struct event left;	   /* [shrinkers_lock] a thread came out of one that ends */

/* The shrinker that the calling thread is in, or NULL. */
static thread_local_word struct registered *this_shrinker;

static void shrinkers_acquire(void)
{
	lock_acquire(&shrinkers_lock, LOCK_SHRINKERS);
}

static void shrinkers_release(void)
{
	lock_release(&shrinkers_lock, LOCK_SHRINKERS);
}

static void walk_lock(lock_visit *visit, void *arg)
{
	visit(&shrinkers_lock, arg);
}

/* In a child of fork() there is one thread, which may be in one shrinker. */
static void forget_threads(void)
{
	struct list_head *pos;

	shrinkers_acquire();
	list_for_each (pos, &shrinkers) {
		struct registered *entry = list_entry(pos, struct registered, list);

		entry->nr_threads = entry == this_shrinker;
	}
	shrinkers_release();
}

static __attribute__((constructor)) void shrinker_boot(void)
{
	lock_set_walker(LOCK_SHRINKERS, walk_lock);
	if (pthread_atfork(NULL, NULL, forget_threads))
		fatal("pthread_atfork failed: fork() would not be safe");
}

static struct registered *registered(struct shrinker *shrinker)
{
	return container_of(shrinker, struct registered, shrinker);
}

/* Policy: how much of @freeable to look at. */
static unsigned long share(const struct shrinker *shrinker, unsigned long freeable, int priority)
{
	if (priority == PRIORITY_ALL)
		return freeable;
	if (!shrinker->seeks)
		return freeable / 2;
	return (freeable >> priority) * 4 / (unsigned long)shrinker->seeks;
}

/* What was too little for a batch in the rounds before. */
static unsigned long take_deferred(struct registered *entry)
{
	unsigned long nr;

	shrinkers_acquire();
	nr = entry->nr_deferred;
	entry->nr_deferred = 0;
	shrinkers_release();
	return nr;
}

static void put_deferred(struct registered *entry, unsigned long nr, unsigned long max)
{
	shrinkers_acquire();
	entry->nr_deferred = MIN(entry->nr_deferred + nr, max);
	shrinkers_release();
}

/* Return: objects freed; *@scanned: objects looked at. */
static unsigned long scan_batches(struct shrinker *shrinker, struct shrink_control *sc,
				  unsigned long total, unsigned long freeable,
				  unsigned long *scanned)
{
	unsigned long batch = shrinker->batch > 0 ? (unsigned long)shrinker->batch : DEFAULT_BATCH;
	unsigned long freed = 0;

	/* less than a batch is worth a call only if it is all there is */
	while (total && (total >= batch || total >= freeable)) {
		unsigned long ret;

		sc->nr_to_scan = MIN(total, batch);
		sc->nr_scanned = sc->nr_to_scan;
		ret = shrinker->scan_objects(shrinker, sc);
		if (ret == SHRINK_STOP)
			break;
		freed += ret;
		*scanned += sc->nr_scanned;
		vm_event_add(VM_SLABS_SCANNED, sc->nr_scanned);
		/* who looked at nothing would look at nothing for ever */
		if (!sc->nr_scanned)
			break;
		total -= MIN(total, sc->nr_scanned);
	}
	return freed;
}

static unsigned long scan_one(struct registered *entry, gfp_t gfp, int nid, int priority)
{
	struct shrinker *shrinker = &entry->shrinker;
	struct shrink_control sc = { .gfp_mask = gfp, .nid = nid };
	unsigned long freeable = shrinker->count_objects(shrinker, &sc);
	unsigned long deferred, wanted, total, freed, scanned = 0;

	if (!freeable || freeable == SHRINK_EMPTY)
		return 0;
	deferred = take_deferred(entry);
	wanted = share(shrinker, freeable, priority);
	total = wanted + (deferred >> MAX(priority, 0));
	freed = scan_batches(shrinker, &sc, MIN(total, 2 * freeable), freeable, &scanned);
	wanted += deferred;
	put_deferred(entry, wanted - MIN(wanted, scanned), 2 * freeable);
	return freed;
}

/* The first shrinker at @pos or behind it that may be gone into; this thread is in it then. */
static struct registered *enter_from(struct list_head *pos)
{
	for (; pos && pos != &shrinkers; pos = pos->next) {
		struct registered *entry = list_entry(pos, struct registered, list);

		if (entry->ending)
			continue;
		entry->nr_threads++;
		return entry;
	}
	return NULL;
}

static struct registered *enter_first(void)
{
	struct registered *entry;

	shrinkers_acquire();
	entry = enter_from(shrinkers.next);
	shrinkers_release();
	return entry;
}

static struct registered *leave_for_next(struct registered *entry)
{
	bool sleepers = false;
	struct registered *next;

	shrinkers_acquire();
	next = enter_from(entry->list.next);
	entry->nr_threads--;
	if (entry->ending)
		sleepers = event_happened(&left);
	shrinkers_release();
	if (sleepers)
		event_wake(&left);
	return next;
}

unsigned long shrinkers_scan(gfp_t gfp, int nid, int priority)
{
	struct registered *entry;
	unsigned long freed = 0;

	if (this_shrinker)
		return 0;
	for (entry = enter_first(); entry; entry = leave_for_next(entry)) {
		this_shrinker = entry;
		freed += scan_one(entry, gfp, nid, priority);
		this_shrinker = NULL;
	}
	return freed;
}

unsigned int shrinkers_count(void)
{
	return READ_ONCE(nr_shrinkers);
}

exported struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
{
	struct registered *entry = flags ? NULL : meta_alloc(sizeof(*entry));
	va_list args;

	if (!entry)
		return NULL;
	va_start(args, fmt);
	vsnprintf(entry->name, sizeof(entry->name), fmt, args);
	va_end(args);
	entry->shrinker.seeks = DEFAULT_SEEKS;
	return &entry->shrinker;
}

exported void shrinker_register(struct shrinker *shrinker)
{
	struct registered *entry;

	if (!shrinker)
		return;
	entry = registered(shrinker);
	if (!shrinker->count_objects || !shrinker->scan_objects) {
		warn("shrinker_register(%s): it lacks a function", entry->name);
		return;
	}
	if (shrinker->seeks < 0)
		shrinker->seeks = DEFAULT_SEEKS;
	shrinkers_acquire();
	if (!shrinkers.next)
		list_head_init(&shrinkers);
	if (!entry->list.next) {
		list_add_tail(&entry->list, &shrinkers);
		WRITE_ONCE(nr_shrinkers, nr_shrinkers + 1);
	}
	shrinkers_release();
}

/* Take it off the list once no thread is in it. */
static void unregister(struct registered *entry)
{
	shrinkers_acquire();
	entry->ending = true;
	while (entry->nr_threads) {
		uint32_t ticket = event_expect(&left);

		shrinkers_release();
		event_wait(&left, ticket, LOOK_MS);
		shrinkers_acquire();
	}
	list_del(&entry->list);
	WRITE_ONCE(nr_shrinkers, nr_shrinkers - 1);
	shrinkers_release();
}

static bool is_on_list(struct registered *entry)
{
	bool on_list;

	/* its neighbours change its links */
	shrinkers_acquire();
	on_list = entry->list.next;
	shrinkers_release();
	return on_list;
}

exported void shrinker_free(struct shrinker *shrinker)
{
	struct registered *entry;

	if (!shrinker)
		return;
	entry = registered(shrinker);
	if (this_shrinker)
		fatal("shrinker_free(%s) within the shrinker %s, which it would wait for",
		      entry->name, this_shrinker->name);
	/* only its owner registers it, and nobody else unregisters it */
	if (is_on_list(entry))
		unregister(entry);
	meta_free(entry, sizeof(*entry));
}

exported unsigned long slabuddy_shrink(void)
{
	unsigned long total = 0, freed = 1;

	for (int i = 0; i < MAX_ROUNDS && freed; i++) {
		freed = shrinkers_scan(GFP_KERNEL, (int)node_here(), PRIORITY_ALL);
		total += freed;
	}
	heap_trim();
	return total;
}
