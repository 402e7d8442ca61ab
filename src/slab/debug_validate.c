/* SPDX-License-Identifier: MIT */
/*
 * cache_validate(): one fault at a time is found and put right under the list_lock, and reported after it.
 */
#include "page/section.h"
#include "slab/debug_layout.h"
#include "slab/debug_report.h"
#include "slab/slab.h"

struct validation {
	struct kmem_cache *cache;
	struct debug_view view;
	struct debug_fault fault;
	unsigned long faults;
};

static bool is_listed(struct kmem_cache *cache, struct page *slab)
{
	const struct debug_slab *table = debug_slab_of(cache, slab);

	return table && table->listed && !table->frozen;
}

static unsigned int count_free(struct kmem_cache *cache, struct page *slab)
{
	unsigned int free = 0;

	for (unsigned int i = 0; i < cache->objects; i += BITS_PER_WORD)
		free += (unsigned int)__builtin_popcountll(*slab_map_word(slab, i));
	return free;
}

/* [list_lock] Return: whether a fault was found, and put right, from object *@i on. */
static bool find_fault(struct validation *v, struct page *slab, unsigned int *i)
{
	struct kmem_cache *cache = v->cache;
	struct debug_slab *table = debug_slab_of(cache, slab);

	for (; *i < cache->objects; (*i)++) {
		char *object = (char *)page_start(slab) + cache->first_offset +
			       (size_t)*i * cache->size;
		bool in_use = !(*slab_map_word(slab, *i) >> *i % BITS_PER_WORD & 1);
		size_t size = in_use ? load_acquire(&table->objects[*i].size) : cache->object_size;

		if (debug_check_object(cache, object, in_use, size, &v->fault)) {
			debug_look(cache, slab, object, v->fault.first, &v->view);
			return true;
		}
	}
	if (!debug_check_padding(cache, slab, &v->fault))
		return false;
	debug_look(cache, slab, NULL, v->fault.start, &v->view);
	return true;
}

/* Bytes of a watched cache's slab. */
static unsigned long validate_bytes(struct validation *v, struct kmem_cache_node *node,
				    struct page *slab)
{
	unsigned long faults = 0;
	unsigned int i = 0;
	bool found;

	do {
		lock_acquire(&node->list_lock, LOCK_NODE);
		/* it may have gone, or have become another's, while the last fault was reported */
		found = page_type(slab) == PAGE_SLAB && READ_ONCE(slab->cache) == v->cache &&
			is_listed(v->cache, slab) && find_fault(v, slab, &i);
		if (found)
			debug_restore(&v->fault);
		lock_release(&node->list_lock, LOCK_NODE);
		if (found) {
			debug_write_fault(v->cache, &v->view, &v->fault, false);
			faults++;
		}
	} while (found);
	return faults;
}

/* Slabs whose numbers do not agree; more than this are counted, and not shown. Arbitrary. */
#define MAX_SHOWN 8

struct disagreement {
	unsigned long faults;
	struct page *slabs[MAX_SHOWN];
};

/* [frozen world] */
static void compare_counts(struct kmem_cache *cache, struct page *slab, void *arg)
{
	struct disagreement *found = arg;

	if (cache->debug && !is_listed(cache, slab))
		return;
	if (slab->inuse + count_free(cache, slab) == cache->objects)
		return;
	if (found->faults < MAX_SHOWN)
		found->slabs[found->faults] = slab;
	found->faults++;
}

static void validate_slab(struct kmem_cache *cache, struct page *slab, void *arg)
{
	struct validation *v = arg;
	struct kmem_cache_node *node = load_acquire(&cache->node[READ_ONCE(slab->nid)]);

	/* racy; rechecked under its lock */
	if (node)
		v->faults += validate_bytes(v, node, slab);
}

/* Calls @visit for whatever looks like a slab of @cache. */
static void for_each_slab(struct kmem_cache *cache,
			  void (*visit)(struct kmem_cache *cache, struct page *slab, void *arg),
			  void *arg)
{
	struct section *section = NULL;

	while ((section = section_next(section))) {
		for (unsigned int pfn = 0; pfn < PAGES_PER_SECTION; pfn++) {
			struct page *slab = section_page(section, pfn);

			if (section_tag(section, pfn) == cache->tag &&
			    page_type(slab) == PAGE_SLAB && READ_ONCE(slab->cache) == cache)
				visit(cache, slab, arg);
		}
	}
}

/* Free maps. A slab that nobody knows yet is changed without its node's lock, but not in a frozen world. */
static unsigned long validate_counts(struct validation *v)
{
	struct kmem_cache *cache = v->cache;
	struct disagreement found = { 0 };

	lock_freeze_world();
	for_each_slab(cache, compare_counts, &found);
	lock_thaw_world();
	for (unsigned long i = 0; i < MIN(found.faults, MAX_SHOWN); i++) {
		debug_look(cache, found.slabs[i], NULL, NULL, &v->view);
		debug_report_slab(cache, &v->view, "Wrong number of objects in use");
	}
	return found.faults;
}

unsigned long cache_validate(struct kmem_cache *cache)
{
	struct validation v = { .cache = cache };

	v.faults = validate_counts(&v);
	if (cache->debug)
		for_each_slab(cache, validate_slab, &v);
	return v.faults;
}
