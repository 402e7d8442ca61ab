/* SPDX-License-Identifier: MIT */
/*
 * Pools with a reserve.
 *
 * For every pool, under its lock, where "out" are elements of the reserve that somebody has:
 *
 *     nr_free + nr_owed + out == min_nr
 *
 * Nobody holds anything while he waits: a request for several elements that the reserve cannot complete gives
 * back what it got first. So the reserve of a pool fills up as soon as whoever has an element frees it, and
 * two requests cannot hold one another's missing half.
 */
#include <slabuddy/mempool.h>

#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "base/check.h"
#include "base/event.h"
#include "base/list.h"
#include "base/lock.h"
#include "page/meta.h"

/* Memory may come from elsewhere than from a free to this pool; how often to look. Arbitrary, the
 * kernel's figure. */
#define RETRY_MS 5000

struct mempool {
	struct lock lock;
	struct event freed; /* [lock] the reserve got something */
	int min_nr;	    /* [lock; atomic] elements that the reserve should have */
	int nr_free;	    /* [lock; atomic] that it has */
	int nr_owed;	    /* [lock] that a resize found no memory for */
	void **elements;    /* [lock] room for min_nr */
	mempool_alloc_t *alloc; /* [const] */
	mempool_free_t *free;	/* [const] */
	void *data;		/* [const] */
	struct list_head list;	/* [MEMPOOLS] */
};

static struct lock pools_lock;
static struct list_head pools; /* [pools_lock] */

static void walk_pools_lock(lock_visit *visit, void *arg)
{
	visit(&pools_lock, arg);
}

static void walk_pools(lock_visit *visit, void *arg)
{
	struct list_head *pos;

	list_for_each (pos, &pools)
		visit(&list_entry(pos, struct mempool, list)->lock, arg);
}

static __attribute__((constructor)) void mempool_boot(void)
{
	lock_set_walker(LOCK_MEMPOOLS, walk_pools_lock);
	lock_set_walker(LOCK_MEMPOOL, walk_pools);
}

static void pool_lock(struct mempool *pool)
{
	lock_acquire(&pool->lock, LOCK_MEMPOOL);
}

static void pool_unlock(struct mempool *pool)
{
	lock_release(&pool->lock, LOCK_MEMPOOL);
}

static void put_locked(struct mempool *pool, void *element)
{
	ASSERT_HELD(&pool->lock, LOCK_MEMPOOL);
	ASSERT(pool->nr_free < pool->min_nr);
	pool->elements[pool->nr_free] = element;
	WRITE_ONCE(pool->nr_free, pool->nr_free + 1);
	pool->nr_owed = MIN(pool->nr_owed, pool->min_nr - pool->nr_free);
}

static void *get_locked(struct mempool *pool)
{
	ASSERT_HELD(&pool->lock, LOCK_MEMPOOL);
	ASSERT(pool->nr_free > 0);
	WRITE_ONCE(pool->nr_free, pool->nr_free - 1);
	return pool->elements[pool->nr_free];
}

/*
 * Whether the reserve has room. Without the lock: whoever frees an element of the reserve got it from
 * the thread that took it out, and so sees that it is not full.
 */
static bool has_room(const struct mempool *pool)
{
	return READ_ONCE(pool->nr_free) < READ_ONCE(pool->min_nr);
}

/* Return: whether the reserve took the element. */
static bool put(struct mempool *pool, void *element)
{
	bool sleepers = false, taken;

	pool_lock(pool);
	taken = has_room(pool);
	if (taken) {
		put_locked(pool, element);
		sleepers = event_happened(&pool->freed);
	}
	pool_unlock(pool);
	/* the pool may have ended by now; its memory, which is for metadata, stays readable */
	if (sleepers)
		event_wake(&pool->freed);
	return taken;
}

/* Take @nr elements of the reserve, or none. @ticket: for whoever waits then, or NULL. */
static bool get(struct mempool *pool, unsigned int nr, void **elements, uint32_t *ticket)
{
	bool enough;

	pool_lock(pool);
	enough = (unsigned int)pool->nr_free >= nr;
	for (unsigned int i = 0; enough && i < nr; i++)
		elements[i] = get_locked(pool);
	if (!enough && ticket)
		*ticket = event_expect(&pool->freed);
	pool_unlock(pool);
	return enough;
}

static void free_elements(struct mempool *pool)
{
	while (pool->nr_free)
		pool->free(pool->elements[--pool->nr_free], pool->data);
}

/* Elements that @pool was told it should have. Return: whether they are all there. */
static bool fill_new(struct mempool *pool, gfp_t gfp)
{
	while (pool->nr_free < pool->min_nr) {
		void *element = pool->alloc(gfp, pool->data);

		if (!element)
			return false;
		pool->elements[pool->nr_free++] = element;
	}
	return true;
}

static void announce(struct mempool *pool)
{
	lock_acquire(&pools_lock, LOCK_MEMPOOLS);
	if (!pools.next)
		list_head_init(&pools);
	list_add(&pool->list, &pools);
	lock_release(&pools_lock, LOCK_MEMPOOLS);
}

exported mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn,
					mempool_free_t *free_fn, void *pool_data, gfp_t gfp,
					int nid)
{
	struct mempool *pool;

	if (min_nr < 1 || !alloc_fn || !free_fn)
		return NULL;
	pool = meta_alloc(sizeof(*pool));
	if (!pool)
		return NULL;
	pool->elements = kvmalloc_node((size_t)min_nr * sizeof(void *), gfp & ~__GFP_ZERO, nid);
	pool->min_nr = min_nr;
	pool->alloc = alloc_fn;
	pool->free = free_fn;
	pool->data = pool_data;
	if (pool->elements && fill_new(pool, gfp)) {
		announce(pool);
		return pool;
	}
	free_elements(pool);
	kvfree(pool->elements);
	meta_free(pool, sizeof(*pool));
	return NULL;
}

exported mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
				   void *pool_data)
{
	return mempool_create_node(min_nr, alloc_fn, free_fn, pool_data, GFP_KERNEL, NUMA_NO_NODE);
}

exported void mempool_destroy(mempool_t *pool)
{
	int missing;

	if (!pool)
		return;
	lock_acquire(&pools_lock, LOCK_MEMPOOLS);
	list_del(&pool->list);
	lock_retire(&pool->lock, LOCK_MEMPOOL);
	lock_release(&pools_lock, LOCK_MEMPOOLS);
	missing = pool->min_nr - pool->nr_free - pool->nr_owed;
	if (missing)
		warn("mempool_destroy(%p): %d of %d elements of the reserve did not come back",
		     (void *)pool, missing, pool->min_nr);
	free_elements(pool);
	kvfree(pool->elements);
	meta_free(pool, sizeof(*pool));
}

/* Give a pool another array, and free the elements that do not fit. Return: the array it had. */
static void **exchange_array(struct mempool *pool, void **elements, int min_nr)
{
	int nr_freed = 0, out;
	void **old;

	pool_lock(pool);
	while (pool->nr_free > min_nr) {
		void *element = get_locked(pool);

		pool_unlock(pool);
		pool->free(element, pool->data);
		nr_freed++;
		pool_lock(pool);
	}
	out = MAX(pool->min_nr - pool->nr_free - nr_freed - pool->nr_owed, 0);
	old = pool->elements;
	memcpy(elements, old, (size_t)pool->nr_free * sizeof(void *));
	pool->elements = elements;
	WRITE_ONCE(pool->min_nr, min_nr);
	pool->nr_owed = MAX(min_nr - pool->nr_free - out, 0);
	pool_unlock(pool);
	return old;
}

/* Return: whether an element just made was owed. */
static bool put_owed(struct mempool *pool, void *element)
{
	bool sleepers = false, owed;

	pool_lock(pool);
	owed = pool->nr_owed > 0;
	if (owed) {
		pool->nr_owed--;
		put_locked(pool, element);
		sleepers = event_happened(&pool->freed);
	}
	pool_unlock(pool);
	if (sleepers)
		event_wake(&pool->freed);
	return owed;
}

static void fill_owed(struct mempool *pool)
{
	int nr_owed;

	pool_lock(pool);
	nr_owed = pool->nr_owed;
	pool_unlock(pool);
	while (nr_owed--) {
		void *element = pool->alloc(GFP_KERNEL, pool->data);

		if (!element)
			return;
		if (!put_owed(pool, element)) {
			pool->free(element, pool->data);
			return;
		}
	}
}

exported int mempool_resize(mempool_t *pool, int new_min_nr)
{
	void **elements;

	if (!pool || new_min_nr < 1)
		return -EINVAL;
	elements = kvmalloc_array((size_t)new_min_nr, sizeof(void *), GFP_KERNEL);
	if (!elements)
		return -ENOMEM;
	kvfree(exchange_array(pool, elements, new_min_nr));
	fill_owed(pool);
	return 0;
}

/* What it takes when the pool's own function gets no more, until it does without its reserve. */
static gfp_t careful(gfp_t gfp)
{
	return (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NORETRY | __GFP_NOWARN | __GFP_NOMEMALLOC;
}

static unsigned int allocate(struct mempool *pool, gfp_t gfp, unsigned int nr, void **elements)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		elements[i] = pool->alloc(gfp, pool->data);
		if (!elements[i])
			break;
	}
	return i;
}

/* One try without waiting. */
static bool obtain(struct mempool *pool, gfp_t gfp, unsigned int nr, void **elements)
{
	unsigned int got = allocate(pool, gfp, nr, elements);

	if (got == nr || get(pool, nr - got, elements + got, NULL))
		return true;
	while (got)
		mempool_free(elements[--got], pool);
	return false;
}

static noinline void wait_for(struct mempool *pool, gfp_t gfp, unsigned int nr, void **elements)
{
	uint32_t ticket;

	while (!obtain(pool, gfp, nr, elements) && !get(pool, nr, elements, &ticket)) {
		/* of those who are woken most find nothing; no reason for all of them to reclaim */
		if (event_wait(&pool->freed, ticket, RETRY_MS))
			gfp = careful(gfp);
		else
			gfp |= __GFP_DIRECT_RECLAIM;
	}
}

/* Return: whether the elements are there. */
static bool take(struct mempool *pool, gfp_t gfp, unsigned int nr, void **elements)
{
	bool may_wait = gfpflags_allow_blocking(gfp);

	if (unlikely(gfp & __GFP_ZERO))
		warn_once("__GFP_ZERO is not for mempools: a reserve holds anything");
	/* whether it may fail, the pool itself decides */
	gfp &= ~(__GFP_ZERO | __GFP_NOFAIL);
	if (likely(obtain(pool, careful(gfp), nr, elements)))
		return true;
	if (may_wait)
		wait_for(pool, gfp | __GFP_NORETRY | __GFP_NOWARN, nr, elements);
	return may_wait;
}

static cold void warn_no_pool(void)
{
	warn_once("a mempool function with the pool NULL");
}

exported void *mempool_alloc(mempool_t *pool, gfp_t gfp)
{
	void *element;

	if (unlikely(!pool)) {
		warn_no_pool();
		return NULL;
	}
	return take(pool, gfp, 1, &element) ? element : NULL;
}

exported void *mempool_alloc_preallocated(mempool_t *pool)
{
	void *element;

	if (unlikely(!pool)) {
		warn_no_pool();
		return NULL;
	}
	return get(pool, 1, &element, NULL) ? element : NULL;
}

exported int mempool_alloc_bulk(mempool_t *pool, gfp_t gfp, unsigned int nr, void **elements)
{
	if (unlikely(!pool)) {
		warn_no_pool();
		return -ENOMEM;
	}
	if (unlikely(nr > (unsigned int)READ_ONCE(pool->min_nr)) && gfpflags_allow_blocking(gfp))
		warn_once("mempool_alloc_bulk(): %u elements, more than the reserve of %d", nr,
			  READ_ONCE(pool->min_nr));
	return take(pool, gfp, nr, elements) ? 0 : -ENOMEM;
}

exported void mempool_free(void *element, mempool_t *pool)
{
	if (unlikely(!element))
		return;
	if (unlikely(!pool)) {
		warn_no_pool();
		return;
	}
	if (has_room(pool) && put(pool, element))
		return;
	pool->free(element, pool->data);
}

exported void mempool_free_bulk(mempool_t *pool, unsigned int nr, void **elements)
{
	for (unsigned int i = 0; i < nr; i++)
		mempool_free(elements[i], pool);
}

exported int mempool_curr_nr(mempool_t *pool)
{
	return pool ? READ_ONCE(pool->nr_free) : 0;
}

exported int mempool_min_nr(mempool_t *pool)
{
	return pool ? READ_ONCE(pool->min_nr) : 0;
}

exported bool mempool_is_saturated(mempool_t *pool)
{
	return !pool || !has_room(pool);
}

exported void *mempool_alloc_slab(gfp_t gfp, void *pool_data)
{
	return kmem_cache_alloc(pool_data, gfp);
}

exported void mempool_free_slab(void *element, void *pool_data)
{
	kmem_cache_free(pool_data, element);
}

exported void *mempool_kmalloc(gfp_t gfp, void *pool_data)
{
	return kmalloc((size_t)pool_data, gfp);
}

exported void mempool_kfree(void *element, void *pool_data)
{
	(void)pool_data;
	kfree(element);
}

exported void *mempool_alloc_pages(gfp_t gfp, void *pool_data)
{
	return alloc_pages(gfp, (unsigned int)(uintptr_t)pool_data);
}

exported void mempool_free_pages(void *element, void *pool_data)
{
	__free_pages(element, (unsigned int)(uintptr_t)pool_data);
}
