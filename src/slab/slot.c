/* SPDX-License-Identifier: MIT */
#include "slab/slot.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "base/option.h"
#include "base/root.h"
#include "os/info.h"
#include "page/meta.h"
#include "slab/percpu.h"
#include "slab/slab.h"

struct slot slot_none[NR_NONE + 3];
struct slot slot_shared;

thread_local_word struct slot *this_slot = slot_none;

/*
 * Free slots keep their contents for the next thread, up to this many of them. Arbitrary: more
 * threads than that seldom start at once.
 */
#define MAX_WARM_FREE 16

static struct lock slots_lock;
static struct slot *all_slots;	 /* [slots_lock] */
static struct slot *free_slots;	 /* [slots_lock; atomic] */
static unsigned int nr_slots;	 /* [slots_lock; atomic] */
static unsigned int nr_percpu;	 /* [slots_lock; atomic] of them are processors' */
static unsigned int nr_free_slots; /* [slots_lock; atomic] */
static unsigned int nr_coming;	 /* [slots_lock] threads that are about to own one: see claim_own() */

ROOT_PLACE(all_slots);
ROOT_PLACE(nr_slots);

static uintptr_t first_thread; /* [const after slot_boot] the identity of the one that allocated first */

static pthread_key_t exit_key;
static bool exit_key_ready; /* [const after slot_boot] */

/*
 * A slot that lies free costs nothing, so a thread takes one at its third slow path already: at each one
 * before it waits for the slot that all such threads share. Not at its first ones, with which many a
 * thread is content.
 */
#define NR_NONE_IF_FREE 3

/* A slot that no thread owns. @nid: the node it takes pages from; NUMA_NO_NODE: any. */
static struct slot *take_free(int nid)
{
	struct slot **link;
	struct slot *slot;

	ASSERT_HELD(&slots_lock, LOCK_SLOTS);
	for (link = &free_slots; *link; link = &(*link)->next_free) {
		if (nid == NUMA_NO_NODE || (*link)->nid == nid)
			break;
	}
	slot = *link;
	if (slot) {
		WRITE_ONCE(*link, slot->next_free);
		SUB_ONCE(nr_free_slots, 1);
		slot->in_use = true;
	}
	return slot;
}

static struct slot *pop_free(void)
{
	struct slot *slot;

	lock_acquire(&slots_lock, LOCK_SLOTS);
	slot = take_free(NUMA_NO_NODE);
	lock_release(&slots_lock, LOCK_SLOTS);
	return slot;
}

/*
 * Pages in a slot's sheaves and lists that no use is made of, as far as nothing else counts them. They come off what a
 * zone keeps. Measured, with 17 slots of threads that sleep: 350 KiB in sheaves, 250 in lists.
 */
#define PAGES_IN_A_SLOT 160

static struct slot *slot_new(bool percpu, uint32_t cpu)
{
	struct slot *slot = meta_alloc(sizeof(*slot));
	unsigned int nodes = nr_nodes();

	if (!slot)
		return NULL;
	slot->self = slot;
	slot->percpu = percpu;
	slot->cpu = cpu;
	slot->in_use = true;
	/* where the thread runs now; it may be moved, but the kernel does not do so lightly */
	slot->nid = (uint8_t)node_here();
	lock_acquire(&slots_lock, LOCK_SLOTS);
	/* where nodes mean nothing, they take turns */
	if (!nodes_are_real())
		slot->nid = (uint8_t)(nr_slots % nodes);
	slot->pcp.owner = (uint8_t)(nr_slots % PCP_MAX_OWNER + 1);
	WRITE_ONCE(nr_slots, nr_slots + 1);
	ADD_ONCE(nr_percpu, percpu);
	if (!percpu)
		nr_coming--;
	ADD_ONCE(slot_zone(slot)->nr_kept, PAGES_IN_A_SLOT);
	slot->next = all_slots;
	all_slots = slot;
	lock_release(&slots_lock, LOCK_SLOTS);
	return slot;
}

struct slot *slot_new_percpu(uint32_t cpu)
{
	return slot_new(true, cpu);
}

/*
 * With percpu=auto, threads beyond so many for each processor use the processors' slots: their memory would
 * grow with their number, and no more than one for each runs at once.
 */
#define THREADS_PER_CPU 8

static unsigned int max_own_slots(void)
{
	static unsigned int cached;
	unsigned int max = READ_ONCE(cached);

	/* racy: whoever comes first writes the same value */
	if (unlikely(!max)) {
		max = THREADS_PER_CPU * os_nr_cpus();
		WRITE_ONCE(cached, max);
	}
	return max;
}

/*
 * Whether a thread may own a slot beside fewer than @max others. Then @slot is one that was free; or NULL, and the
 * thread counts as one that has a slot until it has made one or gives up, so that of threads that begin at once no
 * more than @max do.
 */
static bool claim_own(unsigned int max, int nid, struct slot **slot)
{
	bool may;

	lock_acquire(&slots_lock, LOCK_SLOTS);
	may = nr_slots - nr_percpu - nr_free_slots + nr_coming < max;
	*slot = may ? take_free(nid) : NULL;
	nr_coming += may && !*slot;
	lock_release(&slots_lock, LOCK_SLOTS);
	return may;
}

/* The claim ends: there is no memory for a slot. Return: one that lies free on another node, or NULL. */
static struct slot *give_up(void)
{
	struct slot *slot;

	lock_acquire(&slots_lock, LOCK_SLOTS);
	nr_coming--;
	slot = take_free(NUMA_NO_NODE);
	lock_release(&slots_lock, LOCK_SLOTS);
	return slot;
}

/* claim_own() by what the options say. Return: false: the thread is to use its processor's. */
static bool shall_own(int nid, struct slot **slot)
{
	const unsigned long kind = READ_ONCE(options.percpu);
	const unsigned int max = kind == PERCPU_AUTO ? max_own_slots() : UINT_MAX;

	if (kind != PERCPU_ON && claim_own(max, nid, slot))
		return true;
	return !percpu_is_there() && claim_own(UINT_MAX, nid, slot);
}

unsigned int slot_count_busy(void)
{
	unsigned int nr = READ_ONCE(nr_slots), nr_free = READ_ONCE(nr_free_slots);

	return nr > nr_free ? nr - nr_free : 1;
}

static struct slot *slot_acquire(void)
{
	int nid = nodes_are_real() ? (int)node_here() : NUMA_NO_NODE;
	struct slot *slot;

	if (!shall_own(nid, &slot)) {
		this_slot = slot_percpu;
		return percpu_here();
	}
	if (!slot)
		slot = slot_new(false, 0);
	if (!slot)
		slot = give_up();
	if (slot)
		this_slot = slot;
	return slot;
}

/* Have thread_exit() called. Before a slot is taken, so that none is taken after it. */
static bool watch_exit(void)
{
	/* any value but NULL; this may allocate, and by then counts as the second slow path */
	return exit_key_ready && !pthread_setspecific(exit_key, slot_gone);
}

/*
 * Whether a thread takes a slot at its first slow path. Where processors' slots bound how many there can be,
 * all do but the process' first: two that took small objects out of the shared slot would write to the
 * same cache lines from then on (cache-thrash in bench/workloads: 4 times slower). One whose first slow
 * path comes in the last round of its destructors loses it; then it counts as one in use for ever.
 */
static bool wants_slot_at_once(void)
{
	return thread_identity() != first_thread && READ_ONCE(options.percpu) != PERCPU_OFF &&
	       percpu_is_there();
}

/* The next step towards a slot. Return: it, or NULL: not yet. */
static struct slot *slot_next(struct slot *none)
{
	bool now = none + 1 == slot_none + NR_NONE;

	/* a thread that only ever uses processors' slots leaves nothing behind */
	if (none == slot_none && READ_ONCE(options.percpu) == PERCPU_ON && percpu_is_there())
		return slot_acquire();
	if (none == slot_none) {
		/* what this allocates goes the long way */
		this_slot = none + 1;
		if (!watch_exit()) {
			this_slot = slot_none;
			return NULL;
		}
		if (slot_is_real(this_slot))
			return this_slot; /* and has come so far */
		now = wants_slot_at_once();
	}
	/* racy peek: whoever comes too late gets a new one a little earlier than he would have */
	if (now || (none + 1 == slot_none + NR_NONE_IF_FREE && READ_ONCE(free_slots)))
		return slot_acquire();
	this_slot = none + 1;
	return NULL;
}

noinline struct slot *slot_instead_of(struct slot *none)
{
	struct slot *slot = NULL;

	if (none == slot_percpu)
		slot = percpu_here();
	else if (none < slot_none + NR_NONE)
		slot = slot_next(none);
	return slot ? slot : &slot_shared;
}

/* Nobody may want this slot for long: what its zone lent it helps others. */
static void settle(struct slot *slot)
{
	lock_acquire(&slot->lock, LOCK_SLOT);
	run_sheaf_settle(&slot->pcp.runs, slot_zone(slot));
	lock_release(&slot->lock, LOCK_SLOT);
}

static void push_free(struct slot *slot)
{
	ASSERT_HELD(&slots_lock, LOCK_SLOTS);
	slot->in_use = false;
	slot->next_free = free_slots;
	WRITE_ONCE(free_slots, slot);
	ADD_ONCE(nr_free_slots, 1);
}

static void slot_give_back(struct slot *slot)
{
	/* racy peek: a few more or less than that many do not matter */
	if (READ_ONCE(nr_free_slots) < MAX_WARM_FREE)
		settle(slot);
	else
		slot_drain(slot);

	lock_acquire(&slots_lock, LOCK_SLOTS);
	push_free(slot);
	lock_release(&slots_lock, LOCK_SLOTS);
}

/*
 * Runs when a thread ends, in any round of its destructors: which one it is, nobody can tell. What
 * other destructors still allocate and free goes through the shared slot.
 */
static void thread_exit(void *unused)
{
	struct slot *slot = this_slot;

	(void)unused;
	if (slot == slot_percpu)
		return;
	this_slot = slot_gone;
	if (slot_is_real(slot))
		slot_give_back(slot);
}

void slot_donate(struct slot *slot)
{
	/* nobody has used it: nothing in it has to be given back, and at no moment does it count as a thread's */
	lock_acquire(&slots_lock, LOCK_SLOTS);
	slot->percpu = false;
	SUB_ONCE(nr_percpu, 1);
	push_free(slot);
	lock_release(&slots_lock, LOCK_SLOTS);
}

void slot_boot(void)
{
	first_thread = thread_identity();
	lock_acquire(&slots_lock, LOCK_SLOTS);
	slot_shared.in_use = true;
	slot_shared.pcp.runs.borrows_not = true;
	slot_shared.next = all_slots;
	all_slots = &slot_shared;
	lock_release(&slots_lock, LOCK_SLOTS);
	if (pthread_key_create(&exit_key, thread_exit))
		warn("no key for thread exit left: threads go without a slot");
	else
		exit_key_ready = true;
}

void slot_adopt_all(void)
{
	struct slot *own = this_slot;

	lock_acquire(&slots_lock, LOCK_SLOTS);
	nr_coming = 0;
	for (struct slot *slot = all_slots; slot; slot = slot->next) {
		/* fork() waited for the shared one */
		if (!slot->in_use || slot->percpu || slot == own || slot == &slot_shared)
			continue;
		run_sheaf_recount(&slot->pcp.runs);
		push_free(slot);
	}
	lock_release(&slots_lock, LOCK_SLOTS);
}

/* The same without a sequence: nobody's fast path uses it now, or the caller's own. */
static void close_quiet(struct slot *slot, const struct kmem_cache *cache)
{
	struct slot_cache *sc = slot_cache_of(slot, cache);

	slot_sheaves_of(slot, cache)->main->size = sc->count;
	WRITE_ONCE(sc->state, 0);
}

bool slot_close(struct slot *slot, const struct kmem_cache *cache)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	uint64_t state;

	ASSERT_HELD(&slot->lock, LOCK_SLOT);
	if (!sheaves || !sheaves->main)
		return true;
	if (likely(!slot->percpu)) {
		close_quiet(slot, cache);
		return true;
	}
	if (!percpu_close(slot, slot_cache_of(slot, cache), &state))
		return false;
	sheaves->main->size = (uint32_t)state;
	return true;
}

void slot_open(struct slot *slot, const struct kmem_cache *cache)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	struct slot_cache *sc = slot_cache_of(slot, cache);
	struct slot_cache open;

	if (!sheaves || !sheaves->main)
		return;
	sc->objects = sheaves->main->objects;
	sc->slab_mask = cache->slab_mask;
	sc->reciprocal = cache->reciprocal_32;
	sc->start_limit = cache->start_limit_32;
	open.count = sheaves->main->size;
	open.capacity = sheaves->room;
	/* last: from here on it is the fast path's, on any processor */
	store_release(&sc->state, open.state);
}

static void drain_sheaf(struct slot *slot, struct kmem_cache *cache, struct sheaf *sheaf)
{
	size_t remote = slab_flush(cache, sheaf->objects, sheaf->size, &slot->pcp, slot->nid);

	ADD_ONCE(slot->events.remote_free, remote);
	ADD_ONCE(slot->events.sheaf_flush, sheaf->size > 0);
	sheaf->size = 0;
}

/* Empty both sheaves of one cache and forget them, so that the next use starts small. */
static void drain_cache(struct slot *slot, struct kmem_cache *cache)
{
	struct slot_sheaves *sheaves = slot_sheaves_of(slot, cache);
	struct sheaf *spare;

	if (!sheaves || !sheaves->main)
		return;
	close_quiet(slot, cache);
	slot->sheaf_bytes -= (size_t)sheaves->room * cache->size;
	drain_sheaf(slot, cache, sheaves->main);
	sheaf_free(sheaves->main);
	WRITE_ONCE(sheaves->main, NULL);
	spare = sheaves->spare;
	memset(&sheaves->spare, 0, sizeof(*sheaves) - offsetof(struct slot_sheaves, spare));
	if (spare) {
		slot->spare_bytes -= (size_t)spare->size * cache->size;
		drain_sheaf(slot, cache, spare);
		sheaf_free(spare);
	}
}

/* Undo pop_free() for a list of slots. */
static void give_back_all(struct slot *list)
{
	while (list) {
		struct slot *slot = list;

		list = slot->next_free;
		slot_give_back(slot);
	}
}

static void forget(struct slot *slot, void *cache)
{
	lock_acquire(&slot->lock, LOCK_SLOT);
	drain_cache(slot, cache);
	lock_release(&slot->lock, LOCK_SLOT);
}

/* Each processor's, while no fast path uses it. */
static void with_percpu_stopped(void (*visit)(struct slot *slot, void *arg), void *arg)
{
	if (!percpu_stop())
		return;
	percpu_for_each(visit, arg);
	percpu_restart();
}

void slot_forget_idle(struct kmem_cache *cache)
{
	struct slot *slot = this_slot;
	struct slot *done = NULL;

	if (slot_is_real(slot))
		forget(slot, cache);
	forget(&slot_shared, cache);
	with_percpu_stopped(forget, cache);
	while ((slot = pop_free())) {
		forget(slot, cache);
		slot->next_free = done;
		done = slot;
	}
	give_back_all(done);
}

struct slot *slot_first(void)
{
	struct slot *slot;

	lock_acquire(&slots_lock, LOCK_SLOTS);
	slot = all_slots;
	lock_release(&slots_lock, LOCK_SLOTS);
	return slot;
}

void slot_forget_cache(struct kmem_cache *cache)
{
	for (struct slot *slot = slot_first(); slot; slot = slot->next)
		forget(slot, cache);
}

static unsigned long spare_objects(struct slot *slot, struct kmem_cache *cache)
{
	struct sheaf *spare;
	unsigned long nr;

	if (!lock_try(&slot->lock, LOCK_SLOT))
		return 0;
	spare = slot_sheaves_of(slot, cache)->spare;
	nr = spare ? spare->size : 0;
	lock_release(&slot->lock, LOCK_SLOT);
	return nr;
}

unsigned long slot_count_objects(struct kmem_cache *cache)
{
	unsigned long nr = 0;

	for (struct slot *slot = slot_first(); slot; slot = slot->next) {
		struct slot_cache *sc = slot_cache_of(slot, cache);

		if (!sc || !READ_ONCE(slot_sheaves_of(slot, cache)->main))
			continue;
		nr += READ_ONCE(sc->count);
		nr += spare_objects(slot, cache);
	}
	return nr;
}

static void drain_group(struct slot *slot, unsigned int number)
{
	for (unsigned int i = 0; i < CACHES_PER_GROUP; i++) {
		if (slot->group[number]->sheaves[i].main)
			drain_cache(slot, tag_to_cache(number << 8 | (NR_CLASS_TAGS + i)));
	}
}

void slot_drain_pages(struct slot *slot)
{
	struct zone *zone = slot_zone(slot);

	ASSERT_HELD(&slot->lock, LOCK_SLOT);
	page_sheaves_drain(slot->page_sheaves, zone);
	pcp_drain(&slot->pcp, zone);
}

void slot_drain(struct slot *slot)
{
	lock_acquire(&slot->lock, LOCK_SLOT);
	for (unsigned int tag = TAG_FIRST_CACHE; tag < NR_CLASS_TAGS; tag++) {
		if (slot->sheaves[tag].main)
			drain_cache(slot, tag_to_cache(tag));
	}
	for (unsigned int group = 0; group < NR_GROUPS; group++) {
		if (slot->group[group])
			drain_group(slot, group);
	}
	slot_drain_pages(slot);
	lock_release(&slot->lock, LOCK_SLOT);
}

static void drain_visited(struct slot *slot, void *unused)
{
	(void)unused;
	slot_drain(slot);
}

void slot_drain_all(void)
{
	struct slot *slot = this_slot;
	struct slot *drained = NULL;

	if (slot_is_real(slot))
		slot_drain(slot);
	slot_drain(&slot_shared);
	with_percpu_stopped(drain_visited, NULL);
	while ((slot = pop_free())) {
		slot_drain(slot);
		slot->next_free = drained;
		drained = slot;
	}
	give_back_all(drained);
}

/* Whether @slot was among the free ones; then it is the caller's. */
static bool take_this_free(struct slot *slot)
{
	struct slot **link = &free_slots;
	bool found;

	lock_acquire(&slots_lock, LOCK_SLOTS);
	while (*link && *link != slot)
		link = &(*link)->next_free;
	found = *link;
	if (found) {
		WRITE_ONCE(*link, slot->next_free);
		SUB_ONCE(nr_free_slots, 1);
		slot->in_use = true;
	}
	lock_release(&slots_lock, LOCK_SLOTS);
	return found;
}

/* An empty one lies below those that are still warm. */
static void put_last_free(struct slot *slot)
{
	struct slot **link = &free_slots;

	lock_acquire(&slots_lock, LOCK_SLOTS);
	while (*link)
		link = &(*link)->next_free;
	slot->in_use = false;
	slot->next_free = NULL;
	WRITE_ONCE(*link, slot);
	ADD_ONCE(nr_free_slots, 1);
	lock_release(&slots_lock, LOCK_SLOTS);
}

bool slot_drain_free(struct slot *slot)
{
	if (!take_this_free(slot))
		return false;
	slot_drain(slot);
	put_last_free(slot);
	return true;
}

void slot_for_each(void (*visit)(struct slot *slot, void *arg), void *arg)
{
	lock_acquire(&slots_lock, LOCK_SLOTS);
	for (struct slot *slot = all_slots; slot; slot = slot->next)
		visit(slot, arg);
	lock_release(&slots_lock, LOCK_SLOTS);
}

void slot_walk_list(lock_visit *visit, void *arg)
{
	visit(&slots_lock, arg);
}

/* Runs with slots_lock held (fork takes the ranks in order), so the list stands still. */
void slot_walk_slots(lock_visit *visit, void *arg)
{
	for (struct slot *slot = all_slots; slot; slot = slot->next)
		visit(&slot->lock, arg);
}
