/* SPDX-License-Identifier: MIT */
/*
 * Pools that keep a reserve, so that whoever frees what it took can always go on: <linux/mempool.h>.
 *
 * An element comes from the pool's own allocation function while that succeeds, and out of the reserve
 * when it does not; what is freed goes to the reserve first until that is full.
 *
 * All functions: any thread, not from a signal handler.
 */
#ifndef SLABUDDY_MEMPOOL_H
#define SLABUDDY_MEMPOOL_H

#include <stdbool.h>

#include <slabuddy/gfp.h>
#include <slabuddy/slab.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Gets @pool_data as the pool was told it. */
typedef void *(mempool_alloc_t)(gfp_t gfp, void *pool_data);
typedef void(mempool_free_t)(void *element, void *pool_data);

typedef struct mempool mempool_t;

/**
 * mempool_create() - a pool with a reserve of @min_nr elements, which are allocated at once.
 * @min_nr: at least 1.
 * @alloc_fn: may return NULL. Called without any lock.
 * @free_fn: the reverse of it.
 *
 * Return: the pool; NULL: no memory, or @min_nr is less than 1.
 */
mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			  void *pool_data);
mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			       void *pool_data, gfp_t gfp, int nid);

/* For these, @pool_data is a struct kmem_cache, a number of bytes, an order. */
void *mempool_alloc_slab(gfp_t gfp, void *pool_data);
void mempool_free_slab(void *element, void *pool_data);
void *mempool_kmalloc(gfp_t gfp, void *pool_data);
void mempool_kfree(void *element, void *pool_data);
void *mempool_alloc_pages(gfp_t gfp, void *pool_data);
void mempool_free_pages(void *element, void *pool_data);

static inline mempool_t *mempool_create_slab_pool(int min_nr, struct kmem_cache *cache)
{
	return mempool_create(min_nr, mempool_alloc_slab, mempool_free_slab, (void *)cache);
}

static inline mempool_t *mempool_create_kmalloc_pool(int min_nr, size_t size)
{
	return mempool_create(min_nr, mempool_kmalloc, mempool_kfree, (void *)size);
}

/* Elements are struct page pointers. */
static inline mempool_t *mempool_create_page_pool(int min_nr, int order)
{
	return mempool_create(min_nr, mempool_alloc_pages, mempool_free_pages, (void *)(long)order);
}

/**
 * mempool_resize() - another size of the reserve.
 * @new_min_nr: at least 1.
 *
 * Return: 0; -EINVAL for a bad number; -ENOMEM, and then the pool is as it was. A larger reserve may fill
 * up only later, with what is freed.
 */
int mempool_resize(mempool_t *pool, int new_min_nr);

/* End a pool and free its reserve. NULL is nothing. What was taken out of it must have come back. */
void mempool_destroy(mempool_t *pool);

/**
 * mempool_alloc() - an element.
 * @gfp: with __GFP_DIRECT_RECLAIM it waits until somebody frees one; else it may return NULL. __GFP_ZERO
 *	is not for pools: a reserve holds anything.
 *
 * Return: an element; never NULL with __GFP_DIRECT_RECLAIM.
 */
void *mempool_alloc(mempool_t *pool, gfp_t gfp);

/* An element of the reserve, or NULL when there is none. Never waits, never allocates. */
void *mempool_alloc_preallocated(mempool_t *pool);

/* Give an element back. NULL is nothing. */
void mempool_free(void *element, mempool_t *pool);

/* Several at once: all of them or none. Return: 0, or -ENOMEM where it may not wait. */
int mempool_alloc_bulk(mempool_t *pool, gfp_t gfp, unsigned int nr, void **elements);
void mempool_free_bulk(mempool_t *pool, unsigned int nr, void **elements);

/* Elements in the reserve, and how many there should be. */
int mempool_curr_nr(mempool_t *pool);
int mempool_min_nr(mempool_t *pool);

/* Whether the reserve is full. */
bool mempool_is_saturated(mempool_t *pool);

#ifdef __cplusplus
}
#endif

#endif
