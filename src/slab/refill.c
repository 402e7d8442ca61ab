/* SPDX-License-Identifier: MIT */
#include "slab/slab.h"

#include "buddy/run.h"
#include "slab/debug.h"
#include "slab/deferred.h"
#include "slab/hollow.h"
#include "slab/slab_page.h"

static unsigned int nr_map_words(const struct kmem_cache *cache)
{
	return DIV_ROUND_UP(cache->objects, BITS_PER_WORD);
}

/* The same for a watched cache, one after the other. None is free any more once one fails its check. */
static unsigned int take_watched(struct kmem_cache *cache, struct page *slab, void **objects,
				 unsigned int want)
{
	char *base = (char *)page_start(slab) + cache->first_offset;
	unsigned int got = 0;

	for (unsigned int i = 0; i < cache->objects && got < want; i++) {
		uint64_t *map = slab_map_word(slab, i);
		uint64_t bit = (uint64_t)1 << i % BITS_PER_WORD;

		if (!(*map & bit) || !debug_take(cache, slab, i))
			continue;
		WRITE_ONCE(*map, *map & ~bit);
		slab->inuse++;
		objects[got++] = base + (size_t)i * cache->size;
	}
	return got;
}

/* Move up to @want free objects, lowest address first. */
static unsigned int take_objects(struct kmem_cache *cache, struct page *slab, void **objects,
				 unsigned int want)
{
	char *base = (char *)page_start(slab) + cache->first_offset;
	unsigned int words = nr_map_words(cache);
	unsigned int got = 0;

	if (unlikely(cache->debug))
		return take_watched(cache, slab, objects, want);
	for (unsigned int w = 0; w < words && got < want; w++) {
		uint64_t *map = slab_map_word(slab, w * BITS_PER_WORD);
		uint64_t free = *map;

		while (free && got < want) {
			unsigned int object = w * BITS_PER_WORD + first_bit(free);

			objects[got++] = base + (size_t)object * cache->size;
			free &= free - 1;
		}
		WRITE_ONCE(*map, free);
	}
	slab->inuse = (uint16_t)(slab->inuse + got);
	return got;
}

static struct page *fullest_partial(struct kmem_cache_node *node)
{
	for (int fullness = NR_FULLNESS - 1; fullness >= 0; fullness--) {
		if (!list_empty(&node->partial[fullness]))
			return list_first_entry(&node->partial[fullness], struct page, lru);
	}
	/* and those last that memory has to be asked for */
	if (!list_empty(&node->looked_through))
		return list_first_entry(&node->looked_through, struct page, lru);
	return NULL;
}

/* The same from a slab that has been on a list: some of its pages may have no memory. */
static unsigned int take_listed(struct kmem_cache *cache, struct kmem_cache_node *node,
				struct page *slab, void **objects, unsigned int want)
{
	unsigned int got = take_objects(cache, slab, objects, want);

	if (unlikely(slab->looked))
		hollow_fill(cache, node, slab, objects, got);
	return got;
}

static unsigned int take_from_partial_locked(struct kmem_cache *cache, struct kmem_cache_node *node,
					     void **objects, unsigned int want, uint8_t taker)
{
	unsigned int got = 0, inuse = 0;

	ASSERT_HELD(&node->list_lock, LOCK_NODE);
	while (got < want && node->nr_partial) {
		struct page *slab = fullest_partial(node);
		unsigned int before = slab->inuse;

		SUB_ONCE(node->nr_empty, !slab->inuse);
		partial_del(cache, node, slab);
		got += take_listed(cache, node, slab, objects + got, want - got);
		/* more than was got when the slab was frozen */
		inuse += slab->inuse - before;
		slab->taker = taker & PCP_MAX_OWNER;
		if (slab->inuse < slab->objects)
			partial_add(cache, node, slab);
	}
	ADD_ONCE(node->nr_inuse, inuse);
	return got;
}

static unsigned int take_from_partial(struct kmem_cache *cache, struct kmem_cache_node *node,
				      void **objects, unsigned int want, uint8_t taker)
{
	unsigned int got;

	lock_acquire(&node->list_lock, LOCK_NODE);
	got = take_from_partial_locked(cache, node, objects, want, taker);
	lock_release(&node->list_lock, LOCK_NODE);
	return got;
}

/* A new slab, some of whose objects may have been taken already. */
static void node_add(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab)
{
	ASSERT_HELD(&node->list_lock, LOCK_NODE);
	ADD_ONCE(node->nr_slabs, 1);
	node->events.slab_alloc++;
	ADD_ONCE(node->nr_inuse, slab->inuse);
	if (unlikely(cache->debug))
		debug_slab_list(cache, slab);
	if (slab->inuse < slab->objects)
		partial_add(cache, node, slab);
}

/* Nobody else knows the slab yet, so its objects are taken without the lock. */
static unsigned int take_from_new(struct kmem_cache *cache, unsigned int nid, void **objects,
				  unsigned int want, gfp_t where, struct pcp *pcp)
{
	struct page *slab = slab_new(cache, nid, where, pcp);
	struct kmem_cache_node *node;
	unsigned int got;

	if (!slab)
		return 0;
	node = cache_node(cache, slab->nid);
	if (!node) {
		slab_release(cache, slab, pcp, nid);
		return 0;
	}
	/* what is around a watched cache's objects changes under the lock only */
	got = cache->debug ? 0 : take_objects(cache, slab, objects, want);
	slab->taker = owner_of(pcp) & PCP_MAX_OWNER;
	lock_acquire(&node->list_lock, LOCK_NODE);
	node_add(cache, node, slab);
	/* before another thread takes them all, and this one thinks that there is no memory */
	if (unlikely(cache->debug))
		got = take_from_partial_locked(cache, node, objects, want, owner_of(pcp));
	lock_release(&node->list_lock, LOCK_NODE);
	return got;
}

bool slab_construct(struct kmem_cache *cache, unsigned int nid)
{
	struct page *slab = slab_pages(cache, nid, 0, NULL);
	struct kmem_cache_node *node;
	char *object;

	if (!slab)
		return false;
	node = cache_node(cache, page_zone(slab)->nid);
	if (!node) {
		if (cache->debug)
			debug_slab_end(cache, slab);
		page_free(slab, cache->order, cache->migratetype, NULL, 0);
		return false;
	}
	object = (char *)page_start(slab) + cache->first_offset;
	for (unsigned int i = 0; i < cache->objects; i++, object += cache->size)
		cache->ctor(object);
	lock_acquire(&node->list_lock, LOCK_NODE);
	/* a slab only now, and counted at once: nothing held the audit off until here */
	slab_init(cache, slab);
	node_add(cache, node, slab);
	lock_release(&node->list_lock, LOCK_NODE);
	return true;
}

/* One object of a node whose lock is held: of its partial slabs, or of a new one if the zone is free too. */
static void *try_take_locked(struct kmem_cache *cache, struct kmem_cache_node *node,
			     unsigned int nid)
{
	struct zone *zone = &node_data[nid].zones[cache->zone];
	struct page *slab = fullest_partial(node);
	void *object;

	ASSERT_HELD(&node->list_lock, LOCK_NODE);
	if (slab) {
		SUB_ONCE(node->nr_empty, !slab->inuse);
		partial_del(cache, node, slab);
		take_listed(cache, node, slab, &object, 1);
		if (slab->inuse < slab->objects)
			partial_add(cache, node, slab);
		ADD_ONCE(node->nr_inuse, 1);
		return object;
	}
	/* under the list_lock, which nothing else may do: this waits for nobody */
	slab = zone_try_alloc(zone, cache->order, cache->migratetype);
	if (!slab) {
		WRITE_ONCE(deferred_zone, zone);
		return NULL;
	}
	slab_init(cache, slab);
	take_objects(cache, slab, &object, 1);
	node_add(cache, node, slab);
	return object;
}

void *slab_try_take(struct kmem_cache *cache)
{
	void *object = NULL;

	if (cache->ctor || cache->debug)
		return NULL;
	for (unsigned int nid = 0; !object && nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

		if (!node || !lock_try(&node->list_lock, LOCK_NODE))
			continue;
		object = try_take_locked(cache, node, nid);
		lock_release(&node->list_lock, LOCK_NODE);
	}
	return object;
}

static void reverse(void **objects, unsigned int nr)
{
	for (unsigned int i = 0; i < nr / 2; i++) {
		void *object = objects[i];

		objects[i] = objects[nr - 1 - i];
		objects[nr - 1 - i] = object;
	}
}

/* What the partial slabs of the nodes behind @nid have. */
static unsigned int take_from_other_nodes(struct kmem_cache *cache, unsigned int nid,
					  void **objects, unsigned int want)
{
	unsigned int nodes = nr_nodes();
	unsigned int got = 0;

	for (unsigned int n = 1; got < want && n < nodes; n++) {
		struct kmem_cache_node *node = load_acquire(&cache->node[(nid + n) % nodes]);

		if (node)
			got += take_from_partial(cache, node, objects + got, want - got, 0);
	}
	return got;
}

/* The node has no more pages: free objects of others come before another slab of theirs. */
static noinline unsigned int refill_from_afar(struct kmem_cache *cache, unsigned int nid,
					      void **objects, unsigned int want)
{
	unsigned int got = take_from_other_nodes(cache, nid, objects, want);

	return got || cache->ctor ? got : take_from_new(cache, nid, objects, want, 0, NULL);
}

unsigned int slab_refill(struct kmem_cache *cache, unsigned int nid, void **objects,
			 unsigned int want, struct pcp *pcp)
{
	struct kmem_cache_node *node = cache_node(cache, nid);
	unsigned int got = node ? take_from_partial(cache, node, objects, want, owner_of(pcp)) : 0;

	/* half of what is wanted is good enough to spare another slab */
	while (got < DIV_ROUND_UP(want, 2) && !cache->ctor) {
		unsigned int more = take_from_new(cache, nid, objects + got, want - got,
						  __GFP_THISNODE, pcp);

		if (!more)
			break;
		got += more;
	}
	if (unlikely(!got))
		got = refill_from_afar(cache, nid, objects, want);
	/* a sheaf hands out its last object first: the lowest address of the first slab */
	reverse(objects, got);
	return got;
}

unsigned int slab_refill_apart(struct kmem_cache *cache, unsigned int nid, void **objects,
			       unsigned int want, struct pcp *pcp)
{
	unsigned int got = 0;

	if (!cache->ctor)
		got = take_from_new(cache, nid, objects, want, __GFP_THISNODE, pcp);
	reverse(objects, got);
	return got;
}
