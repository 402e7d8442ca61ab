/* SPDX-License-Identifier: MIT */
#include "slab/cache.h"

#include <errno.h>
#include <string.h>

#include "base/option.h"
#include "base/root.h"
#include "os/info.h"
#include "page/meta.h"
#include "slab/debug.h"
#include "slab/geometry.h"
#include "slab/hollow.h"
#include "slab/mark.h"
#include "slab/merge.h"
#include "slab/rcu.h"
#include "slab/slab.h"
#include "slab/slot.h"

/* In .bss, a page or two of it touched. [atomic] */
static struct kmem_cache *class_cache[NR_CLASS_TAGS];
static struct kmem_cache *named_cache[MAX_NAMED_CACHES];

static struct lock lifetime_lock;
static struct lock caches_lock;
static struct list_head caches;	 /* [caches_lock] */
static unsigned int first_named; /* [caches_lock] none below it is free */

ROOT_PLACE(caches);

/* Bytes of empty slabs that one node of a cache keeps; a slab at least where no sheaf is in front
 * of it. Arbitrary: as much as a slot's pcp lists. */
#define EMPTY_BYTES	KIB(64)
#define MAX_EMPTY_SLABS 10U

/* A slot's first sheaf of a cache. Arbitrary: small enough to have one of every cache. */
#define FIRST_SHEAF_BYTES   KIB(1)
#define FIRST_SHEAF_OBJECTS 12U

/* Capacity that needs no justification by the number of objects in use. Measured, batches of 1,000
 * mixed sizes, ns a pair, and what redis keeps after FLUSHALL: 8 KiB 13.1, 36.4 MB; 16
 * KiB 10.9, 37.5; 32 KiB 10.4, 38.4; no limit 9.2, 38.5. */
#define SHEAF_FLOOR_BYTES   KIB(32)
#define SHEAF_FLOOR_OBJECTS 124U

/* Full sheaves in a barn. Arbitrary: two slots can each leave two. */
#define BARN_SHEAVES 4

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

/* Whether the contents of a free object must stay as they are. */
static bool keeps_contents(const struct cache_params *params)
{
	return params->ctor || (params->flags & SLAB_TYPESAFE_BY_RCU);
}

/* Object size, alignment and where a free object's mark lies. */
static int set_layout(struct kmem_cache *cache, const struct cache_params *params)
{
	size_t align = params->align ? params->align : MIN_OBJECT_ALIGN;
	size_t size = params->size;

	if (!size || size > SECTION_BYTES || !is_power_of_2(align) || align > MAX_OBJECT_ALIGN)
		return -EINVAL;
	align = MAX(align, MIN_OBJECT_ALIGN);
	cache->object_size = (uint32_t)size;
	cache->align = (uint32_t)align;
	debug_set_layout(cache, params, keeps_contents(params));
	if (cache->debug)
		return 0;
	cache->first_offset = 0;
	cache->mark_word = MARK_WORD;
	if (keeps_contents(params)) {
		cache->mark_word = (uint32_t)DIV_ROUND_UP(size, sizeof(uintptr_t));
		if (params->mark_word)
			cache->mark_word = (uint32_t)*params->mark_word;
	}
	size = MAX(size, (cache->mark_word + 1) * sizeof(uintptr_t));
	size = ALIGN_UP(MAX(size, MIN_OBJECT_BYTES), align);
	if (size > SECTION_BYTES)
		return -EINVAL;
	cache->size = (uint32_t)size;
	return 0;
}

/* See starts_object_at(). */
static void set_reciprocals(struct kmem_cache *cache)
{
	/* a power of two divides 2^64, so the next number is the first that is over */
	bool divides = is_power_of_2(cache->size);

	cache->reciprocal = UINT64_MAX / cache->size + 1 + divides;
	cache->start_limit = cache->reciprocal * cache->size * cache->objects;
	cache->reciprocal_32 = UINT32_MAX / cache->size + 1 + divides;
	cache->start_limit_32 = cache->reciprocal_32 * cache->size * cache->objects;
}

static int set_slab_size(struct kmem_cache *cache, unsigned int max_order)
{
	int order = slab_order(cache->size, cached_min_objects(), max_order);

	if (order < 0)
		return -EINVAL;
	cache->order = (uint8_t)order;
	cache->objects = (uint16_t)((PAGE_SIZE << order) / cache->size);
	cache->slab_mask = (uint32_t)((PAGE_SIZE << order) - 1);
	cache->object_end = cache->objects * cache->size;
	set_reciprocals(cache);
	cache->fullness = ((uint64_t)NR_FULLNESS << 32) / cache->objects;
	return 0;
}

static uint8_t zone_for(slab_flags_t flags)
{
	if (flags & SLAB_CACHE_DMA)
		return ZONE_DMA;
	return flags & SLAB_CACHE_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

static uint32_t clamp(size_t n, uint32_t low, uint32_t high)
{
	return n < low ? low : n > high ? high : (uint32_t)n;
}

/* Objects larger than this have no sheaves: two of them would be much to keep. Arbitrary. */
#define MAX_SHEAF_OBJECT_BYTES KIB(64)

static void set_asked_limits(struct kmem_cache *cache)
{
	cache->sheaf_max = cache->sheaf_capacity;
	cache->sheaf_min = MIN(cache->sheaf_max, FIRST_SHEAF_OBJECTS);
	cache->sheaf_floor = cache->sheaf_max;
}

static void set_found_limits(struct kmem_cache *cache)
{
	size_t sheaf_bytes = READ_ONCE(options.sheaf_kib) * 1024;

	cache->sheaf_max = clamp(sheaf_bytes / cache->size, 2, SHEAF_MAX_CAPACITY);
	cache->sheaf_min = clamp(FIRST_SHEAF_BYTES / cache->size, 2,
				 MIN(FIRST_SHEAF_OBJECTS, cache->sheaf_max));
	cache->sheaf_floor = clamp(SHEAF_FLOOR_BYTES / cache->size, cache->sheaf_min,
				   MIN(SHEAF_FLOOR_OBJECTS, cache->sheaf_max));
}

static void set_limits(struct kmem_cache *cache)
{
	/* a watched cache has no sheaves, so that each call takes the slow path */
	if (cache->debug)
		cache->sheaf_max = 0;
	else if (cache->sheaf_capacity)
		set_asked_limits(cache);
	else if (cache->size <= MAX_SHEAF_OBJECT_BYTES)
		set_found_limits(cache);
	cache->barn_max = cache->sheaf_max * BARN_SHEAVES;
	cache->min_empty = clamp(EMPTY_BYTES / (cache->slab_mask + 1), cache->sheaf_max ? 0 : 1,
				 MAX_EMPTY_SLABS);
}

static void node_init(struct kmem_cache_node *node)
{
	for (int fullness = 0; fullness < NR_FULLNESS; fullness++)
		list_head_init(&node->partial[fullness]);
	list_head_init(&node->looked_through);
}

static unsigned int named_tag(unsigned int number)
{
	return (number / CACHES_PER_GROUP) << 8 | (NR_CLASS_TAGS + number % CACHES_PER_GROUP);
}

static struct kmem_cache **tag_place(size_t tag)
{
	if (tag < NR_CLASS_TAGS)
		return &class_cache[tag];
	return &named_cache[(tag >> 8) * CACHES_PER_GROUP + (tag & (CACHES_PER_GROUP - 1))];
}

struct kmem_cache *tag_to_cache(size_t tag)
{
	return load_acquire(tag_place(tag));
}

/* @tag, or the lowest free one of a named cache when it is 0. Return: 0 when there is none. */
static unsigned int claim_tag(struct kmem_cache *cache, unsigned int tag)
{
	ASSERT_HELD(&caches_lock, LOCK_CACHES);
	if (!tag) {
		while (first_named < MAX_NAMED_CACHES && named_cache[first_named])
			first_named++;
		if (first_named == MAX_NAMED_CACHES)
			return 0;
		tag = named_tag(first_named);
	}
	if (*tag_place(tag))
		return 0;
	store_release(tag_place(tag), cache);
	return tag;
}

static void give_tag_back(const struct kmem_cache *cache)
{
	struct kmem_cache **place = tag_place(cache->tag);

	ASSERT_HELD(&caches_lock, LOCK_CACHES);
	store_release(place, NULL);
	if (cache->tag >= NR_CLASS_TAGS)
		first_named = MIN(first_named, (unsigned int)(place - named_cache));
}

/* Cut to what there is room for. snprintf() would do, but costs a small program memory: see
 * name_class(). */
static void copy_name(char to[CACHE_NAME_BYTES], const char *name)
{
	size_t bytes = strnlen(name, CACHE_NAME_BYTES - 1);

	memcpy(to, name, bytes);
	to[bytes] = '\0';
}

int cache_describe(struct kmem_cache *cache, const struct cache_params *params)
{
	int error;

	cache->flags = debug_cache_flags(params->name, params->flags);
	cache->ctor = params->ctor;
	cache->sheaf_capacity = (uint16_t)MIN(params->sheaf_capacity, SHEAF_MAX_CAPACITY);
	cache->zone = zone_for(params->flags);
	cache->migratetype =
		params->flags & SLAB_RECLAIM_ACCOUNT ? MIGRATE_RECLAIMABLE : MIGRATE_UNMOVABLE;
	copy_name(cache->name, params->name);
	error = set_layout(cache, params);
	if (!error)
		error = set_slab_size(cache, params->max_order);
	if (!error)
		set_limits(cache);
	cache->hollow = !error && hollow_suits(cache);
	return error;
}

static int setup_locked(struct kmem_cache *cache, const struct cache_params *params)
{
	unsigned int tag;
	int error;

	ASSERT_HELD(&caches_lock, LOCK_CACHES);
	if (cache->ready)
		return 0; /* another thread was faster */
	error = cache_describe(cache, params);
	if (error)
		return error;
	node_init(&cache->node0);
	cache->node[0] = &cache->node0;
	list_head_init(&cache->aliases);
	cache->nr_names = 1;
	tag = claim_tag(cache, params->tag);
	if (!tag)
		return -ENOSPC;
	cache->tag = (uint16_t)tag;
	slot_set_places(cache);
	if (!caches.next)
		list_head_init(&caches);
	list_add_tail(&cache->list, &caches);
	store_release(&cache->ready, true);
	return 0;
}

int cache_setup(struct kmem_cache *cache, const struct cache_params *params)
{
	int error;

	lock_acquire(&caches_lock, LOCK_CACHES);
	error = setup_locked(cache, params);
	lock_release(&caches_lock, LOCK_CACHES);
	return error;
}

int cache_try_setup(struct kmem_cache *cache, const struct cache_params *params)
{
	int error;

	if (!lock_try(&caches_lock, LOCK_CACHES))
		return -EAGAIN;
	error = setup_locked(cache, params);
	lock_release(&caches_lock, LOCK_CACHES);
	return error;
}

struct kmem_cache *cache_join(const struct kmem_cache *wanted, struct cache_alias *alias)
{
	struct kmem_cache *found = NULL;
	struct list_head *pos;

	lock_acquire(&caches_lock, LOCK_CACHES);
	list_for_each (pos, &caches) {
		struct kmem_cache *cache = list_entry(pos, struct kmem_cache, list);

		/* one without a name is about to end */
		if (cache->nr_names && cache_may_merge(cache) && cache_serves(cache, wanted)) {
			found = cache;
			list_add(&alias->list, &cache->aliases);
			cache->nr_names++;
			WRITE_ONCE(cache->object_size,
				   MAX(cache->object_size, wanted->object_size));
			break;
		}
	}
	lock_release(&caches_lock, LOCK_CACHES);
	return found;
}

bool cache_drop_name(struct kmem_cache *cache, struct cache_alias **alias)
{
	bool left;

	lock_acquire(&caches_lock, LOCK_CACHES);
	if (cache->nr_names)
		cache->nr_names--;
	left = cache->nr_names;
	if (left) {
		*alias = list_first_entry(&cache->aliases, struct cache_alias, list);
		list_del(&(*alias)->list);
	}
	lock_release(&caches_lock, LOCK_CACHES);
	return left;
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
	if (unlikely(cache->debug))
		debug_freed(cache);
	return left;
}

void cache_shrink_node(struct kmem_cache *cache, struct kmem_cache_node *node)
{
	flush_barn(cache, node);
	slab_shrink_node(cache, node);
	if (unlikely(cache->debug))
		debug_freed(cache);
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

static struct slab_events ended_events; /* [caches_lock] of caches that have ended */

static void add_events(const struct kmem_cache *cache, struct slab_events *events)
{
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

		if (!node)
			continue;
		lock_acquire(&node->list_lock, LOCK_NODE);
		events->slab_alloc += node->events.slab_alloc;
		events->slab_free += node->events.slab_alloc - node->nr_slabs;
		events->partial_add += node->events.partial_add;
		events->partial_del += node->events.partial_add - node->nr_partial;
		lock_release(&node->list_lock, LOCK_NODE);
	}
}

void cache_count_events(struct slab_events *events)
{
	struct list_head *pos;

	lock_acquire(&caches_lock, LOCK_CACHES);
	*events = ended_events;
	list_for_each (pos, &caches)
		add_events(list_entry(pos, struct kmem_cache, list), events);
	lock_release(&caches_lock, LOCK_CACHES);
}

/* What a cache that ends has counted goes to the totals. */
static void retire_counters(struct kmem_cache *cache)
{
	ASSERT_HELD(&caches_lock, LOCK_CACHES);
	add_events(cache, &ended_events);
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		const struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

		if (!node)
			continue;
		lock_retire(&node->barn.lock, LOCK_BARN);
		lock_retire(&node->list_lock, LOCK_NODE);
	}
}

static void free_nodes(struct kmem_cache *cache)
{
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct kmem_cache_node *node = cache->node[nid];

		if (node && node != &cache->node0)
			meta_free(node, sizeof(*node));
	}
}

/* Give all that slots, barns and slabs have of a cache back. Return: whether nothing is left. */
static bool empty_out(struct kmem_cache *cache)
{
	bool empty;

	lock_acquire(&lifetime_lock, LOCK_LIFETIME);
	slot_forget_cache(cache);
	cache_shrink(cache);
	empty = !slabs_left(cache);
	lock_release(&lifetime_lock, LOCK_LIFETIME);
	return empty;
}

int cache_teardown(struct kmem_cache *cache)
{
	if (!empty_out(cache))
		return -EBUSY;
	/* without a lock, since a reader may be waiting for it */
	if (cache->flags & SLAB_TYPESAFE_BY_RCU)
		slab_rcu_barrier();
	lock_acquire(&lifetime_lock, LOCK_LIFETIME);
	lock_acquire(&caches_lock, LOCK_CACHES);
	list_del(&cache->list);
	retire_counters(cache);
	give_tag_back(cache);
	store_release(&cache->ready, false);
	lock_release(&caches_lock, LOCK_CACHES);
	free_nodes(cache);
	lock_release(&lifetime_lock, LOCK_LIFETIME);
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

/* The cache behind @cache, or the first one for NULL. */
static struct kmem_cache *next_cache(const struct kmem_cache *cache)
{
	struct kmem_cache *next = NULL;
	const struct list_head *pos;

	lock_acquire(&caches_lock, LOCK_CACHES);
	pos = cache ? &cache->list : &caches;
	if (pos->next && pos->next != &caches)
		next = list_entry(pos->next, struct kmem_cache, list);
	lock_release(&caches_lock, LOCK_CACHES);
	return next;
}

void cache_for_each_alive(void (*visit)(struct kmem_cache *cache, void *arg), void *arg)
{
	lock_acquire(&lifetime_lock, LOCK_LIFETIME);
	for (struct kmem_cache *cache = next_cache(NULL); cache; cache = next_cache(cache))
		visit(cache, arg);
	lock_release(&lifetime_lock, LOCK_LIFETIME);
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
		count->hollow += node->nr_hollow;
		lock_release(&node->list_lock, LOCK_NODE);
		count->in_barns += READ_ONCE(node->barn.nr_objects);
	}
	count->objects = count->slabs * cache->objects;
	count->in_slots = slot_count_objects(cache);
}

void cache_walk_lifetime(lock_visit *visit, void *arg)
{
	visit(&lifetime_lock, arg);
}

void cache_walk_caches(lock_visit *visit, void *arg)
{
	visit(&caches_lock, arg);
}

/* The two below run with caches_lock held (fork takes the ranks in order). */
void cache_walk_barns(lock_visit *visit, void *arg)
{
	struct list_head *pos;

	list_for_each (pos, &caches) {
		struct kmem_cache *cache = list_entry(pos, struct kmem_cache, list);

		for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
			struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

			if (node)
				visit(&node->barn.lock, arg);
		}
	}
}

void cache_walk_nodes(lock_visit *visit, void *arg)
{
	struct list_head *pos;

	list_for_each (pos, &caches) {
		struct kmem_cache *cache = list_entry(pos, struct kmem_cache, list);

		for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
			struct kmem_cache_node *node = load_acquire(&cache->node[nid]);

			if (node)
				visit(&node->list_lock, arg);
		}
	}
}
