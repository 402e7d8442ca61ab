/* SPDX-License-Identifier: MIT */
/*
 * slab_validate_all(): each slab's free map agrees with its counter, each slab that is neither full
 * nor free is on the list it belongs to, nodes and barns count right, and what lies in a sheaf is an
 * object that its slab has handed out.
 */
#include "slab/validate.h"

#include "page/section.h"
#include "slab/hollow.h"
#include "slab/slab.h"
#include "slab/percpu.h"

static unsigned int count_free(struct page *slab, const struct kmem_cache *cache)
{
	unsigned int free = 0;

	for (unsigned int object = 0; object < cache->objects; object += BITS_PER_WORD)
		free += (unsigned int)__builtin_popcountll(*slab_map_word(slab, object));
	return free;
}

/* A hollow page has its own tag, and nothing in it is in use; all others have the cache's. */
static void check_pages(struct audit *audit, struct page *slab, const struct kmem_cache *cache)
{
	struct section *section = page_section(slab);
	uint32_t hollow = hollow_pages(slab);

	for (unsigned int i = 0; i < 1U << slab->order; i++) {
		size_t tag = section_tag(section, page_pfn(slab) + i);
		size_t expected = hollow >> i % MAX_HOLLOW_PAGES & 1 ? TAG_HOLLOW : cache->tag;

		AUDIT(audit, tag == expected, "slab %p: page %u has tag %zu", page_start(slab), i,
		      tag);
	}
	AUDIT(audit, !hollow || !(hollow & hollow_pages_in_use(cache, slab)),
	      "slab %p of %s: there are objects in use in hollow pages", page_start(slab),
	      cache->name);
}

static void check_slab(struct audit *audit, struct section *section, unsigned int pfn)
{
	struct page *slab = section_page(section, pfn);
	struct kmem_cache *cache = slab->cache;
	struct kmem_cache_node *node;
	unsigned int free;

	node = cache && slab->nid < MAX_NUMNODES ? cache->node[slab->nid] : NULL;
	if (!node || cache->tag < TAG_FIRST_CACHE || tag_to_cache(cache->tag) != cache) {
		audit_fault(audit, "slab %p belongs to no cache", page_start(slab));
		return;
	}
	check_pages(audit, slab, cache);
	AUDIT(audit, slab->order == cache->order && slab->objects == cache->objects,
	      "slab %p of %s has order %u and %u objects", page_start(slab), cache->name,
	      slab->order, slab->objects);
	free = count_free(slab, cache);
	AUDIT(audit, slab->inuse + free == slab->objects,
	      "slab %p of %s: %u in use and %u free make no %u", page_start(slab), cache->name,
	      slab->inuse, free, slab->objects);
	node->audit.slabs++;
	node->audit.inuse += slab->inuse;
	node->audit.partial += slab->inuse < slab->objects;
	node->audit.empty += !slab->inuse;
	node->audit.hollow += hollow_count(slab);
}

static void check_section(struct section *section, void *arg)
{
	for (unsigned int pfn = 0; pfn < PAGES_PER_SECTION; pfn++) {
		if (page_type(section_page(section, pfn)) == PAGE_SLAB)
			check_slab(arg, section, pfn);
	}
}

/* Return: how many slabs are on a list. */
static unsigned long check_partial_list(struct audit *audit, struct kmem_cache *cache,
					struct list_head *list, unsigned int fullness, bool looked)
{
	unsigned long listed = 0;
	struct list_head *pos;

	list_for_each (pos, list) {
		struct page *slab = list_entry(pos, struct page, lru);

		AUDIT(audit, slab->cache == cache && slab->inuse < slab->objects,
		      "%s: slab %p does not belong on a partial list", cache->name,
		      page_start(slab));
		AUDIT(audit, slab->fullness == fullness && hollow_is_looked_through(slab) == looked,
		      "%s: slab %p of fullness %u is on list %u", cache->name, page_start(slab),
		      slab->fullness, fullness);
		listed++;
	}
	return listed;
}

static void check_partial_lists(struct audit *audit, struct kmem_cache *cache,
				struct kmem_cache_node *node)
{
	unsigned long listed, sparse;

	sparse = check_partial_list(audit, cache, &node->partial[0], 0, false);
	listed = check_partial_list(audit, cache, &node->looked_through, 0, true) + sparse;
	for (unsigned int fullness = 1; fullness < NR_FULLNESS; fullness++)
		listed += check_partial_list(audit, cache, &node->partial[fullness], fullness, false);
	AUDIT(audit, listed == node->nr_partial && listed == node->audit.partial,
	      "%s: nr_partial %u, listed %lu, found %u", cache->name, node->nr_partial, listed,
	      node->audit.partial);
	AUDIT(audit, node->nr_sparse == (hollow_may(cache) ? sparse : 0),
	      "%s: nr_sparse %u, found %lu", cache->name, node->nr_sparse, sparse);
}

static void check_objects(struct audit *audit, struct kmem_cache *cache, void *const *objects,
			  unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct page *slab = slab_of(cache, objects[i]);
		unsigned int object;

		if (!slab || !slab_is_object(cache, objects[i])) {
			audit_fault(audit, "%s: %p in a sheaf is no object", cache->name, objects[i]);
			continue;
		}
		object = slab_object_number(cache, objects[i]);
		AUDIT(audit, !(*slab_map_word(slab, object) >> object % BITS_PER_WORD & 1),
		      "%s: %p is free in its slab and in a sheaf", cache->name, objects[i]);
	}
}

static void check_barn(struct audit *audit, struct kmem_cache *cache, struct barn *barn)
{
	unsigned long nr = 0, objects = 0;

	for (struct sheaf *sheaf = barn->full; sheaf; sheaf = sheaf->next) {
		check_objects(audit, cache, sheaf->objects, sheaf->size);
		objects += sheaf->size;
		nr++;
	}
	AUDIT(audit, nr == barn->nr_full && objects == barn->nr_objects,
	      "%s: barn of %u full sheaves with %u objects has %lu with %lu", cache->name,
	      barn->nr_full, barn->nr_objects, nr, objects);
	nr = 0;
	for (struct sheaf *sheaf = barn->empty; sheaf; sheaf = sheaf->next)
		nr++;
	AUDIT(audit, nr == barn->nr_empty, "%s: barn of %u empty sheaves has %lu", cache->name,
	      barn->nr_empty, nr);
}

static void check_node(struct audit *audit, struct kmem_cache *cache, struct kmem_cache_node *node)
{
	const struct node_audit *found = &node->audit;

	AUDIT(audit, node->nr_slabs == found->slabs && node->nr_inuse == found->inuse,
	      "%s: %lu slabs with %lu objects in use, found %lu with %lu", cache->name,
	      node->nr_slabs, node->nr_inuse, found->slabs, found->inuse);
	AUDIT(audit, node->nr_empty == found->empty, "%s: nr_empty %u, found %u", cache->name,
	      node->nr_empty, found->empty);
	AUDIT(audit, node->nr_hollow == found->hollow, "%s: nr_hollow %u, found %u", cache->name,
	      node->nr_hollow, found->hollow);
	check_partial_lists(audit, cache, node);
	check_barn(audit, cache, &node->barn);
}

static void check_cache(struct kmem_cache *cache, void *audit)
{
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		if (cache->node[nid])
			check_node(audit, cache, cache->node[nid]);
	}
}

static void clear_counts(struct kmem_cache *cache, void *unused)
{
	(void)unused;
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		if (cache->node[nid])
			cache->node[nid]->audit = (struct node_audit){ 0 };
	}
}

/*
 * The main sheaf of a slot whose thread runs changes under our eyes, world frozen or not; only the
 * spare, which changes under the slot's lock, and the slots at rest are looked at. Processors' slots are
 * at rest while they are stopped.
 */
struct slot_audit {
	struct audit *audit;
	struct slot *slot;
	bool at_rest;
};

static void check_sheaves(struct kmem_cache *cache, void *arg)
{
	const struct slot_audit *walk = arg;
	struct slot_sheaves *sheaves = slot_sheaves_of(walk->slot, cache);
	struct slot_cache *sc = slot_cache_of(walk->slot, cache);

	if (!sheaves || !sheaves->main)
		return;
	if (walk->at_rest) {
		AUDIT(walk->audit, sc->count <= sc->capacity, "slot %p: %u objects in a sheaf for %u",
		      (void *)walk->slot, sc->count, sc->capacity);
		check_objects(walk->audit, cache, sc->objects, sc->count);
	}
	if (sheaves->spare)
		check_objects(walk->audit, cache, sheaves->spare->objects, sheaves->spare->size);
}

static void check_slot(struct slot *slot, void *audit)
{
	struct slot_audit walk = {
		.audit = audit,
		.slot = slot,
		.at_rest = !slot->in_use || slot == this_slot || slot == &slot_shared ||
			   (slot->percpu && percpu_is_stopped()),
	};

	cache_for_each(check_sheaves, &walk);
	if (walk.at_rest) {
		page_sheaves_validate(audit, slot->page_sheaves, slot_zone(slot));
		run_sheaf_validate(audit, &slot->pcp.runs, slot_zone(slot));
	}
}

void slab_validate_all(struct audit *audit)
{
	cache_for_each(clear_counts, NULL);
	section_for_each(check_section, audit);
	cache_for_each(check_cache, audit);
	slot_for_each(check_slot, audit);
}
