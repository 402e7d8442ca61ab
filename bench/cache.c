/* SPDX-License-Identifier: MIT */
/* What an object of a pool costs, and what a page does. bench/pools has the pools, micro.h says how
 * benchmarks are run; bench/compare-pools compares them. */
#include <string.h>

#include "micro.h"
#include "pools/pool.h"

extern const struct pool_entry __start_bench_pools[], __stop_bench_pools[];

/* About what an inode's constructor does: everything zero, and lists that are empty. */
static void construct(void *object)
{
	struct list {
		struct list *next, *prev;
	} *lists = object;

	memset(object, 0, POOL_CONSTRUCTED);
	for (int i = 0; i < 4; i++)
		lists[i].next = lists[i].prev = &lists[i];
}

static const struct pool_case cases[] = {
	{ "pair", false, POOL_PAIR, POOL_OBJECT, NULL, 1 },
	{ "bulk", false, POOL_BULKS, POOL_OBJECT, NULL, 1 },
	{ "pair, 2 threads", false, POOL_PAIR, POOL_OBJECT, NULL, 2 },
	{ "bulk, 2 threads", false, POOL_BULKS, POOL_OBJECT, NULL, 2 },
	{ "constructed", false, POOL_PAIR, POOL_CONSTRUCTED, construct, 1 },
	{ "constructed bulk", false, POOL_BULKS, POOL_CONSTRUCTED, construct, 1 },
	{ "4 KiB", true, POOL_PAIR, POOL_PAGE, NULL, 1 },
	{ "32 KiB", true, POOL_PAIR, POOL_PAGES, NULL, 1 },
	{ "4 KiB, 2 threads", true, POOL_PAIR, POOL_PAGE, NULL, 2 },
	{ "32 KiB, 2 threads", true, POOL_PAIR, POOL_PAGES, NULL, 2 },
};

enum { NR_CASES = sizeof(cases) / sizeof(cases[0]) };

struct chosen {
	const struct pool_entry *entry;
	const struct pool_case *what;
};

static void run(struct micro *micro, unsigned long arg)
{
	const struct chosen *chosen = (const struct chosen *)arg;

	chosen->entry->run(micro, chosen->what);
}

/* The loop without any pool, which is part of every figure. */
static void nothing(struct micro *micro, unsigned long arg)
{
	(void)arg;
	while (micro_go_on(micro))
		for (int i = 0; i < MICRO_BATCH; i++)
			pool_used(micro);
}

static void add_pool(const struct pool_entry *entry)
{
	/* the benchmarks point to these until the program ends */
	struct chosen *chosen = calloc(NR_CASES, sizeof(*chosen));
	const struct pool *pool = entry->pool;
	char name[64];

	pool_must(pool, chosen != NULL, "calloc");
	snprintf(name, sizeof(name), "pool %s", pool->name);
	micro_note(name, pool->missing ? pool->missing : "");
	for (int i = 0; !pool->missing && i < NR_CASES; i++) {
		if (cases[i].pages ? !pool->pages : !pool->objects)
			continue;
		chosen[i] = (struct chosen){ entry, &cases[i] };
		snprintf(name, sizeof(name), "%s/%s", pool->name, cases[i].name);
		micro_add(name, run, (unsigned long)&chosen[i], cases[i].nr_threads);
	}
}

void micro_add_all(void)
{
	micro_add("nothing", nothing, 0, 1);
	for (const struct pool_entry *entry = __start_bench_pools; entry < __stop_bench_pools; entry++)
		add_pool(entry);
}
