/* SPDX-License-Identifier: MIT */
/*
 * The mix of lifetimes in a web server: a request takes many small strings and a few larger
 * buffers, which all go at its end, and now and then it leaves an entry in a cache that all threads
 * share, where it lives until it is the one that was not used for longest. Our own, after the
 * description of such servers by E. Berger, B. Zorn and K. McKinley, Reconsidering Custom Memory
 * Allocation, OOPSLA 2002 (Apache's regions).
 */
#include <pthread.h>
#include <stdbool.h>

#include "workload.h"

enum {
	NR_SHARDS = 16,	    /* of the cache, each with a lock; arbitrary */
	NR_CHAINS = 1024,   /* of a shard */
	MAX_STRINGS = 1000, /* of a request */
};

static size_t requests = 300000, strings = 100, entries = 20000, keys = 60000;

/* An entry is a block with this at its beginning, and on two lists. */
struct entry {
	uint64_t word;
	struct entry *in_chain;
	struct entry *older, *newer;
	uint32_t key;
};

struct shard {
	_Alignas(128) pthread_mutex_t lock;
	struct entry *chains[NR_CHAINS]; /* [lock] */
	struct entry *oldest, *newest;	 /* [lock] */
	size_t nr;			 /* [lock] entries */
};

static struct shard shards[NR_SHARDS];

static struct shard *shard_of(uint32_t key)
{
	return &shards[key % NR_SHARDS];
}

/* Where the pointer to the key's entry is, or would be. */
static struct entry **find(struct shard *shard, uint32_t key)
{
	struct entry **place = &shard->chains[key / NR_SHARDS % NR_CHAINS];

	while (*place && (*place)->key != key)
		place = &(*place)->in_chain;
	return place;
}

static void unlink_entry(struct shard *shard, struct entry *entry)
{
	*(entry->older ? &entry->older->newer : &shard->oldest) = entry->newer;
	*(entry->newer ? &entry->newer->older : &shard->newest) = entry->older;
}

static void link_newest(struct shard *shard, struct entry *entry)
{
	entry->older = shard->newest;
	entry->newer = NULL;
	*(shard->newest ? &shard->newest->newer : &shard->oldest) = entry;
	shard->newest = entry;
}

static struct entry *remove_at(struct shard *shard, struct entry **place)
{
	struct entry *entry = *place;

	if (!entry)
		return NULL;
	*place = entry->in_chain;
	unlink_entry(shard, entry);
	shard->nr--;
	return entry;
}

static void look_up(uint32_t key)
{
	struct shard *shard = shard_of(key);
	struct entry *entry;

	pthread_mutex_lock(&shard->lock);
	entry = *find(shard, key);
	if (entry) {
		block_check(entry);
		unlink_entry(shard, entry);
		link_newest(shard, entry);
	}
	pthread_mutex_unlock(&shard->lock);
}

/* What has to go for it is freed without the lock. */
static void store(struct worker *self, uint32_t key)
{
	struct shard *shard = shard_of(key);
	size_t size = pick_skewed(&self->random, sizeof(struct entry) + BLOCK_MIN, 4096);
	struct entry *entry = block_new(self, size);
	struct entry *replaced, *evicted = NULL, **place;

	entry->key = key;
	pthread_mutex_lock(&shard->lock);
	replaced = remove_at(shard, find(shard, key));
	if (shard->nr >= entries / NR_SHARDS && shard->oldest)
		evicted = remove_at(shard, find(shard, shard->oldest->key));
	place = find(shard, key);
	entry->in_chain = *place;
	*place = entry;
	link_newest(shard, entry);
	shard->nr++;
	pthread_mutex_unlock(&shard->lock);
	if (replaced)
		block_drop(self, replaced);
	if (evicted)
		block_drop(self, evicted);
}

static void serve(struct worker *self)
{
	void *arena[MAX_STRINGS];
	size_t nr = pick_between(&self->random, 1, strings);

	for (size_t i = 0; i < nr; i++) {
		/* a header, a field, a path; every 16th a buffer */
		bool buffer = !(next_random(&self->random) >> 60);

		arena[i] = block_new(self, buffer ? pick_between(&self->random, 1 << 10, 16 << 10)
						  : pick_skewed(&self->random, 8, 256));
	}
	for (int i = 0; i < 4; i++)
		look_up((uint32_t)pick(&self->random, keys));
	if (!(next_random(&self->random) >> 62))
		store(self, (uint32_t)pick(&self->random, keys));
	for (size_t i = 0; i < nr; i++)
		block_drop(self, arena[i]);
}

static void work(struct worker *self)
{
	size_t nr = workload_share(requests);

	for (size_t i = 0; i < nr; i++)
		serve(self);
}

static void run(struct worker *self)
{
	for (int i = 0; i < NR_SHARDS; i++)
		pthread_mutex_init(&shards[i].lock, NULL);
	workers_run(work);
	for (int i = 0; i < NR_SHARDS; i++)
		while (shards[i].oldest)
			block_drop(self,
				   remove_at(&shards[i], find(&shards[i], shards[i].oldest->key)));
}

static const struct workload_value values[] = {
	{ "requests", &requests, 1, 1000000000, "of all threads together" },
	{ "strings", &strings, 1, MAX_STRINGS, "of a request at most" },
	{ "entries", &entries, NR_SHARDS, 10000000, "of the cache" },
	{ "keys", &keys, 1, 1000000000, "that are asked for" },
	{ 0 },
};

static const struct workload web = {
	.name = "web",
	.about = "strings that go with their request, and a cache",
	.threads = 2,
	.values = values,
	.run = run,
};
WORKLOAD(web);
