/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU slots: the threads that run on one processor take turns in its slot, and their number makes
 * no difference. A thread is moved away or interrupted at any instruction, so each step is a restartable
 * sequence, whose last instruction is the one store that counts.
 *
 * That store changes slot_cache.state, or its count: whoever wants a main sheaf for himself, the slow path,
 * sets the state to zero, "empty and full at once", by such a sequence on the slot's own processor, and
 * from then on it is his under the slot's lock, wherever he runs, until he stores a new state. Whoever
 * wants the slot of another processor takes the slot out of percpu_slots[], which all sequences begin
 * with, and has those that are under way begin anew (os_rseq_fence()).
 */
#ifndef SLABUDDY_SLAB_PERCPU_H
#define SLABUDDY_SLAB_PERCPU_H

#include "os/rseq.h"
#include "slab/fast.h"

/* What the sequences begin with, by the index that rseq_place tells. NULL: no slot, or it is stopped. [atomic] */
extern hidden struct slot *percpu_slots[OS_MAX_CPUS];

/* Where the thread pointer leads to the index. [const once a thread uses per-CPU slots] */
extern hidden struct rseq_place percpu_rseq;

/*
 * The three sequences. A main sheaf is where a cache's group_place and sheaf_place lead.
 *
 * percpu_take(): an object, still marked, or NULL: there is none, or no sheaf.
 * percpu_put(): @object, which is marked, into the sheaf. Return: false when it is full, or not there.
 * percpu_close(): set the state to zero. Return: false when the thread does not run on @slot's processor.
 */
#define PERCPU_STR2(x) #x
#define PERCPU_STR(x) PERCPU_STR2(x)

/*
 * What both architectures have in common: a sequence runs from label 1 to label 2, and leads to label 5 when
 * it cannot do its work. If it is interrupted, the kernel has it go on at label 4, which leads back to label 0.
 * Nothing is pushed, called or stored before the last instruction, but for an object's address behind the end
 * of a sheaf, which nobody reads there. Label 3 is what the kernel must know of all this.
 */
#define PERCPU_END                                            \
	".pushsection __rseq_cs, \"aw\"\n\t"                  \
	".balign 32\n\t"                                      \
	"3: .long 0, 0\n\t"                                   \
	".quad 1b, 2b - 1b, 4f\n\t"                           \
	".popsection\n\t"                                     \
	".pushsection __rseq_failure, \"ax\"\n\t"             \
	PERCPU_TRAP PERCPU_STR(RSEQ_SIGNATURE) "\n\t"         \
	"4: " PERCPU_JUMP "0b\n\t"                            \
	".popsection"

/* The operands that lead to a sheaf. */
#define PERCPU_WAY \
	[slots] "r"(percpu_slots), [group] "r"(group_place), [sheaf] "r"(sheaf_place)

_Static_assert(offsetof(struct slot_cache, count) == 0 &&
		       offsetof(struct slot_cache, capacity) == 4 &&
		       offsetof(struct slot_cache, objects) == 8,
	       "as the sequences have it");

#if defined(__x86_64__)
#include "slab/percpu_x86_64.h"
#elif defined(__aarch64__)
#include "slab/percpu_aarch64.h"
#else
#define PERCPU_MISSING
static inline void *percpu_take(size_t group_place, size_t sheaf_place)
{
	(void)group_place;
	(void)sheaf_place;
	return NULL;
}
static inline bool percpu_put(size_t group_place, size_t sheaf_place, void *object)
{
	(void)group_place;
	(void)sheaf_place;
	(void)object;
	return false;
}
static inline bool percpu_close(const struct slot *slot, struct slot_cache *sc, uint64_t *state)
{
	(void)slot;
	(void)sc;
	(void)state;
	return false;
}
#endif

#undef PERCPU_STR2
#undef PERCPU_STR
#undef PERCPU_TRAP
#undef PERCPU_JUMP
#undef PERCPU_BEGIN
#undef PERCPU_FIND
#undef PERCPU_END
#undef PERCPU_PLACE
#undef PERCPU_WAY

/* Whether the calling thread uses per-CPU slots. */
static always_inline bool percpu_is_mine(void)
{
	return this_slot == slot_percpu;
}

/* An object of @cache for such a thread. Return: NULL when the main sheaf has none. */
static always_inline void *percpu_pop(const struct kmem_cache *cache)
{
	void *object = percpu_take(cache->group_place, cache->sheaf_place);

	if (likely(object))
		object_unmark(object, cache->mark_word);
	return object;
}

/* An object of malloc's class @tag. */
static always_inline void *percpu_pop_class(size_t tag)
{
	void *object = percpu_take(offsetof(struct slot, self), tag * sizeof(struct slot_cache));

	if (likely(object))
		object_unmark(object, MARK_WORD);
	return object;
}

/*
 * Take back what lies in a slab of @cache. Return: false when the main sheaf is full or the pointer is not
 * what it should be.
 */
static always_inline bool percpu_push(const struct kmem_cache *cache, void *object)
{
	if (unlikely(!starts_object(cache, object) || object_is_marked(object, cache->mark_word)))
		return false;
	/* before it is in the sheaf: the next moment somebody else may have it */
	object_mark(object, cache->mark_word);
	if (likely(percpu_put(cache->group_place, cache->sheaf_place, object)))
		return true;
	object_unmark(object, cache->mark_word);
	return false;
}

/* Whether threads may use per-CPU slots here. The first call finds out. */
bool percpu_is_there(void);

/* The slot of the processor that the thread runs on, or was just now; NULL when there is no memory for it. */
struct slot *percpu_here(void);

/*
 * Between the two, no thread's fast path uses any per-CPU slot, so that each is like one without an owner;
 * slow paths go on under the slots' locks. LOCK_PERCPU is held, so fork() waits, but for one out of a signal
 * handler that came in between. A system call.
 *
 * Return: false when the kernel refuses; then nothing is stopped.
 */
bool percpu_stop(void);
void percpu_restart(void);
bool percpu_is_stopped(void);

/* Calls @visit for each per-CPU slot. */
void percpu_for_each(void (*visit)(struct slot *slot, void *arg), void *arg);

void percpu_walk_lock(lock_visit *visit, void *arg);

#endif
