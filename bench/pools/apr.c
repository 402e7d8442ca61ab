/* SPDX-License-Identifier: MIT */
/* APR's pools, in which nothing is freed by itself: a pair is an allocation and a clear, a bulk of n
 * objects n of them and a clear. A pool is for one thread. */
#include "pool.h"

#ifdef HAVE_APR
#include <apr_general.h>
#include <apr_pools.h>

static _Thread_local size_t object_size;

static void *open_pool(size_t size, pool_ctor *ctor)
{
	apr_pool_t *pool;

	(void)ctor;
	object_size = size;
	/* counts how often it is called, and terminates with the process */
	if (apr_initialize())
		return NULL;
	return apr_pool_create(&pool, NULL) ? NULL : pool;
}

static void *alloc_object(void *pool)
{
	return apr_palloc(pool, object_size);
}

static void free_object(void *pool, void *object)
{
	(void)object;
	apr_pool_clear(pool);
}

static void free_objects(void *pool, void **objects)
{
	(void)objects;
	apr_pool_clear(pool);
}

static void close_pool(void *pool)
{
	apr_pool_destroy(pool);
}

static const struct pool apr_pool = {
	.name = "apr_pool",
	.objects = true,
	.one_thread = true,
	.open = open_pool,
	.alloc = alloc_object,
	.free = free_object,
	.free_bulk = free_objects,
	.close = close_pool,
};
POOL(apr_pool);
#else
POOL_MISSING("apr_pool", "libapr1-dev");
#endif
