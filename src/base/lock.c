/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* arbitrary: about a microsecond, the length of the longest section under a lock */
#define SPIN_ROUNDS 100

bool lock_world_frozen read_mostly;
static struct lock world_lock; /* whoever freezes the world, from before to after */
static uintptr_t world_owner;	 /* [atomic] who froze the world */
static unsigned int world_depth; /* [world_owner] freezes that were not the first */
static bool world_torn;		 /* [world_lock; atomic] a lock was held by what a signal interrupted */
static lock_walker walkers[NR_LOCK_RANKS];

const char *const lock_rank_names[NR_LOCK_RANKS] = {
	[LOCK_INIT] = "init",
	[LOCK_KSWAPD] = "kswapd",
	[LOCK_SHRINKERS] = "shrinkers",
	[LOCK_KMALLOC] = "kmalloc",
	[LOCK_MEMPOOLS] = "mempools",
	[LOCK_MEMPOOL] = "mempool",
	[LOCK_LIFETIME] = "lifetime",
	[LOCK_CACHES] = "caches",
	[LOCK_PERCPU] = "percpu",
	[LOCK_SLOTS] = "slots",
	[LOCK_SLOT] = "slot",
	[LOCK_BARN] = "barn",
	[LOCK_NODE] = "node",
	[LOCK_ZONE] = "zone",
	[LOCK_SECTIONS] = "sections",
	[LOCK_HUGE] = "huge",
	[LOCK_META] = "meta",
	[LOCK_RCU] = "rcu",
	[LOCK_OPTIONS] = "options",
};

/*
 * The rank of the lock that keeps the list of a rank's locks, for the ranks whose locks come and go.
 * LOCK_INIT, which keeps none: they are always there.
 */
static const enum lock_rank list_rank[NR_LOCK_RANKS] = {
	[LOCK_MEMPOOL] = LOCK_MEMPOOLS,
	[LOCK_SLOT] = LOCK_SLOTS,
	[LOCK_BARN] = LOCK_CACHES,
	[LOCK_NODE] = LOCK_CACHES,
};
static struct lock_count ended[NR_LOCK_RANKS]; /* [list_rank's lock] */

static inline void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb");
#endif
}

/* A futex is 32 bits: the half of a lock's word that has LOCK_WAITERS in it. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half comes first");

static void futex(struct lock *lock, int op, uint32_t value)
{
	int saved_errno = errno;

	syscall(SYS_futex, &lock->word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
	errno = saved_errno;
}

/* racy peek; only the thread that froze the world can see its own identity here */
cold bool lock_world_is_mine(void)
{
	return load_acquire(&lock_world_frozen) && READ_ONCE(world_owner) == thread_identity();
}

/* Sleep while @lock has a holder. */
static void wait_for_release(struct lock *lock)
{
	uint64_t word = READ_ONCE(lock->word);

	if (word && !(word & LOCK_WAITERS) &&
	    !__atomic_compare_exchange_n(&lock->word, &word, word | LOCK_WAITERS, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	if (word)
		futex(lock, FUTEX_WAIT, (uint32_t)(word | LOCK_WAITERS));
}

static void take_word(struct lock *lock, uint64_t holder)
{
	for (int i = 0; i < SPIN_ROUNDS; i++) {
		if (!READ_ONCE(lock->word) && lock_take_free(lock, holder))
			return;
		cpu_relax();
	}
	/* others may be asleep too: whoever has slept leaves it to the release to wake the next */
	while (!lock_take_free(lock, holder | LOCK_WAITERS))
		wait_for_release(lock);
}

/* The second half of lock_acquire() for a lock whose word was not zero. */
cold void lock_acquire_slow(struct lock *lock)
{
	if (lock_world_is_mine()) {
		lock->nested++;
		return;
	}
	take_word(lock, thread_identity());
	WRITE_ONCE(lock->waits, lock->waits + 1);
}

/* In a world that this thread has frozen, every lock is to be had. */
cold bool lock_try_slow(struct lock *lock)
{
	if (!lock_world_is_mine())
		return false;
	lock->nested++;
	return true;
}

cold void lock_wake(struct lock *lock)
{
	futex(lock, FUTEX_WAKE, 1);
}

void lock_set_walker(enum lock_rank rank, lock_walker walker)
{
	walkers[rank] = walker;
}

/* A rank of lists may have several locks. Nobody else holds two of them but fork(), which takes them in the
 * same order; so the order is right, though it is not that of ranks. */
static void acquire_list(struct lock *lock, void *rank)
{
	if (!lock_take_free(lock, thread_identity()))
		lock_acquire_slow(lock);
	lock_note_try(*(enum lock_rank *)rank);
	ADD_ONCE(lock->acquisitions, 1);
}

static void release_list(struct lock *lock, void *rank)
{
	lock_release(lock, *(enum lock_rank *)rank);
}

static void add_counts(struct lock *lock, void *arg)
{
	struct lock_count *sum = arg;

	/* racy peeks at what the holder counts */
	sum->acquisitions += READ_ONCE(lock->acquisitions);
	sum->waits += READ_ONCE(lock->waits);
}

void lock_count_rank(enum lock_rank rank, struct lock_count *count)
{
	enum lock_rank list = list_rank[rank];
	lock_walker walk_list = list ? walkers[list] : NULL;

	if (walk_list)
		walk_list(acquire_list, &list);
	*count = ended[rank];
	if (walkers[rank])
		walkers[rank](add_counts, count);
	if (walk_list)
		walk_list(release_list, &list);
}

void lock_retire(const struct lock *lock, enum lock_rank rank)
{
	ended[rank].acquisitions += READ_ONCE(lock->acquisitions);
	ended[rank].waits += READ_ONCE(lock->waits);
}

/* What this thread holds already, it holds for the code that a signal interrupted. */
static void freeze_one(struct lock *lock, void *unused)
{
	(void)unused;
	if (lock_is_mine(lock))
		WRITE_ONCE(world_torn, true);
	else
		take_word(lock, LOCK_FROZEN);
}

static void thaw_one(struct lock *lock, void *unused)
{
	(void)unused;
	if (lock_is_mine(lock))
		return;
	if (__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) & LOCK_WAITERS)
		lock_wake(lock);
}

/* The threads that waited for a lock do not exist in the child, so nobody needs to be woken. */
static void reset_one(struct lock *lock, void *unused)
{
	(void)unused;
	if (!lock_is_mine(lock))
		WRITE_ONCE(lock->word, 0);
}

/* A handler that runs while some locks are frozen and others not could not fork. */
static void block_signals(sigset_t *mask)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, mask);
}

void lock_freeze_world(void)
{
	sigset_t mask;

	if (lock_world_is_mine()) {
		world_depth++;
		return;
	}
	block_signals(&mask);
	take_word(&world_lock, LOCK_FROZEN);
	WRITE_ONCE(world_torn, false);
	for (int rank = 0; rank < NR_LOCK_RANKS; rank++) {
		if (walkers[rank])
			walkers[rank](freeze_one, NULL);
	}
	WRITE_ONCE(world_owner, thread_identity());
	store_release(&lock_world_frozen, true);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static void thaw(lock_visit *visit)
{
	sigset_t mask;

	if (world_depth) {
		world_depth--;
		return;
	}
	block_signals(&mask);
	store_release(&lock_world_frozen, false);
	for (int rank = NR_LOCK_RANKS - 1; rank >= 0; rank--) {
		if (walkers[rank])
			walkers[rank](visit, NULL);
	}
	visit(&world_lock, NULL);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

void lock_thaw_world(void)
{
	thaw(thaw_one);
}

void lock_thaw_world_in_child(void)
{
	thaw(reset_one);
}

bool lock_world_is_torn(void)
{
	return READ_ONCE(world_torn);
}

#ifdef SLABUDDY_DEBUG
/* A count a rank: the fork path and the audit hold many locks of one rank at once. */
static _Thread_local unsigned int held[NR_LOCK_RANKS];

void lock_note_acquire(enum lock_rank rank)
{
	if (!lock_world_is_mine()) {
		for (int inner = (int)rank; inner < NR_LOCK_RANKS; inner++)
			ASSERT(!held[inner]);
	}
	held[rank]++;
}

void lock_note_try(enum lock_rank rank)
{
	held[rank]++;
}

void lock_note_release(enum lock_rank rank)
{
	ASSERT(held[rank]);
	held[rank]--;
}

bool lock_rank_held(enum lock_rank rank)
{
	return held[rank] > 0;
}
#endif
