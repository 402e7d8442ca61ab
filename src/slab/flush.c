/* SPDX-License-Identifier: MIT */
#include "slab/slab.h"

#include "slab/debug.h"
#include "slab/hollow.h"
#include "slab/report.h"
#include "slab/slab_page.h"
#include "slab/slot.h"

/* An empty slab that the node need not keep, and that is on no list. */
static void retire(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab,
		   struct list_head *dead)
{
	ASSERT_HELD(&node->list_lock, LOCK_NODE);
	if (unlikely(cache->debug) && !debug_slab_unlist(cache, slab)) {
		ADD_ONCE(node->nr_inuse, slab->inuse);
		return;
	}
	/* under the lock, since whoever checks the cache looks at the table under it */
	if (unlikely(cache->debug))
		debug_slab_end(cache, slab);
	node->nr_hollow -= hollow_count(slab);
	list_add(&slab->lru, dead);
	SUB_ONCE(node->nr_slabs, 1);
}

/* A thread that libc does not know calls nothing outside of the heap, and so not liburcu. */
static bool may_retire(const struct kmem_cache *cache)
{
	return likely(!(cache->flags & SLAB_TYPESAFE_BY_RCU)) || this_slot != slot_alien;
}

void slab_settle(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab,
		 bool was_full, struct list_head *dead)
{
	ASSERT_HELD(&node->list_lock, LOCK_NODE);
	if (unlikely(!slab->inuse)) {
		if (!was_full)
			partial_del(cache, node, slab);
		if (node->nr_empty < cache->min_empty || unlikely(!may_retire(cache)))
			partial_add(cache, node, slab);
		else
			retire(cache, node, slab, dead);
	} else if (was_full) {
		partial_add(cache, node, slab);
	} else if (slab->fullness != fullness_of(cache, slab->inuse) || hollow_wants_a_look(slab)) {
		partial_del(cache, node, slab);
		partial_add(cache, node, slab);
	}
}

/*
 * Put back those of @objects, from the first on, that lie in @slab, up to one that is none or free already.
 * Return: how many.
 */
static size_t put_objects(const struct kmem_cache *cache, struct page *slab, void **objects,
			  size_t nr)
{
	/* the compiler cannot know that a bit in a map changes none of these */
	const uint64_t reciprocal = cache->reciprocal, start_limit = cache->start_limit;
	const size_t slab_mask = cache->slab_mask;
	const uintptr_t start = (uintptr_t)page_start(slab);
	size_t done;

	for (done = 0; done < nr; done++) {
		uintptr_t offset = (uintptr_t)objects[done] - start;
		unsigned __int128 product;
		uint64_t *map, bit;

		if (offset > slab_mask)
			break;
		/* starts_object_at() and object_number() in one */
		product = (unsigned __int128)reciprocal * offset;
		if (unlikely((uint64_t)product >= start_limit))
			break;
		map = slab_map_word(slab, (unsigned int)(product >> 64));
		bit = (uint64_t)1 << (uint64_t)(product >> 64) % BITS_PER_WORD;
		if (unlikely(*map & bit))
			break;
		WRITE_ONCE(*map, *map | bit);
	}
	slab->inuse = (uint16_t)(slab->inuse - done);
	return done;
}

/* The same for a watched cache, but one object at most. It stays in use if the slab is frozen. */
static size_t put_watched(struct kmem_cache *cache, struct page *slab, void *addr)
{
	unsigned int object = slab_object_number(cache, addr);
	uint64_t *map = slab_map_word(slab, object);
	uint64_t bit = (uint64_t)1 << object % BITS_PER_WORD;

	if (!slab_is_object(cache, addr) || (*map & bit))
		return 0;
	if (debug_put(cache, slab, object)) {
		WRITE_ONCE(*map, *map | bit);
		slab->inuse--;
	}
	return 1;
}

static size_t put_in_slab(struct kmem_cache *cache, struct kmem_cache_node *node,
			  struct page *slab, void **objects, size_t nr, struct list_head *dead)
{
	unsigned int before = slab->inuse;
	size_t done;

	ASSERT_HELD(&node->list_lock, LOCK_NODE);
	if (unlikely(cache->debug))
		done = put_watched(cache, slab, objects[0]);
	else
		done = put_objects(cache, slab, objects, nr);
	if (likely(slab->inuse < before)) {
		SUB_ONCE(node->nr_inuse, before - slab->inuse);
		slab_settle(cache, node, slab, before == slab->objects, dead);
	}
	return done;
}

void slab_release_all(struct kmem_cache *cache, struct list_head *dead, struct pcp *pcp,
		      unsigned int pcp_nid)
{
	while (!list_empty(dead)) {
		struct page *slab = list_first_entry(dead, struct page, lru);

		list_del(&slab->lru);
		slab_release(cache, slab, pcp, pcp_nid);
	}
}

static void unlock_node(struct kmem_cache_node **held)
{
	if (*held)
		lock_release(&(*held)->list_lock, LOCK_NODE);
	*held = NULL;
}

/* Have the lock of @node and no other node's. */
static void lock_node(struct kmem_cache_node **held, struct kmem_cache_node *node)
{
	if (node == *held)
		return;
	unlock_node(held);
	lock_acquire(&node->list_lock, LOCK_NODE);
	*held = node;
}

size_t slab_flush(struct kmem_cache *cache, void **objects, size_t nr, struct pcp *pcp,
		  unsigned int pcp_nid)
{
	struct kmem_cache_node *held = NULL, *last = NULL;
	struct zone *zone = NULL;
	const uint8_t owner = owner_of(pcp);
	struct list_head dead;
	size_t remote = 0;

	list_head_init(&dead);
	for (size_t i = 0, put; i < nr; i += put) {
		struct page *slab = slab_of(cache, objects[i]);

		put = 0;
		if (likely(slab)) {
			/* it has slabs, so it exists */
			struct kmem_cache_node *node = load_acquire(&cache->node[slab->nid]);

			bool other;

			lock_node(&held, node);
			last = node;
			zone = page_zone(slab);
			other = slab->taker != owner;
			put = put_in_slab(cache, node, slab, objects + i, nr - i, &dead);
			remote += other ? put : 0;
		}
		if (likely(put))
			continue;
		unlock_node(&held);
		if (slab && slab_is_object(cache, objects[i]))
			report_double_free(cache, objects[i]);
		else
			report_not_an_object(cache, objects[i]);
		put = 1;
	}
	unlock_node(&held);
	slab_release_all(cache, &dead, pcp, pcp_nid);
	/* what lies on other nodes is seen by the flush that ends there */
	if (last && unlikely(hollow_is_due(cache, last)))
		hollow_out(cache, last, zone, pcp, pcp_nid);
	return remote;
}

static void retire_empty(struct kmem_cache *cache, struct kmem_cache_node *node,
			 struct list_head *list, struct list_head *dead)
{
	for (struct list_head *pos = list->next, *next; pos && pos != list; pos = next) {
		struct page *slab = list_entry(pos, struct page, lru);

		next = pos->next;
		if (slab->inuse)
			continue;
		partial_del(cache, node, slab);
		SUB_ONCE(node->nr_empty, 1);
		retire(cache, node, slab, dead);
	}
}

void slab_shrink_node(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	struct list_head dead;

	list_head_init(&dead);
	lock_acquire(&node->list_lock, LOCK_NODE);
	retire_empty(cache, node, &node->partial[0], &dead);
	retire_empty(cache, node, &node->looked_through, &dead);
	lock_release(&node->list_lock, LOCK_NODE);
	slab_release_all(cache, &dead, NULL, 0);
	hollow_out_all(cache, node);
}
