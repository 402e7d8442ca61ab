/* SPDX-License-Identifier: MIT */
#include "slab/slot.h"

#include <pthread.h>

#include "page/meta.h"
#include "slab/slab.h"

/* Never written: all their sheaves are empty and full at once, as zero says. */
struct slot slot_none[NR_NONE];
struct slot slot_gone;

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
static unsigned int nr_slots;	 /* [slots_lock] */
static unsigned int nr_free_slots; /* [slots_lock; atomic] */

static pthread_key_t exit_key;
static bool exit_key_ready; /* [const after slot_boot] */

/*
 * A slot that lies free costs nothing, so a thread takes one at its third slow path already: at each one
 * before it waits for the slot that all such threads share. Not at its first ones, with which many a
 * thread is content.
 */
#define NR_NONE_IF_FREE 3

/* A slot that no thread owns. @nid: the node it takes pages from; NUMA_NO_NODE: any. */
static struct slot *pop_free(int nid)
{
	struct slot **link;
	struct slot *slot;

	lock_acquire(&slots_lock, LOCK_SLOTS);
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
	lock_release(&slots_lock, LOCK_SLOTS);
	return slot;
}

/* @nid: its node; NUMA_NO_NODE: nodes mean nothing, they take turns. */
static struct slot *slot_new(int nid)
{
	struct slot *slot = meta_alloc(sizeof(*slot));
	unsigned int nodes = nr_nodes();

	if (!slot)
		return NULL;
	lock_acquire(&slots_lock, LOCK_SLOTS);
	slot->in_use = true;
	slot->nid = (uint8_t)(nid == NUMA_NO_NODE ? nr_slots % nodes : (unsigned int)nid);
	slot->pcp.owner = (uint8_t)(nr_slots % PCP_MAX_OWNER + 1);
	nr_slots++;
	slot->next = all_slots;
	all_slots = slot;
	lock_release(&slots_lock, LOCK_SLOTS);
	return slot;
}

static struct slot *slot_acquire(void)
{
	/* where the thread runs now; it may be moved, but the kernel does not do so lightly */
	int nid = nodes_are_real() ? (int)node_here() : NUMA_NO_NODE;
	struct slot *slot = pop_free(nid);

	if (!slot)
		slot = slot_new(nid);
	if (!slot)
		slot = pop_free(NUMA_NO_NODE);
	if (slot)
		this_slot = slot;
	return slot;
}

/* Have thread_exit() called. Before a slot is taken, so that none is taken after it. */
static bool watch_exit(void)
{
	/* any value but NULL; this may allocate, and by then counts as the second slow path */
	return exit_key_ready && !pthread_setspecific(exit_key, &slot_gone);
}

noinline struct slot *slot_next_none(struct slot *none)
{
	/* racy peek: whoever comes too late gets a new one a little earlier than he would have */
	bool early = none + 1 == slot_none + NR_NONE_IF_FREE && READ_ONCE(free_slots);

	if (early || none + 1 == slot_none + NR_NONE)
		return slot_acquire();
	this_slot = none + 1;
	if (none == slot_none && !watch_exit())
		this_slot = slot_none;
	return NULL;
}

/* Nobody may want this slot for long: what its zone lent it helps others. */
static void settle(struct slot *slot)
{
	lock_acquire(&slot->lock, LOCK_SLOT);
	run_sheaf_settle(&slot->pcp.runs, slot_zone(slot));
	lock_release(&slot->lock, LOCK_SLOT);
}

static void slot_give_back(struct slot *slot)
{
	/* racy peek: a few more or less than that many do not matter */
	if (READ_ONCE(nr_free_slots) < MAX_WARM_FREE)
		settle(slot);
	else
		slot_drain(slot);

	lock_acquire(&slots_lock, LOCK_SLOTS);
	slot->in_use = false;
	slot->next_free = free_slots;
	WRITE_ONCE(free_slots, slot);
	ADD_ONCE(nr_free_slots, 1);
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
	this_slot = &slot_gone;
	if (slot_is_real(slot))
		slot_give_back(slot);
}

void slot_boot(void)
{
	lock_acquire(&slots_lock, LOCK_SLOTS);
	slot_shared.in_use = true;
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
	for (struct slot *slot = all_slots; slot; slot = slot->next) {
		/* fork() waited for the shared one */
		if (!slot->in_use || slot == own || slot == &slot_shared)
			continue;
		run_sheaf_recount(&slot->pcp.runs);
		slot->in_use = false;
		slot->next_free = free_slots;
		WRITE_ONCE(free_slots, slot);
		ADD_ONCE(nr_free_slots, 1);
	}
	lock_release(&slots_lock, LOCK_SLOTS);
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
	struct slot_cache *sc = slot_cache_of(slot, cache);

	if (!sheaves || !sheaves->main)
		return;
	sheaves->main->size = sc->count;
	slot->sheaf_bytes -= (size_t)sc->capacity * cache->size;
	WRITE_ONCE(sc->count, 0);
	sc->capacity = 0;
	sc->objects = NULL;
	drain_sheaf(slot, cache, sheaves->main);
	sheaf_free(sheaves->main);
	WRITE_ONCE(sheaves->main, NULL);
	sheaves->events = 0;
	sheaves->swaps = 0;
	sheaves->limit = 0;
	if (sheaves->spare) {
		drain_sheaf(slot, cache, sheaves->spare);
		sheaf_free(sheaves->spare);
		sheaves->spare = NULL;
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

static void forget(struct slot *slot, struct kmem_cache *cache)
{
	lock_acquire(&slot->lock, LOCK_SLOT);
	drain_cache(slot, cache);
	lock_release(&slot->lock, LOCK_SLOT);
}

void slot_forget_idle(struct kmem_cache *cache)
{
	struct slot *slot = this_slot;
	struct slot *done = NULL;

	if (slot_is_real(slot))
		forget(slot, cache);
	forget(&slot_shared, cache);
	while ((slot = pop_free(NUMA_NO_NODE))) {
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

void slot_drain_all(void)
{
	struct slot *slot = this_slot;
	struct slot *drained = NULL;

	if (slot_is_real(slot))
		slot_drain(slot);
	slot_drain(&slot_shared);
	while ((slot = pop_free(NUMA_NO_NODE))) {
		slot_drain(slot);
		slot->next_free = drained;
		drained = slot;
	}
	give_back_all(drained);
}

void slot_for_each(void (*visit)(struct slot *slot, void *arg), void *arg)
{
	lock_acquire(&slots_lock, LOCK_SLOTS);
	for (struct slot *slot = all_slots; slot; slot = slot->next)
		visit(slot, arg);
	lock_release(&slots_lock, LOCK_SLOTS);
}

void slot_walk_list(void (*visit)(struct lock *lock))
{
	visit(&slots_lock);
}

/* Runs with slots_lock held (fork takes the ranks in order), so the list stands still. */
void slot_walk_slots(void (*visit)(struct lock *lock))
{
	for (struct slot *slot = all_slots; slot; slot = slot->next)
		visit(&slot->lock);
}
