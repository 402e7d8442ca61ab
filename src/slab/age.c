/* SPDX-License-Identifier: MIT */
#include "slab/age.h"

#include "slab/percpu.h"

struct look {
	unsigned int looks; /* after which a thing is drained; 0: at once */
	bool slot_due;	    /* some slot is */
	bool percpu_due;    /* some processor's slot is */
	bool left;	    /* something is not empty */
};

/* Look at what has done @now things so far. Return: whether it is time to drain it. */
static bool look_at(struct idle *idle, uint32_t now, const struct look *look)
{
	if (idle->seen != now) {
		idle->seen = now;
		idle->looks = 0;
		return !look->looks;
	}
	return idle->looks != IDLE_EMPTY && ++idle->looks >= look->looks;
}

static bool is_due(const struct idle *idle, const struct look *look)
{
	return idle->looks != IDLE_EMPTY && idle->looks >= look->looks;
}

static void set_empty(struct idle *idle, uint32_t now)
{
	idle->seen = now;
	idle->looks = IDLE_EMPTY;
}

/* Racy peeks: a hint. */
static uint32_t node_activity(const struct kmem_cache_node *node)
{
	return (uint32_t)(READ_ONCE(node->list_lock.acquisitions) +
			  READ_ONCE(node->barn.lock.acquisitions));
}

static bool is_left_alone(const struct kmem_cache *cache)
{
	return cache->debug || cache->flags & SLAB_TYPESAFE_BY_RCU;
}

static void age_cache(struct kmem_cache *cache, void *arg)
{
	struct look *look = arg;

	if (is_left_alone(cache))
		return;
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

		if (!node)
			continue;
		if (look_at(&node->idle, node_activity(node), look)) {
			cache_shrink_node(cache, node);
			set_empty(&node->idle, node_activity(node));
		}
		look->left |= node->idle.looks != IDLE_EMPTY;
	}
}

/* What a processor's slot does on its fast path shows in how many objects it has, mostly. */
static uint32_t slot_activity(const struct slot *slot)
{
	unsigned long sum = READ_ONCE(slot->lock.acquisitions);

	for (unsigned int tag = TAG_FIRST_CACHE; slot->percpu && tag < NR_CLASS_TAGS; tag++)
		sum += (unsigned long)READ_ONCE(slot->cache[tag].count) * tag;
	return (uint32_t)sum;
}

static void look_at_slot(struct slot *slot, void *arg)
{
	struct look *look = arg;

	/* the thread that owns it may use it at any moment */
	if (slot->in_use && !slot->percpu && slot != &slot_shared) {
		slot->idle.looks = 0;
		return;
	}
	if (look_at(&slot->idle, slot_activity(slot), look)) {
		look->slot_due = true;
		look->percpu_due |= slot->percpu;
	}
	look->left |= slot->idle.looks != IDLE_EMPTY;
}

static void drain_if_due(struct slot *slot, void *arg)
{
	if (!is_due(&slot->idle, arg))
		return;
	slot_drain(slot);
	set_empty(&slot->idle, slot_activity(slot));
}

/* The kernel does not let us at a processor's slot: not to be tried again until somebody uses it. */
static void leave_if_due(struct slot *slot, void *arg)
{
	if (is_due(&slot->idle, arg))
		set_empty(&slot->idle, slot_activity(slot));
}

static void drain_percpu_slots(struct look *look)
{
	if (!percpu_stop()) {
		percpu_for_each(leave_if_due, look);
		return;
	}
	percpu_for_each(drain_if_due, look);
	percpu_restart();
}

static void drain_slots(struct look *look)
{
	for (struct slot *slot = slot_first(); slot; slot = slot->next) {
		if (slot == &slot_shared)
			drain_if_due(slot, look);
		else if (is_due(&slot->idle, look) && slot_drain_free(slot))
			set_empty(&slot->idle, slot_activity(slot));
	}
}

static void age_slots(struct look *look)
{
	slot_for_each(look_at_slot, look);
	if (look->percpu_due)
		drain_percpu_slots(look);
	if (look->slot_due)
		drain_slots(look);
}

bool slab_age(unsigned int looks)
{
	struct look look = { .looks = looks };

	/* the caches first: what comes out of the slots makes them look busy */
	cache_for_each_alive(age_cache, &look);
	age_slots(&look);
	return look.left;
}

static void drain_cache(struct kmem_cache *cache, void *unused)
{
	(void)unused;
	if (is_left_alone(cache))
		return;
	cache_shrink(cache);
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

		if (node)
			set_empty(&node->idle, node_activity(node));
	}
}

void slab_drain_idle(void)
{
	struct look at_once = { .looks = 0 };

	age_slots(&at_once);
	cache_for_each_alive(drain_cache, NULL);
}
