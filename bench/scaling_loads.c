/* SPDX-License-Identifier: MIT */
/*
 * Loads for many threads, each doing the same number of operations: bench/scaling runs them with more and
 * more threads. What is measured begins when all threads have warmed up and ends when the last one is
 * done; none of them starts or ends in between, but for those that are the load.
 *
 * The counters of slabuddy_vmstat() are read before and after, if the allocator has them.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "random.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void die(const char *what)
{
	fprintf(stderr, "scaling_loads: %s\n", what);
	exit(1);
}

/* ---- What a thread has ---- */

/* Two blocks in the same line would make threads wait for one another, whatever the allocator. */
struct worker {
	_Alignas(128) uint64_t random; /* never zero */
	unsigned int number;
	unsigned long operations; /* that it is to do */
	void *own;		  /* the load's */
};

static unsigned int nr_workers; /* [const once they run] */

static void *new_block(size_t size)
{
	char *block = malloc(size);

	if (!block)
		die("no memory");
	*(volatile char *)block = 1;
	return block;
}

/* ---- Pairs: an operation is a malloc(64) and its free ---- */

static void pairs(struct worker *worker, unsigned long operations)
{
	(void)worker;
	for (unsigned long i = 0; i < operations; i++)
		free(new_block(64));
}

/* ---- Batches of mixed sizes: an operation is a block taken and given back ---- */

#define BATCH 32

static void batches(struct worker *worker, unsigned long operations)
{
	void *blocks[BATCH];

	for (unsigned long done = 0; done < operations; done += BATCH) {
		for (int i = 0; i < BATCH; i++)
			blocks[i] = new_block(16 + pick(&worker->random, 500));
		for (int i = 0; i < BATCH; i++)
			free(blocks[i]);
	}
}

/*
 * ---- Producer and consumer: an operation is a block that one thread takes and the other gives back ----
 *
 * Even workers produce, each for the next one; one without a partner gives back what it took itself,
 * as much later as if there were one. Blocks travel in parcels, so that the queue costs little.
 */

#define PARCEL 64
#define QUEUE_PARCELS 16

struct queue {
	_Alignas(128) unsigned long sent; /* [producer; atomic] parcels */
	_Alignas(128) unsigned long taken; /* [consumer; atomic] */
	_Alignas(128) void *blocks[QUEUE_PARCELS][PARCEL];
};

static struct queue *queues; /* one for each pair */

static void relax(unsigned int *spins)
{
	/* the other one may have no CPU */
	if (++*spins % 64 == 0)
		sched_yield();
}

static void send(struct queue *queue)
{
	unsigned long sent = queue->sent;
	unsigned int spins = 0;

	while (sent - __atomic_load_n(&queue->taken, __ATOMIC_ACQUIRE) == QUEUE_PARCELS)
		relax(&spins);
	for (int i = 0; i < PARCEL; i++)
		queue->blocks[sent % QUEUE_PARCELS][i] = new_block(64);
	__atomic_store_n(&queue->sent, sent + 1, __ATOMIC_RELEASE);
}

static void receive(struct queue *queue)
{
	unsigned long taken = queue->taken;
	unsigned int spins = 0;

	while (__atomic_load_n(&queue->sent, __ATOMIC_ACQUIRE) == taken)
		relax(&spins);
	for (int i = 0; i < PARCEL; i++)
		free(queue->blocks[taken % QUEUE_PARCELS][i]);
	__atomic_store_n(&queue->taken, taken + 1, __ATOMIC_RELEASE);
}

/* The two of a pair do half of the operations each, so that threads and operations are in proportion. */
static void hand_over(struct worker *worker, unsigned long operations)
{
	struct queue *queue = &queues[worker->number / 2];
	bool alone = worker->number == nr_workers - 1 && nr_workers % 2;
	unsigned long parcels = operations * (alone ? 1 : 2) / PARCEL;

	for (unsigned long i = 0; i < parcels; i++) {
		if (worker->number % 2) {
			receive(queue);
			continue;
		}
		if (alone && queue->sent - queue->taken == QUEUE_PARCELS)
			receive(queue);
		send(queue);
	}
	while (alone && queue->taken < queue->sent)
		receive(queue);
}

/*
 * ---- Random replacement: an operation is a block given back and another taken in its place ----
 *
 * Now and then a thread exchanges its set of blocks for the one that another has left, so that much of
 * what it frees is of others.
 */

#define SET_BLOCKS 2000
#define SET_TURNS 5000

static void **left_set; /* [atomic] the one that whoever comes next takes */

static void **new_set(struct worker *worker)
{
	void **set = malloc(SET_BLOCKS * sizeof(*set));

	if (!set)
		die("no memory");
	for (size_t i = 0; i < SET_BLOCKS; i++)
		set[i] = new_block(16 + pick(&worker->random, 985));
	return set;
}

static void replace(struct worker *worker, unsigned long operations)
{
	void **set = worker->own ? worker->own : new_set(worker);

	for (unsigned long i = 0; i < operations; i++) {
		size_t at = pick(&worker->random, SET_BLOCKS);

		free(set[at]);
		set[at] = new_block(16 + pick(&worker->random, 985));
		if (i % SET_TURNS == SET_TURNS - 1) {
			set = __atomic_exchange_n(&left_set, set, __ATOMIC_ACQ_REL);
			if (!set)
				set = new_set(worker);
		}
	}
	worker->own = set;
}

/* ---- Large blocks: an operation is one of 64 KiB to 1 MiB, given back and taken, of eight ---- */

#define NR_LARGE 8

static void large(struct worker *worker, unsigned long operations)
{
	void **blocks = worker->own ? worker->own : calloc(NR_LARGE, sizeof(*blocks));

	if (!blocks)
		die("no memory");
	for (unsigned long i = 0; i < operations; i++) {
		size_t at = pick(&worker->random, NR_LARGE);

		free(blocks[at]);
		blocks[at] = new_block(65536 + pick(&worker->random, 1048576 - 65536));
	}
	worker->own = blocks;
}

/* ---- Threads that come and go: an operation is a thread, which takes and gives back 100 blocks ---- */

static void *short_life(void *arg)
{
	uint64_t random = *(uint64_t *)arg;
	void *blocks[100];

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		blocks[i] = new_block(16 + pick(&random, 500));
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		free(blocks[i]);
	return NULL;
}

static void threads(struct worker *worker, unsigned long operations)
{
	for (unsigned long i = 0; i < operations; i++) {
		pthread_t thread;

		next_random(&worker->random);
		if (pthread_create(&thread, NULL, short_life, &worker->random))
			die("pthread_create");
		pthread_join(thread, NULL);
	}
}

/* ---- Counters ---- */

#define MAX_COUNTERS 256

static struct counter {
	char name[48];
	long long value;
} counters[MAX_COUNTERS];
static unsigned int nr_counters;

static int (*vmstat_to_fd)(int fd);

/* Add @sign times what they are now. */
static void count(long long sign)
{
	static char text[65536];
	int fd = memfd_create("vmstat", MFD_CLOEXEC);
	unsigned int nr = 0;
	char *line, *rest = text;
	ssize_t bytes;

	if (!vmstat_to_fd)
		return;
	if (fd < 0 || vmstat_to_fd(fd))
		die("slabuddy_vmstat_fd");
	bytes = pread(fd, text, sizeof(text) - 1, 0);
	if (bytes < 0)
		die("memfd");
	text[bytes] = '\0';
	close(fd);
	while ((line = strsep(&rest, "\n")) && *line && nr < MAX_COUNTERS) {
		struct counter *counter = &counters[nr++];
		long long value;

		if (sscanf(line, "%47s %lld", counter->name, &value) != 2)
			die(line);
		counter->value += sign * value;
	}
	nr_counters = nr;
}

/* ---- A run ---- */

struct load {
	const char *name;
	void (*run)(struct worker *worker, unsigned long operations);
	unsigned long warm_up; /* operations */
};

/* Warm-ups are arbitrary: as many as fill what the allocator fills, several times over. */
static const struct load loads[] = {
	{ "pairs", pairs, 100000 },	    { "batches", batches, 320000 },
	{ "hand-over", hand_over, 640000 }, { "replace", replace, 200000 },
	{ "large", large, 2000 },	    { "threads", threads, 200 },
};

static const struct load *load; /* [const once workers run] */
static pthread_barrier_t barrier;

static void *work(void *arg)
{
	struct worker *worker = arg;

	load->run(worker, load->warm_up);
	pthread_barrier_wait(&barrier); /* warm */
	pthread_barrier_wait(&barrier); /* counted */
	load->run(worker, worker->operations);
	pthread_barrier_wait(&barrier); /* done */
	pthread_barrier_wait(&barrier); /* counted again */
	return NULL;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double run_workers(unsigned long operations)
{
	struct worker *workers = aligned_alloc(_Alignof(struct worker), nr_workers * sizeof(*workers));
	double began, ended;

	queues = aligned_alloc(_Alignof(struct queue), (nr_workers + 1) / 2 * sizeof(*queues));
	if (!workers || !queues || pthread_barrier_init(&barrier, NULL, nr_workers + 1))
		die("no memory");
	memset(queues, 0, (nr_workers + 1) / 2 * sizeof(*queues));
	for (unsigned int i = 0; i < nr_workers; i++) {
		pthread_t thread;

		workers[i] = (struct worker){ 0x9e3779b97f4a7c15ULL * (i + 1), i, operations, NULL };
		if (pthread_create(&thread, NULL, work, &workers[i]) || pthread_detach(thread))
			die("pthread_create");
	}
	pthread_barrier_wait(&barrier);
	/* a report takes locks, too: what a second one counts more than the first is the report's */
	count(1);
	count(-2);
	pthread_barrier_wait(&barrier);
	began = seconds();
	pthread_barrier_wait(&barrier);
	ended = seconds();
	count(1);
	pthread_barrier_wait(&barrier);
	return ended - began;
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!value || *end || value > 1000000000000)
		die("not a number from 1 to 10^12");
	return value;
}

int main(int argc, char **argv)
{
	unsigned long operations;
	double took;
	FILE *out;

	if (argc != 5) {
		fputs("usage: scaling_loads LOAD THREADS OPERATIONS FILE\n"
		      "each of THREADS does OPERATIONS; figures go to FILE as JSON. Loads, and\n"
		      "how many operations of one thread warm it up:\n",
		      stderr);
		for (size_t i = 0; i < ARRAY_SIZE(loads); i++)
			fprintf(stderr, "%s %lu\n", loads[i].name, loads[i].warm_up);
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		if (!strcmp(argv[1], loads[i].name))
			load = &loads[i];
	}
	if (!load)
		die("no such load");
	nr_workers = (unsigned int)number(argv[2]);
	operations = number(argv[3]);
	vmstat_to_fd = (int (*)(int))dlsym(RTLD_DEFAULT, "slabuddy_vmstat_fd");
	took = run_workers(operations);

	out = fopen(argv[4], "w");
	if (!out)
		die(argv[4]);
	fprintf(out, "{\"operations\": %lu, \"seconds\": %.9f, \"counters\": {", operations * nr_workers, took);
	for (unsigned int i = 0; i < nr_counters; i++)
		fprintf(out, "%s\"%s\": %lld", i ? ", " : "", counters[i].name, counters[i].value);
	fputs("}}\n", out);
	if (fclose(out))
		die(argv[4]);
	/* the workers need not end: what counts is counted */
	_exit(0);
}
