/* SPDX-License-Identifier: MIT */
#include "slab/slab.h"

#include "buddy/hollow.h"
#include "buddy/run.h"
#include "slab/debug.h"
#include "slab/fast.h"
#include "slab/hollow.h"
#include "slab/rcu.h"
#include "slab/slab_page.h"

void slab_init(struct kmem_cache *cache, struct page *slab)
{
	slab->order = cache->order;
	WRITE_ONCE(slab->nid, page_zone(slab)->nid);
	slab->fullness = 0;
	slab->looked = false;
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

struct page *slab_pages(struct kmem_cache *cache, unsigned int nid, gfp_t where,
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

struct page *slab_new(struct kmem_cache *cache, unsigned int nid, gfp_t where,
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
static void wipe_marks(struct kmem_cache *cache, struct page *slab, uint32_t hollow)
{
	char *start = page_start(slab);
	char *object = start + cache->first_offset;

	for (unsigned int i = 0; i < cache->objects; i++, object += cache->size) {
		/* what has no memory has no mark, and need get none for being read */
		if (unlikely(hollow) && hollow >> ((object - start) >> PAGE_SHIFT) & 1)
			continue;
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

void slab_release(struct kmem_cache *cache, struct page *slab, struct pcp *pcp,
			 unsigned int pcp_nid)
{
	uint32_t hollow = hollow_pages(slab);

	wipe_marks(cache, slab, hollow);
	if (unlikely(cache->debug))
		debug_slab_end(cache, slab);
	page_set_tags(slab, 1U << cache->order, TAG_PLAIN);
	page_set_type(slab, PAGE_USED);
	WRITE_ONCE(slab->cache, NULL);
	/* whoever frees it later sees all that was done with it */
	store_release(&slab->nr_pages, 1U << cache->order);
	if (unlikely(cache->flags & SLAB_TYPESAFE_BY_RCU))
		slab_rcu_defer(&slab->lru, release_after_readers);
	else if (unlikely(hollow))
		zone_free_hollow_run(slab, 1U << cache->order, hollow);
	else
		page_free(slab, cache->order, cache->migratetype, pcp, pcp_nid);
}

static bool is_sparse(const struct kmem_cache *cache, const struct page *slab)
{
	return !slab->fullness && hollow_may(cache) && !hollow_is_looked_through(slab);
}

void partial_add(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab)
{
	slab->fullness = fullness_of(cache, slab->inuse) & (NR_FULLNESS - 1);
	if (slab->fullness || hollow_wants_a_look(slab))
		hollow_look_again(slab);
	if (hollow_is_looked_through(slab))
		list_add(&slab->lru, &node->looked_through);
	else
		list_add(&slab->lru, &node->partial[slab->fullness]);
	if (is_sparse(cache, slab)) {
		ADD_ONCE(node->nr_sparse, 1);
		zone_add_sparse(page_zone(slab), 1L << cache->order);
	}
	node->nr_partial++;
	node->events.partial_add++;
	ADD_ONCE(node->nr_empty, !slab->inuse);
}

void partial_del(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab)
{
	list_del(&slab->lru);
	if (is_sparse(cache, slab)) {
		SUB_ONCE(node->nr_sparse, 1);
		zone_add_sparse(page_zone(slab), -(1L << cache->order));
	}
	node->nr_partial--;
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
