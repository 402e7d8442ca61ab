/* SPDX-License-Identifier: MIT */
/*
 * Search trees whose nodes come from a cache of their own, beside the same trees from malloc. Each thread
 * grows a tree and takes the tree of its neighbour down, so that memory is freed where it was not
 * allocated, as in programs that hand their data on.
 *
 * Usage: tree [THREADS [NODES [ROUNDS]]]
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <slabuddy/slab.h>

enum { MAX_THREADS = 64 };

struct node {
	uint64_t key;
	uint64_t nr_seen; /* how often the key came */
	struct node *left, *right;
};

/* Where nodes come from. */
struct source {
	const char *name;
	void *(*get)(void);
	void (*put)(void *node);
	double seconds; /* the shortest round */
};

struct forest {
	const struct source *source;
	pthread_barrier_t grown; /* all trees, before the first is taken down */
	unsigned int nr_threads;
	unsigned long nr_nodes; /* keys put into each tree */
	struct node *trees[MAX_THREADS];
	unsigned long counts[MAX_THREADS]; /* keys found again */
};

struct worker {
	struct forest *forest;
	unsigned int number;
	pthread_t thread;
};

static struct kmem_cache *node_cache;

static void *get_cached(void)
{
	return kmem_cache_alloc(node_cache, GFP_KERNEL);
}

static void put_cached(void *node)
{
	kmem_cache_free(node_cache, node);
}

static void *get_malloced(void)
{
	return malloc(sizeof(struct node));
}

/* Numbers in no order that a tree without balancing would suffer from: splitmix64. */
static uint64_t next_key(uint64_t *state)
{
	uint64_t key = *state += 0x9e3779b97f4a7c15;

	key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9;
	key = (key ^ key >> 27) * 0x94d049bb133111eb;
	return key ^ key >> 31;
}

static struct node *insert(struct node *root, uint64_t key, const struct source *source)
{
	struct node **at = &root;
	struct node *node;

	while (*at && (*at)->key != key)
		at = key < (*at)->key ? &(*at)->left : &(*at)->right;
	if (!*at) {
		node = source->get();
		if (!node) {
			fprintf(stderr, "tree: no memory\n");
			exit(EXIT_FAILURE);
		}
		*node = (struct node){ .key = key };
		*at = node;
	}
	(*at)->nr_seen++;
	return root;
}

/* Return: how many keys had been put in. A tree of random keys is not deep. */
static unsigned long take_down(struct node *root, const struct source *source)
{
	unsigned long seen;

	if (!root)
		return 0;
	seen = root->nr_seen + take_down(root->left, source) + take_down(root->right, source);
	source->put(root);
	return seen;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct forest *forest = worker->forest;
	unsigned int neighbour = (worker->number + 1) % forest->nr_threads;
	uint64_t state = worker->number;
	struct node *root = NULL;

	for (unsigned long i = 0; i < forest->nr_nodes; i++)
		root = insert(root, next_key(&state), forest->source);
	forest->trees[worker->number] = root;
	pthread_barrier_wait(&forest->grown);
	forest->counts[worker->number] = take_down(forest->trees[neighbour], forest->source);
	return NULL;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Return: whether every key was found again. */
static bool grow_and_take_down(struct forest *forest, struct source *source)
{
	struct worker workers[MAX_THREADS];
	bool good = true;
	double began = now();

	forest->source = source;
	pthread_barrier_init(&forest->grown, NULL, forest->nr_threads);
	for (unsigned int i = 0; i < forest->nr_threads; i++) {
		workers[i] = (struct worker){ .forest = forest, .number = i };
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
			fprintf(stderr, "tree: no thread\n");
			exit(EXIT_FAILURE);
		}
	}
	for (unsigned int i = 0; i < forest->nr_threads; i++) {
		pthread_join(workers[i].thread, NULL);
		good &= forest->counts[i] == forest->nr_nodes;
	}
	pthread_barrier_destroy(&forest->grown);
	if (!source->seconds || now() - began < source->seconds)
		source->seconds = now() - began;
	return good;
}

static unsigned long argument(int argc, char **argv, int at, unsigned long otherwise)
{
	unsigned long value = at < argc ? strtoul(argv[at], NULL, 10) : otherwise;

	return value ? value : otherwise;
}

int main(int argc, char **argv)
{
	struct source sources[] = {
		{ .name = "kmem_cache", .get = get_cached, .put = put_cached },
		{ .name = "malloc", .get = get_malloced, .put = free },
	};
	struct forest forest = {
		.nr_threads = (unsigned int)argument(argc, argv, 1, 4),
		.nr_nodes = argument(argc, argv, 2, 20000),
	};
	unsigned long rounds = argument(argc, argv, 3, 5);
	bool good = true;

	if (forest.nr_threads > MAX_THREADS)
		forest.nr_threads = MAX_THREADS;
	node_cache = KMEM_CACHE(node, SLAB_NO_MERGE);
	if (!node_cache)
		return EXIT_FAILURE;
	/* in turn, so that a machine that becomes slower slows both */
	for (unsigned long round = 0; round < rounds; round++)
		for (int i = 0; i < 2; i++)
			good &= grow_and_take_down(&forest, &sources[i]);
	printf("%u threads, %lu nodes each, best of %lu rounds:\n", forest.nr_threads, forest.nr_nodes,
	       rounds);
	for (int i = 0; i < 2; i++)
		printf("  %-10s %8.4f s\n", sources[i].name, sources[i].seconds);
	printf("every key was found again: %s\n", good ? "yes" : "no");
	kmem_cache_destroy(node_cache);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
