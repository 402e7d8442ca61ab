/* SPDX-License-Identifier: MIT */
/*
 * Locks with ranks.
 *
 * A lock is one word that is valid when zero: it spins briefly, then sleeps on a futex. Ranks
 * order the locks, outermost first: a thread may only take a lock whose rank is greater than
 * every rank it holds. Debug builds check that on every acquisition. No lock is held across a
 * system call that maps, protects or releases memory.
 *
 * Each lock counts how often it was taken, and how often that was not at once. Its holder counts, in
 * the line that holds the word, which he has just written.
 *
 * fork() takes every lock in rank order. So each rank has a walker, which knows all its locks
 * (lock_set_walker()); the enum below is the order in which the walkers run.
 */
#ifndef SLABUDDY_BASE_LOCK_H
#define SLABUDDY_BASE_LOCK_H

#include "base/check.h"
#include "base/compiler.h"

enum lock_rank {
	LOCK_INIT,     /* one-time set-up of the heap */
	LOCK_KSWAPD,   /* the work of the thread that gives back, across system calls too */
	LOCK_SHRINKERS, /* list of shrinkers */
	LOCK_KMALLOC,  /* making of kmalloc's caches for special memory, across system calls too */
	LOCK_MEMPOOLS, /* list of mempools */
	LOCK_MEMPOOL,  /* one mempool's reserve */
	LOCK_LIFETIME, /* ends of caches; like a slot's it may be held across system calls */
	LOCK_CACHES,   /* list of caches */
	LOCK_PERCPU,   /* table of per-CPU slots; across system calls too, while they are stopped */
	LOCK_SLOTS,    /* list of slots, stack of free slots */
	LOCK_SLOT,     /* one slot's slow paths */
	LOCK_BARN,     /* one barn */
	LOCK_NODE,     /* one cache's slabs on one node: list_lock */
	LOCK_ZONE,     /* one zone's free areas */
	LOCK_SECTIONS, /* list of sections */
	LOCK_HUGE,     /* registry of blocks that are mappings of their own */
	LOCK_META,     /* memory for metadata */
	LOCK_RCU,      /* giving a callback to liburcu */
	LOCK_OPTIONS,  /* option values */
	NR_LOCK_RANKS,
};

/*
 * A lock says who holds it in the very word that it is taken by, so that a signal handler at any
 * point finds out whether the code it interrupted holds it.
 */
struct lock {
	/* [atomic] 0: free; else the holder's identity, or LOCK_FROZEN; LOCK_WAITERS in it: somebody
	 * may be asleep */
	uint64_t word;
	uint32_t nested; /* [frozen world's owner] acquisitions that went through, see below */
	uint32_t waits;	 /* [holder; atomic] acquisitions that found another holder */
	unsigned long acquisitions; /* [holder; atomic] */
};

#define LOCK_WAITERS 1u
#define LOCK_FROZEN  2u

void lock_acquire_slow(struct lock *lock);
void lock_wake(struct lock *lock);
bool lock_world_is_mine(void);

/* A number that tells the calling thread from all others: its thread pointer. */
static always_inline uintptr_t thread_identity(void)
{
	uintptr_t id;

#if defined(__x86_64__)
	__asm__("mov %%fs:0, %0" : "=r"(id));
#else
	id = (uintptr_t)__builtin_thread_pointer();
#endif
	return id;
}

/* Whether this thread holds @lock; another thread's answer about itself never concerns it. */
static inline bool lock_is_mine(const struct lock *lock)
{
	return (READ_ONCE(lock->word) & ~(uint64_t)LOCK_WAITERS) == thread_identity();
}

#ifdef SLABUDDY_DEBUG
void lock_note_acquire(enum lock_rank rank);
void lock_note_try(enum lock_rank rank);
void lock_note_release(enum lock_rank rank);
bool lock_rank_held(enum lock_rank rank);
#define ASSERT_HELD(lock, rank) ASSERT(READ_ONCE((lock)->word) && lock_rank_held(rank))
#else
static inline void lock_note_acquire(enum lock_rank rank)
{
	(void)rank;
}
static inline void lock_note_try(enum lock_rank rank)
{
	(void)rank;
}
static inline void lock_note_release(enum lock_rank rank)
{
	(void)rank;
}
#define ASSERT_HELD(lock, rank) ((void)(lock), (void)(rank))
#endif

/* Set while fork() holds every lock; only the forking thread gets past a lock then. */
extern hidden bool lock_world_frozen;

static inline bool lock_take_free(struct lock *lock, uint64_t holder)
{
	uint64_t free_word = 0;

	return __atomic_compare_exchange_n(&lock->word, &free_word, holder, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline void lock_acquire(struct lock *lock, enum lock_rank rank)
{
	lock_note_acquire(rank);
	if (unlikely(!lock_take_free(lock, thread_identity())))
		lock_acquire_slow(lock);
	ADD_ONCE(lock->acquisitions, 1);
}

bool lock_try_slow(struct lock *lock);

static inline bool lock_try(struct lock *lock, enum lock_rank rank)
{
	if (!lock_take_free(lock, thread_identity()) && !lock_try_slow(lock))
		return false;
	/* who does not wait need not keep the order */
	lock_note_try(rank);
	ADD_ONCE(lock->acquisitions, 1);
	return true;
}

static inline void lock_release(struct lock *lock, enum lock_rank rank)
{
	lock_note_release(rank);
	/* racy peek; only the forking thread itself can find it true while it holds a lock */
	if (unlikely(READ_ONCE(lock_world_frozen)) && lock_world_is_mine() && lock->nested) {
		lock->nested--;
		return;
	}
	if (unlikely(__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) & LOCK_WAITERS))
		lock_wake(lock);
}

/* Calls @visit for every lock of one rank. */
typedef void(lock_visit)(struct lock *lock, void *arg);
typedef void (*lock_walker)(lock_visit *visit, void *arg);

/**
 * lock_set_walker() - say how to find all locks of one rank.
 * @rank: the rank.
 * @walker: calls its argument once for each lock; runs with all outer ranks held.
 *
 * Context: once a rank, while the process sets up the heap.
 */
void lock_set_walker(enum lock_rank rank, lock_walker walker);

/* "slot", "zone" and so on. */
extern const char *const lock_rank_names[NR_LOCK_RANKS];

/* Of all locks of a rank since the start, those that have ended included. */
struct lock_count {
	unsigned long acquisitions;
	unsigned long waits;
};

/**
 * lock_count_rank() - how often the locks of a rank were taken, and waited for.
 * @count: gets it. Racy: what others take meanwhile is counted or not.
 *
 * Context: no lock is held; takes the one that keeps the list of the rank's locks.
 */
void lock_count_rank(enum lock_rank rank, struct lock_count *count);

/* A lock ends, and what it has counted stays. Under the lock that keeps the list of its rank. */
void lock_retire(const struct lock *lock, enum lock_rank rank);

/*
 * The three moments of fork(). Between lock_freeze_world() and lock_thaw_world() the calling
 * thread owns every lock: its own acquisitions succeed at once, so that other libraries' fork
 * handlers may allocate, and everybody else waits. Freezing a frozen world again is counted.
 *
 * A signal handler may fork while the code that it interrupted holds a lock. That lock is left as it
 * is, frozen or thawed; the world is "torn" then, and what the lock guards may be half-done.
 */
void lock_freeze_world(void);
void lock_thaw_world(void);
void lock_thaw_world_in_child(void);
bool lock_world_is_torn(void);

#endif
