/* SPDX-License-Identifier: MIT */
/*
 * Freeing after a grace period, by liburcu's call_rcu(). no_rcu.c takes this file's place where liburcu is
 * missing.
 *
 * Nothing of the block is kept but its struct rcu_head, both of whose words are liburcu's until the callback.
 * So the callback finds out by address where the block starts. The offset is only held against that.
 */
#include "api/rcu.h"

#include <pthread.h>
#include <urcu.h>

#include "base/check.h"
#include "base/lock.h"
#include "page/page.h"
#include "slab/rcu.h"
#include "slab/report.h"
#include "slab/slab.h"

/* A larger offset would be no member of a structure but a mistake. The kernel's bound too. */
#define MAX_OFFSET 4095

static long nr_pending; /* [atomic] blocks that wait for their readers; see forget_pending() */

static char *object_around(struct kmem_cache *cache, const void *addr)
{
	struct page *slab = slab_of(cache, addr);

	if (!slab)
		return NULL;
	return (char *)page_start(slab) + cache->first_offset +
	       (size_t)slab_object_number(cache, addr) * cache->size;
}

/*
 * The start of the block that @head lies in, if there is one. A block that is no object starts at a page, and
 * @head lies in its first one.
 */
static void *block_around(struct kmem_cache *cache, const void *head)
{
	return cache ? object_around(cache, head) : (void *)((uintptr_t)head & PAGE_MASK);
}

/* Reported while the culprit is on the stack, not by a thread that knows nothing of it. */
static bool is_block(void *block, const void *head)
{
	struct kmem_cache *cache = addr_to_cache(head);

	if (likely(block_around(cache, head) == block && (cache || ksize(block))))
		return true;
	if (cache)
		report_not_an_object(cache, block);
	else
		report_bad_free(block, "not the start of an allocated block");
	return false;
}

/*
 * What the program did with a block happens before it is freed, and that before the end of a barrier. liburcu
 * sees to it, but in ways that tools which know C's rules only do not; so the count is released and acquired.
 */
static void begin_pending(void)
{
	__atomic_fetch_add(&nr_pending, 1, __ATOMIC_RELEASE);
}

static void reach_pending(void)
{
	(void)load_acquire(&nr_pending);
}

static void end_pending(void)
{
	__atomic_fetch_sub(&nr_pending, 1, __ATOMIC_RELEASE);
}

static void wait_for_pending(void)
{
	rcu_barrier();
	reach_pending();
}

/*
 * In a child of fork() nobody frees them, unless the program has had liburcu take care of it; then the count falls
 * below zero, and whatever is freed in a cache that ends is waited for by whoever ends it.
 */
static void forget_pending(void)
{
	WRITE_ONCE(nr_pending, 0);
}

void rcu_finish_frees(void)
{
	if (unlikely(load_acquire(&nr_pending) > 0))
		wait_for_pending();
}

static void free_after_readers(struct rcu_head *head)
{
	reach_pending();
	kfree(block_around(addr_to_cache(head), head));
	end_pending();
}

/* In the place of a struct rcu_head in the block. */
struct note {
	struct rcu_head head;
	const void *block;
};

static void free_noted(struct rcu_head *head)
{
	struct note *note = (struct note *)head;

	reach_pending();
	kvfree(note->block);
	kfree(note);
	end_pending();
}

/* liburcu's thread for callbacks is started by the first who needs it, under a lock of liburcu's. */
static void start(void)
{
	get_default_call_rcu_data();
}

/*
 * Whoever gives liburcu a callback first makes it the end of a queue, then links it to what was the
 * end before. A child of fork() in between has a queue with a gap and nobody who closes it, so that
 * liburcu's thread waits there for ever. call_rcu_before_fork() holds liburcu's threads, but not those
 * who call call_rcu(). So each of ours is at a gate meanwhile, a lock, and fork() takes all of them.
 */
struct gate {
	struct lock lock;
} __attribute__((aligned(CACHE_LINE_BYTES)));

/* arbitrary: so many that a thread that lost its turn at one seldom makes another wait */
#define GATE_BITS 4
static struct gate gates[1 << GATE_BITS];

static void walk_gates(lock_visit *visit, void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(gates); i++)
		visit(&gates[i].lock, arg);
}

/* Threads lie any power of two apart; the golden ratio spreads those (Knuth, volume 3, 6.4). */
static struct lock *my_gate(void)
{
	return &gates[(uint64_t)thread_identity() * 0x9e3779b97f4a7c15u >> (64 - GATE_BITS)].lock;
}

/*
 * liburcu's thread has been started: who is at a gate must not wait for liburcu's lock, which fork()
 * may hold.
 */
static void give(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	struct lock *gate = my_gate();

	/* a signal handler; the code that it interrupted goes on before fork() does */
	if (unlikely(lock_is_mine(gate))) {
		call_rcu(head, fn);
		return;
	}
	lock_acquire(gate, LOCK_RCU);
	call_rcu(head, fn);
	lock_release(gate, LOCK_RCU);
}

static void give_block(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	start();
	begin_pending();
	give(head, fn);
}

exported bool slabuddy_has_rcu(void)
{
	return true;
}

exported void slabuddy_kvfree_call_rcu(void *head, size_t offset)
{
	void *block = (char *)head - offset;

	if (unlikely(offset > MAX_OFFSET))
		fatal("kfree_rcu(): a struct rcu_head at offset %zu, over %d", offset, MAX_OFFSET);
	if (ZERO_OR_NULL_PTR(block) || unlikely(!is_block(block, head)))
		return;
	give_block(head, free_after_readers);
}

exported void kvfree_rcu_mightsleep(const void *ptr)
{
	struct note *note;

	if (ZERO_OR_NULL_PTR(ptr))
		return;
	note = kmalloc(sizeof(*note), GFP_NOWAIT);
	if (likely(note)) {
		note->block = ptr;
		give_block(&note->head, free_noted);
	} else {
		synchronize_rcu();
		kvfree(ptr);
	}
}

exported void kvfree_rcu_barrier(void)
{
	wait_for_pending();
}

static void defer(void *head, void (*fn)(void *head))
{
	_Static_assert(sizeof(struct rcu_head) <= 2 * sizeof(void *), "a head is two words");
	/* a function of one pointer, whatever to */
	give(head, (void (*)(struct rcu_head *))(void (*)(void))fn);
}

static void barrier(void)
{
	rcu_barrier();
}

static __attribute__((constructor)) void rcu_boot(void)
{
	lock_set_walker(LOCK_RCU, walk_gates);
	slab_set_rcu_start(start);
	slab_set_rcu(defer, barrier);
	if (pthread_atfork(NULL, NULL, forget_pending))
		fatal("pthread_atfork failed: fork() would not be safe");
}
