/* SPDX-License-Identifier: MIT */
#include "slab/slab.h"

#include "buddy/run.h"
#include "slab/debug.h"
#include "slab/deferred.h"
#include "slab/fast.h"
#include "slab/rcu.h"
#include "slab/report.h"

static unsigned int nr_map_words(const struct kmem_cache *cache)
{
	return DIV_ROUND_UP(cache->objects, BITS_PER_WORD);
}

/* Which partial list a slab with @inuse of its objects handed out belongs to. */
static unsigned int fullness_of(const struct kmem_cache *cache, unsigned int inuse)
{
	unsigned int fullness = (unsigned int)(cache->fullness * inuse >> 32);

	return MIN(fullness, NR_FULLNESS - 1);
}

/* Make pages a slab, all of whose objects are free. */
static void slab_init(struct kmem_cache *cache, struct page *slab)
{
	slab->order = cache->order;
	WRITE_ONCE(slab->nid, page_zone(slab)->nid);
	slab->fullness = 0;
	slab->taker = 0;
	slab->inuse = 0;
	slab->objects = cache->objects;
	/* whoever checks caches looks at pages that he does not own */
	WRITE_ONCE(slab->cache, cache);
	for (unsigned int left = cache->objects, object = 0; left;) {
		unsigned int here = MIN(left, BITS_PER_WORD);

		*slab_map_word(slab, object) = low_bits(here);
		object += here;
		left -= here;
	}
	page_set_type(slab, PAGE_SLAB);
	page_set_tags(slab, 1U << cache->order, cache->tag);
}

/* Pages that can become a slab, and the table that goes with them. @where: 0, or __GFP_THISNODE. */
static struct page *slab_pages(struct kmem_cache *cache, unsigned int nid, gfp_t where,
			       struct pcp *pcp)
{
	gfp_t gfp = where | zone_to_gfp((enum zone_type)cache->zone) |
		    migratetype_to_gfp((enum migratetype)cache->migratetype);
	struct page *slab = page_alloc(nid, gfp, cache->order, pcp);

	if (!slab)
		return NULL;
	if (unlikely(cache->debug) && !debug_slab_begin(cache, slab)) {
		page_free(slab, cache->order, cache->migratetype, pcp, nid);
		return NULL;
	}
	return slab;
}

static struct page *slab_new(struct kmem_cache *cache, unsigned int nid, gfp_t where,
			     struct pcp *pcp)
{
	struct page *slab = slab_pages(cache, nid, where, pcp);

	if (slab)
		slab_init(cache, slab);
	return slab;
}

/*
 * No mark of a free object outlives its slab: a program may copy around what it finds in fresh memory,
 * and one day put a mark back to where it came from.
 */
static void wipe_marks(struct kmem_cache *cache, struct page *slab)
{
	char *object = (char *)page_start(slab) + cache->first_offset;

	for (unsigned int i = 0; i < cache->objects; i++, object += cache->size) {
		if (object_is_marked(object, cache->mark_word))
			object_unmark(object, cache->mark_word);
	}
}

/* The pages of a slab whose readers are gone. Its struct page has kept nothing but their number. */
static void release_after_readers(void *head)
{
	struct page *page = list_entry((struct list_head *)head, struct page, lru);

	zone_free_run(page, load_acquire(&page->nr_pages));
}

static void slab_release(struct kmem_cache *cache, struct page *slab, struct pcp *pcp,
			 unsigned int pcp_nid)
{
	wipe_marks(cache, slab);
	if (unlikely(cache->debug))
		debug_slab_end(cache, slab);
	page_set_tags(slab, 1U << cache->order, TAG_PLAIN);
	page_set_type(slab, PAGE_USED);
	WRITE_ONCE(slab->cache, NULL);
	/* whoever frees it later sees all that was done with it */
	store_release(&slab->nr_pages, 1U << cache->order);
	if (unlikely(cache->flags & SLAB_TYPESAFE_BY_RCU))
		slab_rcu_defer(&slab->lru, release_after_readers);
	else
		page_free(slab, cache->order, cache->migratetype, pcp, pcp_nid);
}

static void partial_add(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab)
{
	slab->fullness = fullness_of(cache, slab->inuse) & (NR_FULLNESS - 1);
	list_add(&slab->lru, &node->partial[slab->fullness]);
	node->nr_partial++;
	node->events.partial_add++;
	ADD_ONCE(node->nr_empty, !slab->inuse);
}

static void partial_del(struct kmem_cache_node *node, struct page *slab)
{
	list_del(&slab->lru);
	node->nr_partial--;
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
	return NULL;
}

/* Who takes with a slot's lists for pages. */
static uint8_t owner_of(const struct pcp *pcp)
{
	return pcp ? pcp->owner : 0;
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
		partial_del(node, slab);
		got += take_objects(cache, slab, objects + got, want - got);
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

bool slab_construct(struct kmem_cache *cache, int nid)
{
	unsigned int wanted = nid == NUMA_NO_NODE ? this_slot->nid : (unsigned int)nid;
	struct page *slab = slab_pages(cache, wanted, 0, NULL);
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
		partial_del(node, slab);
		take_objects(cache, slab, &object, 1);
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

struct page *slab_of(struct kmem_cache *cache, const void *addr)
{
	struct section *section = addr_to_section(addr);
	unsigned int pfn = addr_to_pfn(addr);
	struct page *slab;

	if (!section || section_tag(section, pfn) != cache->tag)
		return NULL;
	slab = section_page(section, ALIGN_DOWN(pfn, 1U << cache->order));
	return page_type(slab) == PAGE_SLAB && slab->cache == cache ? slab : NULL;
}

bool slab_is_object(const struct kmem_cache *cache, const void *addr)
{
	return starts_object(cache, addr);
}

bool slab_object_in_use(struct kmem_cache *cache, const void *addr)
{
	struct page *slab = slab_of(cache, addr);
	unsigned int object;

	if (!slab || !slab_is_object(cache, addr))
		return false;
	object = slab_object_number(cache, addr);
	/* racy peek, but nobody changes the bit of an object that the caller has */
	return !(READ_ONCE(*slab_map_word(slab, object)) >> object % BITS_PER_WORD & 1);
}

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
	list_add(&slab->lru, dead);
	SUB_ONCE(node->nr_slabs, 1);
}

/* A slab, some of whose objects have come back: where does it belong now? Empty ones that the node need not
 * keep go to @dead. */
static void settle(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab,
		   bool was_full, struct list_head *dead)
{
	ASSERT_HELD(&node->list_lock, LOCK_NODE);
	if (unlikely(!slab->inuse)) {
		if (!was_full)
			partial_del(node, slab);
		if (node->nr_empty < cache->min_empty)
			partial_add(cache, node, slab);
		else
			retire(cache, node, slab, dead);
	} else if (was_full) {
		partial_add(cache, node, slab);
	} else if (slab->fullness != fullness_of(cache, slab->inuse)) {
		partial_del(node, slab);
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
		settle(cache, node, slab, before == slab->objects, dead);
	}
	return done;
}

static void release_all(struct kmem_cache *cache, struct list_head *dead, struct pcp *pcp,
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
	struct kmem_cache_node *held = NULL;
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
	release_all(cache, &dead, pcp, pcp_nid);
	return remote;
}

void slab_shrink_node(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	struct list_head dead;
	struct list_head *list = &node->partial[0];

	list_head_init(&dead);
	lock_acquire(&node->list_lock, LOCK_NODE);
	for (struct list_head *pos = list->next, *next; pos && pos != list; pos = next) {
		struct page *slab = list_entry(pos, struct page, lru);

		next = pos->next;
		if (slab->inuse)
			continue;
		partial_del(node, slab);
		SUB_ONCE(node->nr_empty, 1);
		retire(cache, node, slab, &dead);
	}
	lock_release(&node->list_lock, LOCK_NODE);
	release_all(cache, &dead, NULL, 0);
}
