/* SPDX-License-Identifier: MIT */
/*
 * A slot is what the kernel calls a CPU: the place where a thread allocates without a lock. There are two
 * kinds, and each thread uses one of them.
 *
 * Per-thread slots: a thread takes a slot from a stack at one of its first slow paths and gives it back,
 * contents and all, when its destructors begin. Nobody waits for its lock but the owner, fork() and the
 * audit; only the slot that threads without one share is contended. So it is a mark of "busy", and it
 * alone may be held across system calls.
 *
 * Per-CPU slots, see percpu.h: a processor's threads share its slot. The option percpu says who uses them.
 *
 * The fast path (fast.h, percpu.h) touches nothing but slot_cache; everything else in a slot is changed
 * under the slot's lock, and slot_cache too once it is closed: zero, so that each sheaf is empty and full
 * at once, and the fast path goes to the slow path. Zeroed memory is a valid slot.
 */
#ifndef SLABUDDY_SLAB_SLOT_H
#define SLABUDDY_SLAB_SLOT_H

#include "base/lock.h"
#include "buddy/page_sheaf.h"
#include "buddy/pcp.h"
#include "slab/age.h"
#include "slab/cache.h"

/* One cache's main sheaf as the fast path sees it: half a cache line. */
struct slot_cache {
	union {
		struct {
			uint32_t count;	   /* [owner; atomic] objects in the main sheaf */
			uint32_t capacity; /* [owner] */
		};
		uint64_t state; /* [owner; atomic] both; 0: closed */
	};
	void **objects;	     /* [owner] the main sheaf's array */
	uint32_t slab_mask;   /* [owner] the cache's; a named one's push reads them there */
	uint32_t reciprocal;  /* [owner] in 32 bits, which are enough for malloc's caches */
	uint32_t start_limit; /* [owner] */
};

struct slot_sheaves {
	struct sheaf *main;  /* [slot lock] */
	struct sheaf *spare; /* [slot lock] */
	uint32_t room;	     /* [slot lock] objects that the main sheaf may hold */
	bool refilled;	     /* [slot lock] from slabs, ever */
	/* [slot lock] what the capacity follows, see sheaf_policy.c */
	uint16_t events;  /* refills from slabs and flushes to them since it was looked at */
	uint16_t turns;	  /* changes from flushes to refills since then */
	uint16_t row;	  /* flushes since the last refill */
	uint16_t longest; /* row of late after which a refill came */
	uint16_t freed;	  /* objects freed since the last refill less those taken, in whole sheaves */
	uint16_t most;	  /* of those, of late */
	uint16_t swaps;	  /* full sheaves swapped for the spare since the capacity changed */
	uint16_t limit;	  /* capacity of a sheaf with room for more; 0: what it has room for */
	uint16_t usual;	  /* what it was before this row of frees; 0: as it is */
};

/* Events since the start, for reports. */
struct slot_events {
	unsigned long sheaf_refill; /* main sheaves filled from slabs */
	unsigned long sheaf_flush;  /* sheaves emptied into slabs */
	unsigned long barn_get;	    /* full sheaves fetched from a barn */
	unsigned long barn_put;	    /* and left there */
	unsigned long barn_remote;  /* of those fetched, the ones that another slot had left */
	unsigned long remote_free;  /* objects put back into slabs that another slot took from last */
};

/* A slot's part for one group of named caches. */
struct slot_group {
	struct slot_cache cache[CACHES_PER_GROUP];
	struct slot_sheaves sheaves[CACHES_PER_GROUP];
};

struct slot {
	struct slot_cache cache[NR_LOW_TAGS]; /* malloc's; from NR_CLASS_TAGS on always empty */
	struct slot_group *group[NR_GROUPS];  /* [owner, slot lock] named caches', made at first use */
	void *self;		 /* [const] where a per-CPU slot's group_place leads malloc's caches */
	struct lock lock;
	uint32_t cpu;		 /* [const; per-CPU] by which index sequences find it */
	bool percpu;		 /* [const] */
	bool in_use;		 /* [SLOTS] a thread owns it, or it is a processor's */
	uint8_t nid;		 /* [const] node it takes pages from */
	struct slot *next;	 /* [const once it is on the list] all slots */
	struct slot *next_free;	 /* [SLOTS] stack of slots that no thread owns */
	size_t sheaf_bytes;	 /* [slot lock] bytes of objects that all main sheaves can hold */
	size_t spare_bytes;	 /* [slot lock] bytes of objects that all spares hold */
	struct pcp pcp;		 /* [slot lock; pcp.runs: owner] */
	/* Large blocks that this slot handed out, less those that came back: only sums over all slots mean
	 * anything. Pages that went through pcp.runs are counted there. */
	unsigned long large_pages;  /* [slot lock; atomic] */
	unsigned long large_blocks; /* [owner; atomic] */
	struct page_sheaves *page_sheaves; /* [owner; atomic] made at the first use of the page API */
	struct slot_events events; /* [slot lock; atomic] */
	struct idle idle;	   /* see age.h */
	struct slot_sheaves sheaves[NR_CLASS_TAGS];
};

/*
 * The first thread of a process takes a slot at its eighth slow path, or at its third if one lies free;
 * the others do so too where nothing else bounds the number of slots, see slot.c. Before that it uses the
 * shared slot, so a thread that hardly allocates costs nothing; and what happens after its destructors,
 * when nobody would give a slot back, does not take one. So there are several slots that stand for
 * "none", and each slow path without a slot goes on to the next of them.
 */
#define NR_NONE 8

/* The calling thread's slot; one of those below while it has none. */
extern hidden thread_local_word struct slot *this_slot;

/* Never written, and their sheaves are closed: a thread with one of these takes the slow path. */
extern struct slot slot_none[NR_NONE + 3]; /* not yet; and three more: */
#define slot_gone   (slot_none + NR_NONE)     /* no more: the thread is in its last destructors */
#define slot_percpu (slot_none + NR_NONE + 1) /* the processor's, wherever it runs */
#define slot_alien  (slot_none + NR_NONE + 2) /* never: a thread that libc does not know, see os/thread.h */

/* What threads without a slot use, one at a time, under its lock. */
extern struct slot slot_shared;

/* Where a slot's pages come from. */
static inline struct zone *slot_zone(const struct slot *slot)
{
	return &node_data[slot->nid].zones[ZONE_NORMAL];
}

static inline bool slot_is_real(const struct slot *slot)
{
	return slot < slot_none || slot >= slot_none + ARRAY_SIZE(slot_none);
}

/* A slow path of a thread whose slot is @none, one of the above. Return: the slot that is its now, the
 * processor's perhaps; or the shared one. */
struct slot *slot_instead_of(struct slot *none);

/* The calling thread's slot, taken if it is time for one; or the shared one. */
static inline struct slot *slot_get(void)
{
	struct slot *slot = this_slot;

	return likely(slot_is_real(slot)) ? slot : slot_instead_of(slot);
}

/*
 * Mark the calling thread's slot as busy, so that fork() waits until slot_leave(): whatever is
 * half-done in between would be lost in the child. Return: the slot, or the shared one.
 */
static inline struct slot *slot_enter(void)
{
	struct slot *slot = slot_get();

	lock_acquire(&slot->lock, LOCK_SLOT);
	return slot;
}

static inline void slot_leave(struct slot *slot)
{
	lock_release(&slot->lock, LOCK_SLOT);
}

/* A new slot for a processor, which nobody knows yet. Return: NULL: no memory. */
struct slot *slot_new_percpu(uint32_t cpu);

/* Such a slot that turned out not to be needed becomes one for any thread. */
void slot_donate(struct slot *slot);

/*
 * Take the main sheaf out of the fast path's hands: it knows its size again, and is the caller's until
 * slot_open(). Under the slot's lock. Return: false when it is a processor's that the thread has left
 * meanwhile: then once more, with the slot it has now.
 */
bool slot_close(struct slot *slot, const struct kmem_cache *cache);

/* Give the fast path what is the main sheaf now, if there is one. */
void slot_open(struct slot *slot, const struct kmem_cache *cache);

/* Make the key whose destructor gives a thread's slot back. Once. */
void slot_boot(void);

/* In a new child process: the slots of threads that do not exist here become free. */
void slot_adopt_all(void);

/* What a slot has of a cache; NULL: a named one whose group it does not have. */
static inline struct slot_cache *slot_cache_of(struct slot *slot, const struct kmem_cache *cache)
{
	struct slot_group *group;

	if (cache->tag < NR_CLASS_TAGS)
		return &slot->cache[cache->tag];
	group = READ_ONCE(slot->group[cache->tag >> 8]);
	return group ? &group->cache[cache->tag & (CACHES_PER_GROUP - 1)] : NULL;
}

/* Where a named cache's fast path, and any cache's of a per-CPU slot, finds this. */
static inline void slot_set_places(struct kmem_cache *cache)
{
	unsigned int index = cache->tag & (CACHES_PER_GROUP - 1);

	if (cache->tag < NR_CLASS_TAGS) {
		cache->group_place = (uint32_t)offsetof(struct slot, self);
		cache->sheaf_place = (uint16_t)(cache->tag * sizeof(struct slot_cache));
		return;
	}
	cache->group_place = (uint32_t)(offsetof(struct slot, group) +
					(cache->tag >> 8) * sizeof(struct slot_group *));
	cache->sheaf_place = (uint16_t)(offsetof(struct slot_group, cache) +
					index * sizeof(struct slot_cache));
}

static inline struct slot_sheaves *slot_sheaves_of(struct slot *slot,
						   const struct kmem_cache *cache)
{
	struct slot_group *group;

	if (cache->tag < NR_CLASS_TAGS)
		return &slot->sheaves[cache->tag];
	group = READ_ONCE(slot->group[cache->tag >> 8]);
	return group ? &group->sheaves[cache->tag & (CACHES_PER_GROUP - 1)] : NULL;
}

/* Empty and forget the sheaves of a cache that this thread's slot, the shared one and the free ones
 * hold. */
void slot_forget_idle(struct kmem_cache *cache);

/* The same in all slots. No thread uses the cache any more, so their fast paths leave it alone. */
void slot_forget_cache(struct kmem_cache *cache);

/* Objects of a cache in the sheaves of all slots. Racy by nature: the owners push and pop meanwhile. A
 * slot that is busy right now is counted by its main sheaf only. */
unsigned long slot_count_objects(struct kmem_cache *cache);

/* Give the pages that a slot keeps back to their zone. Under its lock. */
void slot_drain_pages(struct slot *slot);

/* Give all that a slot holds back to slabs and zones. The caller owns the slot, or holds it. */
void slot_drain(struct slot *slot);

/* Drain the calling thread's slot and all free ones. */
void slot_drain_all(void);

/* Drain a slot that no thread owns. Return: false, and nothing has changed, when it is not such a one. */
bool slot_drain_free(struct slot *slot);

/* How many slots threads use now. Racy; at least 1. */
unsigned int slot_count_busy(void);

/* The newest slot. Slots never end, and new ones come before it, so that all older ones can be walked by
 * slot->next without a lock. */
struct slot *slot_first(void);

/* Calls @visit for each slot, under LOCK_SLOTS. */
void slot_for_each(void (*visit)(struct slot *slot, void *arg), void *arg);

void slot_walk_list(lock_visit *visit, void *arg);
void slot_walk_slots(lock_visit *visit, void *arg);

#endif
