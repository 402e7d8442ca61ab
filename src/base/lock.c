/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

/* arbitrary: about a microsecond, the length of the longest section under a lock */
#define SPIN_ROUNDS 100

bool lock_world_frozen;
static pthread_t world_owner; /* [atomic] who froze the world */
static lock_walker walkers[NR_LOCK_RANKS];

static inline void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb");
#endif
}

static void futex(uint32_t *word, int op, uint32_t value)
{
	int saved_errno = errno;

	syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
	errno = saved_errno;
}

/* racy peek; only the thread that froze the world can see its own identity here */
cold bool lock_world_is_mine(void)
{
	return load_acquire(&lock_world_frozen) && READ_ONCE(world_owner) == pthread_self();
}

/* The second half of lock_acquire() for a lock whose word was not zero. */
cold void lock_acquire_slow(struct lock *lock)
{
	if (lock_world_is_mine())
		return;
	for (int i = 0; i < SPIN_ROUNDS; i++) {
		uint32_t free_word = 0;

		if (!READ_ONCE(lock->word) &&
		    __atomic_compare_exchange_n(&lock->word, &free_word, 1, false,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return;
		cpu_relax();
	}
	while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0)
		futex(&lock->word, FUTEX_WAIT, 2);
}

cold void lock_wake(struct lock *lock)
{
	futex(&lock->word, FUTEX_WAKE, 1);
}

void lock_set_walker(enum lock_rank rank, lock_walker walker)
{
	walkers[rank] = walker;
}

static void freeze_one(struct lock *lock)
{
	uint32_t free_word = 0;

	if (!__atomic_compare_exchange_n(&lock->word, &free_word, 1, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		lock_acquire_slow(lock);
}

static void thaw_one(struct lock *lock)
{
	if (__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2)
		lock_wake(lock);
}

static void reset_one(struct lock *lock)
{
	WRITE_ONCE(lock->word, 0);
}

void lock_freeze_world(void)
{
	for (int rank = 0; rank < NR_LOCK_RANKS; rank++) {
		if (walkers[rank])
			walkers[rank](freeze_one);
	}
	WRITE_ONCE(world_owner, pthread_self());
	store_release(&lock_world_frozen, true);
}

void lock_thaw_world(void)
{
	store_release(&lock_world_frozen, false);
	for (int rank = NR_LOCK_RANKS - 1; rank >= 0; rank--) {
		if (walkers[rank])
			walkers[rank](thaw_one);
	}
}

/* The threads that waited for a lock do not exist here, so nobody needs to be woken. */
void lock_thaw_world_in_child(void)
{
	store_release(&lock_world_frozen, false);
	for (int rank = NR_LOCK_RANKS - 1; rank >= 0; rank--) {
		if (walkers[rank])
			walkers[rank](reset_one);
	}
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
