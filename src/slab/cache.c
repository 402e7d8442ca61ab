/* SPDX-License-Identifier: MIT */
#include "slab/cache.h"

#include <errno.h>
#include <stdio.h>

#include "base/option.h"
#include "os/info.h"
#include "page/meta.h"
#include "slab/geometry.h"
#include "slab/slab.h"
#include "slab/slot.h"

struct kmem_cache *tag_cache[NR_TAGS];

static struct lock caches_lock;
static struct list_head caches; /* [caches_lock] */

/* Bytes of empty slabs that one node of a cache keeps. Arbitrary: as much as a slot's pcp lists. */
#define EMPTY_BYTES KIB(64)
#define MAX_EMPTY_SLABS 10U

/* A slot's first sheaf of a cache. Arbitrary: small enough to have one of every cache. */
#define FIRST_SHEAF_BYTES KIB(1)
#define FIRST_SHEAF_OBJECTS 12U

/* Capacity that needs no justification by the number of objects in use. Measured, batches of 1,000
 * mixed sizes, ns a pair, and what redis keeps after FLUSHALL: 8 KiB 13.1, 36.4 MB; 16 KiB 10.9, 37.5;
 * 32 KiB 10.4, 38.4; no limit 9.2, 38.5. */
#define SHEAF_FLOOR_BYTES KIB(32)
#define SHEAF_FLOOR_OBJECTS 124U

/* Full sheaves in a barn. Arbitrary: two slots can each leave two. */
#define BARN_SHEAVES 4

static uint64_t reciprocal_of(uint64_t n)
{
	return UINT64_MAX / n + 1;
}

static unsigned int cached_min_objects(void)
{
	static unsigned int cached;
	unsigned int objects = READ_ONCE(cached);

	/* racy: whoever comes first writes the same value */
	if (!objects) {
		objects = slab_min_objects(os_nr_cpus());
		WRITE_ONCE(cached, objects);
	}
	return objects;
}

/* Object size, alignment and slab size. */
static int set_geometry(struct kmem_cache *cache, size_t size, size_t align,
			unsigned int max_order)
{
	int order;

	if (!align)
		align = MIN_OBJECT_BYTES;
	if (!size || size > SECTION_BYTES || !is_power_of_2(align) || align > PAGE_SIZE)
		return -EINVAL;
	cache->object_size = (uint32_t)size;
	cache->align = (uint32_t)align;
	cache->size = (uint32_t)ALIGN_UP(MAX(size, MIN_OBJECT_BYTES), align);
	order = slab_order(cache->size, cached_min_objects(), max_order);
	if (order < 0)
		return -EINVAL;
	cache->order = (uint8_t)order;
	cache->objects = (uint16_t)((PAGE_SIZE << order) / cache->size);
	cache->slab_mask = (uint32_t)((PAGE_SIZE << order) - 1);
	cache->reciprocal = reciprocal_of(cache->size);
	cache->fullness = ((uint64_t)NR_FULLNESS << 32) / cache->objects;
	return 0;
}

static uint32_t clamp(size_t n, uint32_t low, uint32_t high)
{
	return n < low ? low : n > high ? high : (uint32_t)n;
}

static void set_limits(struct kmem_cache *cache)
{
	size_t sheaf_bytes = READ_ONCE(options.sheaf_kib) * 1024;

	cache->sheaf_max = clamp(sheaf_bytes / cache->size, 2, SHEAF_MAX_CAPACITY);
	cache->sheaf_min = clamp(FIRST_SHEAF_BYTES / cache->size, 2,
				 MIN(FIRST_SHEAF_OBJECTS, cache->sheaf_max));
	cache->sheaf_floor = clamp(SHEAF_FLOOR_BYTES / cache->size, cache->sheaf_min,
				   MIN(SHEAF_FLOOR_OBJECTS, cache->sheaf_max));
	cache->barn_max = cache->sheaf_max * BARN_SHEAVES;
	cache->min_empty = clamp(EMPTY_BYTES / (cache->slab_mask + 1), 1, MAX_EMPTY_SLABS);
}

static void node_init(struct kmem_cache_node *node)
{
	for (int fullness = 0; fullness < NR_FULLNESS; fullness++)
		list_head_init(&node->partial[fullness]);
}

/* @tag, or any free one when it is 0. Return: 0 when there is none. */
static unsigned int claim_tag(struct kmem_cache *cache, unsigned int tag)
{
	ASSERT_HELD(&caches_lock, LOCK_CACHES);
	if (!tag) {
		for (tag = NR_TAGS - 1; tag >= TAG_FIRST_NAMED && tag_cache[tag]; tag--)
			;
		if (tag < TAG_FIRST_NAMED)
			return 0;
	}
	if (tag_cache[tag])
		return 0;
	store_release(&tag_cache[tag], cache);
	return tag;
}

int cache_setup(struct kmem_cache *cache, const char *name, size_t size, size_t align,
		     unsigned int max_order, unsigned int tag)
{
	int error = 0;

	lock_acquire(&caches_lock, LOCK_CACHES);
	if (cache->ready)
		goto out; /* another thread was faster */
	error = set_geometry(cache, size, align, max_order);
	if (error)
		goto out;
	set_limits(cache);
	snprintf(cache->name, sizeof(cache->name), "%s", name);
	cache->migratetype = MIGRATE_UNMOVABLE;
	node_init(&cache->node0);
	cache->node[0] = &cache->node0;
	cache->tag = (uint8_t)claim_tag(cache, tag);
	if (!cache->tag) {
		error = -ENOSPC;
		goto out;
	}
	if (!caches.next)
		list_head_init(&caches);
	list_add_tail(&cache->list, &caches);
	store_release(&cache->ready, true);
out:
	lock_release(&caches_lock, LOCK_CACHES);
	return error;
}

struct kmem_cache_node *cache_node(struct kmem_cache *cache, unsigned int nid)
{
	struct kmem_cache_node *node = load_acquire(&cache->node[nid]);
	struct kmem_cache_node *there = NULL;

	if (likely(node))
		return node;
	node = meta_alloc(sizeof(*node));
	if (!node)
		return NULL;
	node_init(node);
	if (__atomic_compare_exchange_n(&cache->node[nid], &there, node, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return node;
	meta_free(node, sizeof(*node));
	return there;
}

static void flush_barn(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	struct sheaf *full = barn_drain(&node->barn);

	while (full) {
		struct sheaf *next = full->next;

		slab_flush(cache, full->objects, full->size, NULL, 0);
		sheaf_free(full);
		full = next;
	}
}

int cache_shrink(struct kmem_cache *cache)
{
	int left = 0;

	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

		if (node)
			flush_barn(cache, node);
	}
	/* a barn may hold objects of any node's slabs, so all barns come before the first slab */
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

		if (!node)
			continue;
		slab_shrink_node(cache, node);
		left |= READ_ONCE(node->nr_empty) != 0;
	}
	return left;
}

static unsigned long slabs_left(struct kmem_cache *cache)
{
	unsigned long slabs = 0;

	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

		if (node)
			slabs += READ_ONCE(node->nr_slabs);
	}
	return slabs;
}

int cache_teardown(struct kmem_cache *cache)
{
	bool forgotten = slot_forget_cache(cache);

	cache_shrink(cache);
	if (!forgotten || slabs_left(cache))
		return -EBUSY;
	lock_acquire(&caches_lock, LOCK_CACHES);
	list_del(&cache->list);
	store_release(&tag_cache[cache->tag], NULL);
	store_release(&cache->ready, false);
	lock_release(&caches_lock, LOCK_CACHES);
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = cache->node[nid];

		if (node && node != &cache->node0)
			meta_free(node, sizeof(*node));
	}
	return 0;
}

static void set_limits_again(struct kmem_cache *cache, void *unused)
{
	(void)unused;
	set_limits(cache);
}

void cache_options_changed(void)
{
	cache_for_each(set_limits_again, NULL);
}

void cache_for_each(void (*visit)(struct kmem_cache *cache, void *arg), void *arg)
{
	struct list_head *pos;

	lock_acquire(&caches_lock, LOCK_CACHES);
	list_for_each (pos, &caches)
		visit(list_entry(pos, struct kmem_cache, list), arg);
	lock_release(&caches_lock, LOCK_CACHES);
}

void cache_count(struct kmem_cache *cache, struct cache_count *count)
{
	*count = (struct cache_count){ 0 };
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

		if (!node)
			continue;
		lock_acquire(&node->list_lock, LOCK_NODE);
		count->slabs += node->nr_slabs;
		count->inuse += node->nr_inuse;
		lock_release(&node->list_lock, LOCK_NODE);
		count->in_barns += READ_ONCE(node->barn.nr_objects);
	}
	count->objects = count->slabs * cache->objects;
}

void cache_walk_caches(void (*visit)(struct lock *lock))
{
	visit(&caches_lock);
}

/* The two below run with caches_lock held (fork takes the ranks in order). */
void cache_walk_barns(void (*visit)(struct lock *lock))
{
	struct list_head *pos;

	list_for_each (pos, &caches) {
		struct kmem_cache *cache = list_entry(pos, struct kmem_cache, list);

		for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
			struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

			if (node)
				visit(&node->barn.lock);
		}
	}
}

void cache_walk_nodes(void (*visit)(struct lock *lock))
{
	struct list_head *pos;

	list_for_each (pos, &caches) {
		struct kmem_cache *cache = list_entry(pos, struct kmem_cache, list);

		for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
			struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

			if (node)
				visit(&node->list_lock);
		}
	}
}
