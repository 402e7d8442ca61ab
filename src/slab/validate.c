/* SPDX-License-Identifier: MIT */
/*
 * slab_validate_all(): each slab's free map agrees with its counter, each slab that is neither full
 * nor free is on the list it belongs to, nodes and barns count right, and what lies in a sheaf is an
 * object that its slab has handed out.
 */
#include "slab/validate.h"

#include "page/section.h"
#include "slab/slab.h"
#include "slab/slot.h"

/* What the struct pages say of one node of one cache. */
struct found {
	unsigned long slabs;
	unsigned long inuse;
	unsigned long partial;
	unsigned long empty;
};

struct walk {
	struct audit *audit;
	struct found found[NR_TAGS][MAX_NUMNODES];
};

static unsigned int count_free(struct page *slab, const struct kmem_cache *cache)
{
	unsigned int free = 0;

	for (unsigned int object = 0; object < cache->objects; object += BITS_PER_WORD)
		free += (unsigned int)__builtin_popcountll(*slab_map_word(slab, object));
	return free;
}

static void check_slab(struct walk *walk, struct section *section, unsigned int pfn)
{
	struct audit *audit = walk->audit;
	struct page *slab = section_page(section, pfn);
	struct kmem_cache *cache = slab->cache;
	size_t tag = section_tag(section, pfn);
	struct found *found;
	unsigned int free;

	if (!cache || tag < TAG_FIRST_CACHE || tag_cache[tag] != cache || slab->nid >= MAX_NUMNODES) {
		audit_fault(audit, "slab %p belongs to no cache", page_start(slab));
		return;
	}
	for (unsigned int i = 0; i < 1U << slab->order; i++)
		AUDIT(audit, section_tag(section, pfn + i) == tag, "slab %p: page %u has tag %zu",
		      page_start(slab), i, section_tag(section, pfn + i));
	AUDIT(audit, slab->order == cache->order && slab->objects == cache->objects,
	      "slab %p of %s has order %u and %u objects", page_start(slab), cache->name,
	      slab->order, slab->objects);
	free = count_free(slab, cache);
	AUDIT(audit, slab->inuse + free == slab->objects,
	      "slab %p of %s: %u in use and %u free make no %u", page_start(slab), cache->name,
	      slab->inuse, free, slab->objects);
	found = &walk->found[tag][slab->nid];
	found->slabs++;
	found->inuse += slab->inuse;
	found->partial += slab->inuse < slab->objects;
	found->empty += !slab->inuse;
}

static void check_section(struct section *section, void *arg)
{
	for (unsigned int pfn = 0; pfn < PAGES_PER_SECTION; pfn++) {
		if (page_type(section_page(section, pfn)) == PAGE_SLAB)
			check_slab(arg, section, pfn);
	}
}

static void check_partial_lists(struct audit *audit, struct kmem_cache *cache,
				struct kmem_cache_node *node, const struct found *found)
{
	unsigned long listed = 0;

	for (unsigned int fullness = 0; fullness < NR_FULLNESS; fullness++) {
		struct list_head *pos;

		list_for_each (pos, &node->partial[fullness]) {
			struct page *slab = list_entry(pos, struct page, lru);

			AUDIT(audit, slab->cache == cache && slab->inuse < slab->objects,
			      "%s: slab %p does not belong on a partial list", cache->name,
			      page_start(slab));
			AUDIT(audit, slab->fullness == fullness,
			      "%s: slab %p of fullness %u is on list %u", cache->name,
			      page_start(slab), slab->fullness, fullness);
			listed++;
		}
	}
	AUDIT(audit, listed == node->nr_partial && listed == found->partial,
	      "%s: nr_partial %u, listed %lu, found %lu", cache->name, node->nr_partial, listed,
	      found->partial);
}

static void check_objects(struct audit *audit, struct kmem_cache *cache, void *const *objects,
			  unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct page *slab = slab_of(cache, objects[i]);
		uint32_t offset = (uint32_t)(uintptr_t)objects[i] & cache->slab_mask;
		unsigned int object = object_number(cache, offset);

		if (!slab || !is_multiple(cache->reciprocal, offset) || object >= cache->objects) {
			audit_fault(audit, "%s: %p in a sheaf is no object", cache->name, objects[i]);
			continue;
		}
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

static void check_cache(struct kmem_cache *cache, void *arg)
{
	struct walk *walk = arg;
	struct audit *audit = walk->audit;

	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = cache->node[nid];
		const struct found *found = &walk->found[cache->tag][nid];

		if (!node) {
			AUDIT(audit, !found->slabs, "%s has slabs but no node %u", cache->name, nid);
			continue;
		}
		AUDIT(audit, node->nr_slabs == found->slabs && node->nr_inuse == found->inuse,
		      "%s: %lu slabs with %lu objects in use, found %lu with %lu", cache->name,
		      node->nr_slabs, node->nr_inuse, found->slabs, found->inuse);
		AUDIT(audit, node->nr_empty == found->empty, "%s: nr_empty %u, found %lu",
		      cache->name, node->nr_empty, found->empty);
		check_partial_lists(audit, cache, node, found);
		check_barn(audit, cache, &node->barn);
	}
}

/*
 * The main sheaf of a slot whose thread runs changes under our eyes, world frozen or not; only the
 * spare, which changes under the slot's lock, and the slots at rest are looked at.
 */
static void check_slot(struct slot *slot, void *arg)
{
	struct walk *walk = arg;
	bool at_rest = !slot->in_use || slot == this_slot || slot == &slot_shared;

	for (unsigned int tag = TAG_FIRST_CACHE; tag < NR_TAGS; tag++) {
		struct slot_sheaves *sheaves = &slot->sheaves[tag];

		if (!sheaves->main)
			continue;
		if (at_rest) {
			AUDIT(walk->audit, slot->cache[tag].count <= slot->cache[tag].capacity,
			      "slot %p: %u objects in a sheaf for %u", (void *)slot,
			      slot->cache[tag].count, slot->cache[tag].capacity);
			check_objects(walk->audit, tag_cache[tag], slot->cache[tag].objects,
				      slot->cache[tag].count);
		}
		if (sheaves->spare)
			check_objects(walk->audit, tag_cache[tag], sheaves->spare->objects,
				      sheaves->spare->size);
	}
}

void slab_validate_all(struct audit *audit)
{
	/* too large for a stack that may be small */
	static struct walk walk;

	__builtin_memset(&walk, 0, sizeof(walk));
	walk.audit = audit;
	section_for_each(check_section, &walk);
	cache_for_each(check_cache, &walk);
	slot_for_each(check_slot, &walk);
}
