/* SPDX-License-Identifier: MIT */
/* DPDK's rte_mempool, with a cache for each thread. Objects of a pool are there from the start, and all
 * of its memory with them. */
#include "pool.h"

#ifdef HAVE_DPDK
#include <errno.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

enum {
	NR_OBJECTS = 8191,  /* DPDK's manual: best is a power of two less one */
	CACHE_OBJECTS = 256, /* as many a thread, what DPDK's own test of it takes */
};

static pool_ctor *pool_constructor;

/* Ordinary pages, no devices, nothing left in the file system. */
static bool start_dpdk(void)
{
	/* may be written to by the callee, so no constants */
	static char arguments[][20] = {
		"cache", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m",	 "64",	      "-l",	     "0",	 "--log-level=error",
	};
	enum { NR_ARGUMENTS = sizeof(arguments) / sizeof(arguments[0]) };
	static char *pointers[NR_ARGUMENTS + 1];
	static bool started;

	if (started)
		return true;
	for (int i = 0; i < NR_ARGUMENTS; i++)
		pointers[i] = arguments[i];
	started = rte_eal_init(NR_ARGUMENTS, pointers) >= 0;
	return started;
}

static void construct(struct rte_mempool *mempool, void *arg, void *object, unsigned int number)
{
	(void)mempool;
	(void)arg;
	(void)number;
	pool_constructor(object);
}

static void *open_mempool(size_t size, pool_ctor *ctor)
{
	void *mempool = NULL;

	pool_constructor = ctor;
	if (start_dpdk())
		mempool = rte_mempool_create("bench", NR_OBJECTS, (unsigned int)size, CACHE_OBJECTS,
					     0, NULL, NULL, ctor ? construct : NULL, NULL,
					     SOCKET_ID_ANY, 0);
	if (!mempool)
		errno = rte_errno;
	return mempool;
}

/* A thread that DPDK does not know has no cache. */
static void enter_mempool(void)
{
	if (rte_lcore_id() == LCORE_ID_ANY && rte_thread_register()) {
		fprintf(stderr, "cache: rte_mempool: rte_thread_register: %s\n",
			rte_strerror(rte_errno));
		exit(1);
	}
}

static void *alloc_object(void *mempool)
{
	void *object;

	return rte_mempool_get(mempool, &object) ? NULL : object;
}

static void free_object(void *mempool, void *object)
{
	rte_mempool_put(mempool, object);
}

static bool alloc_objects(void *mempool, void **objects)
{
	return rte_mempool_get_bulk(mempool, objects, POOL_BULK) == 0;
}

static void free_objects(void *mempool, void **objects)
{
	rte_mempool_put_bulk(mempool, objects, POOL_BULK);
}

static void close_mempool(void *mempool)
{
	rte_mempool_free(mempool);
}

static const struct pool rte_mempool_pool = {
	.name = "rte_mempool",
	.objects = true,
	.keeps_constructed = true,
	.open = open_mempool,
	.enter = enter_mempool,
	.alloc = alloc_object,
	.free = free_object,
	.alloc_bulk = alloc_objects,
	.free_bulk = free_objects,
	.close = close_mempool,
};
POOL(rte_mempool_pool);
#else
POOL_MISSING("rte_mempool", "libdpdk-dev");
#endif
