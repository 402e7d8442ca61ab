/* SPDX-License-Identifier: MIT */
#include "slab/hollow.h"

#include "base/option.h"
#include "slab/mark.h"
#include "slab/report.h"
#include "slab/slab.h"
#include "slab/slab_page.h"

/* Slabs that are looked through at once. Arbitrary: makes a round of the lock cheap beside the system calls, and their
 * maps 512 bytes of stack. */
#define BATCH_SLABS 8

/* And how many are looked at for that, while others wait for the lock. Arbitrary: some microseconds. */
#define BATCH_LOOKS 32

/* One of so many parts of what sparse slabs may keep goes beyond need. Arbitrary: as in buddy/wmark.c. */
#define LOW_PARTS 32

#define MAP_WORDS (MAX_HOLLOW_OBJECTS / BITS_PER_WORD)

/* A slab that is full for everybody else. */
struct looked_through {
	struct page *slab;
	uint32_t pages;		  /* that may go, a bit each */
	uint32_t gone;		  /* those of them that did */
	uint64_t free[MAP_WORDS]; /* objects that were free */
	unsigned int nr_free;
};

/* Who looks, and what may stay as it is. */
struct look {
	struct zone *zone; /* NULL: nothing may */
	unsigned long keep; /* pages of sparse slabs in the zone */
};

struct hollow_batch {
	struct looked_through slab[BATCH_SLABS];
	unsigned int nr;
	bool more; /* there are others */
};

/*
 * Whether the mark of each free object is in the page that the object starts in, so that the page's tag speaks for both. In
 * nearly all caches: objects lie at multiples of two words, or none starts with the last word of a page.
 */
static bool marks_stay(const struct kmem_cache *cache)
{
	_Static_assert(MARK_WORD == 1, "an object's second word");

	if (IS_ALIGNED(cache->size, 2 * sizeof(uintptr_t)))
		return true;
	for (size_t end = PAGE_SIZE; end < cache->object_end; end += PAGE_SIZE) {
		if (!((end - sizeof(uintptr_t)) % cache->size))
			return false;
	}
	return true;
}

bool hollow_suits(const struct kmem_cache *cache)
{
	return cache->order && 1U << cache->order <= MAX_HOLLOW_PAGES &&
	       cache->objects <= MAX_HOLLOW_OBJECTS && !cache->ctor && !cache->debug &&
	       !(cache->flags & SLAB_TYPESAFE_BY_RCU) && marks_stay(cache);
}

/* The pages of its slab that an object touches. */
static uint32_t pages_of(const struct kmem_cache *cache, unsigned int object)
{
	size_t start = (size_t)object * cache->size;
	unsigned int first = (unsigned int)(start >> PAGE_SHIFT);
	unsigned int last = (unsigned int)((start + cache->size - 1) >> PAGE_SHIFT);

	return (uint32_t)(low_bits(last - first + 1) << first);
}

uint32_t hollow_pages_in_use(const struct kmem_cache *cache, struct page *slab)
{
	uint32_t pages = 0;

	for (unsigned int first = 0; first < cache->objects; first += BITS_PER_WORD) {
		uint64_t used = ~*slab_map_word(slab, first);

		used &= low_bits(cache->objects - first);
		for (; used; used &= used - 1)
			pages |= pages_of(cache, first + first_bit(used));
	}
	return pages;
}

/*
 * Pages that may go: they have memory, and no object in use touches them. Policy: less than half of what the slab holds
 * is not worth the page faults. Measured: with any page, six times up to 180 MiB and down to a quarter of that has 76,000 page
 * faults instead of 65,000, and a load of which a tenth is left keeps as much at rest.
 */
static uint32_t idle_pages(const struct kmem_cache *cache, struct page *slab)
{
	uint32_t held = (uint32_t)low_bits(1U << cache->order) & ~hollow_pages(slab);
	uint32_t idle = held & ~hollow_pages_in_use(cache, slab);

	return 2 * __builtin_popcount(idle) >= __builtin_popcount(held) ? idle : 0;
}

/* A slab that was never looked through has nothing in its second page. */
static void begin(struct page *slab)
{
	if (slab->looked)
		return;
	slab[1].hollow = 0;
	slab->looked = true;
}

/* All objects of a slab that are free, so that nobody else has to do with it. */
static void take_rest(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab,
		      struct looked_through *look)
{
	look->nr_free = (unsigned int)(slab->objects - slab->inuse);
	for (unsigned int w = 0; w * BITS_PER_WORD < cache->objects; w++) {
		uint64_t *map = slab_map_word(slab, w * BITS_PER_WORD);

		look->free[w] = *map;
		WRITE_ONCE(*map, 0);
	}
	slab->inuse = slab->objects;
	ADD_ONCE(node->nr_inuse, look->nr_free);
}

static void put_rest(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab,
		     const struct looked_through *look, struct list_head *dead)
{
	bool was_full = slab->inuse == slab->objects;

	for (unsigned int w = 0; w * BITS_PER_WORD < cache->objects; w++) {
		uint64_t *map = slab_map_word(slab, w * BITS_PER_WORD);

		WRITE_ONCE(*map, *map | look->free[w]);
	}
	slab->inuse = (uint16_t)(slab->inuse - look->nr_free);
	SUB_ONCE(node->nr_inuse, look->nr_free);
	/* somebody may have given some of it back meanwhile, and put it on a list as what it is */
	if (was_full)
		slab[1].looked_at = slab->inuse;
	slab_settle(cache, node, slab, was_full, dead);
}

static void set_tags(struct page *slab, uint32_t pages, unsigned int tag)
{
	for (; pages; pages &= pages - 1)
		page_set_tags(slab + first_bit(pages), 1, tag);
}

/* Before they go: from the tag on nobody looks for a mark there. */
static void set_hollow(struct kmem_cache_node *node, struct page *slab, uint32_t pages)
{
	slab[1].hollow |= pages;
	node->nr_hollow += (unsigned int)__builtin_popcount(pages);
	set_tags(slab, pages, TAG_HOLLOW);
}

/* They have memory, or will have. */
static void clear_hollow(const struct kmem_cache *cache, struct kmem_cache_node *node,
			 struct page *slab, uint32_t pages)
{
	slab[1].hollow &= ~pages;
	node->nr_hollow -= (unsigned int)__builtin_popcount(pages);
	set_tags(slab, pages, cache->tag);
}

static bool wants_more(const struct kmem_cache *cache, const struct kmem_cache_node *node,
		       const struct look *look)
{
	return node->nr_sparse && (!look->zone || (READ_ONCE(look->zone->nr_sparse) > look->keep &&
						   hollow_is_due(cache, node)));
}

/* A sparse slab. Return: whether there is something that may go. */
static bool look_at(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab,
		    struct looked_through *look)
{
	partial_del(cache, node, slab);
	SUB_ONCE(node->nr_empty, !slab->inuse);
	begin(slab);
	look->slab = slab;
	/* of empty slabs a node keeps a few, to have them at hand */
	look->pages = slab->inuse ? idle_pages(cache, slab) : 0;
	slab[1].looked_at = MAX(slab->inuse, 1);
	if (!look->pages) {
		partial_add(cache, node, slab);
		return false;
	}
	take_rest(cache, node, slab, look);
	set_hollow(node, slab, look->pages);
	return true;
}

/* Sparse slabs, the ones first that have been so the longest. */
static void collect(struct kmem_cache *cache, struct kmem_cache_node *node,
		    const struct look *look, struct hollow_batch *batch)
{
	unsigned int looks = BATCH_LOOKS;

	batch->nr = 0;
	while (looks-- && batch->nr < BATCH_SLABS && wants_more(cache, node, look))
		batch->nr += look_at(cache, node,
				     list_entry(node->partial[0].prev, struct page, lru),
				     &batch->slab[batch->nr]);
	batch->more = wants_more(cache, node, look);
}

static void put_back(struct kmem_cache *cache, struct kmem_cache_node *node,
		     const struct hollow_batch *batch, struct list_head *dead)
{
	for (unsigned int i = 0; i < batch->nr; i++) {
		const struct looked_through *look = &batch->slab[i];

		clear_hollow(cache, node, look->slab, look->pages & ~look->gone);
		put_rest(cache, node, look->slab, look, dead);
	}
}

static void look_through(struct kmem_cache *cache, struct kmem_cache_node *node,
			 const struct look *look, struct pcp *pcp, unsigned int pcp_nid)
{
	struct hollow_batch batch;
	struct list_head dead;

	do {
		lock_acquire(&node->list_lock, LOCK_NODE);
		collect(cache, node, look, &batch);
		lock_release(&node->list_lock, LOCK_NODE);
		for (unsigned int i = 0; i < batch.nr; i++)
			batch.slab[i].gone = zone_hollow_out(batch.slab[i].slab, batch.slab[i].pages);
		list_head_init(&dead);
		lock_acquire(&node->list_lock, LOCK_NODE);
		put_back(cache, node, &batch, &dead);
		lock_release(&node->list_lock, LOCK_NODE);
		slab_release_all(cache, &dead, pcp, pcp_nid);
	} while (batch.more);
}

noinline void hollow_out(struct kmem_cache *cache, struct kmem_cache_node *node, struct zone *zone,
			 struct pcp *pcp, unsigned int pcp_nid)
{
	struct look look = { .zone = zone };

	if (READ_ONCE(options.purge) == PURGE_OFF)
		return;
	look.keep = zone_sparse_to_keep(zone);
	if (READ_ONCE(zone->nr_sparse) <= look.keep)
		return;
	/* some more than need be, not a few at each flush */
	look.keep -= look.keep / LOW_PARTS;
	look_through(cache, node, &look, pcp, pcp_nid);
}

void hollow_out_all(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	const struct look all = { .zone = NULL };

	look_through(cache, node, &all, NULL, 0);
}

noinline void hollow_fill(struct kmem_cache *cache, struct kmem_cache_node *node,
			  struct page *slab, void **objects, unsigned int nr)
{
	const char *start = page_start(slab);
	uint32_t filled = 0;

	hollow_look_again(slab);
	if (!slab[1].hollow)
		return;
	for (unsigned int i = 0; i < nr; i++) {
		size_t offset = (size_t)((const char *)objects[i] - start);

		filled |= pages_of(cache, (unsigned int)(offset / cache->size));
	}
	filled &= slab[1].hollow;
	if (!filled)
		return;
	clear_hollow(cache, node, slab, filled);
	zone_fill_hollow(page_zone(slab), (unsigned int)__builtin_popcount(filled));
}

cold bool hollow_report_free(const void *addr)
{
	struct section *section = addr_to_section(addr);
	unsigned int pfn = addr_to_pfn(addr);
	struct page *slab;

	if (!section || section_tag(section, pfn) != TAG_HOLLOW)
		return false;
	slab = page_head(section_page(section, pfn));
	if (!slab || page_type(slab) != PAGE_SLAB || !slab_is_object(slab->cache, addr))
		return false;
	report_double_free(slab->cache, addr);
	return true;
}
