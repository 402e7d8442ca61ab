/* SPDX-License-Identifier: MIT */
/*
 * Loads for bench/memory: each climbs, falls and comes to rest, and says all along how many bytes it has. What it
 * has stands in a file that both map, so that to look at it disturbs nothing.
 *
 *	memory_loads LOAD FILE
 *
 * At rest it makes no call into the allocator, and waits until its input ends.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "random.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIB ((size_t)1 << 20)

/* What bench/memory reads. */
static struct shared {
	_Atomic uint64_t live; /* bytes asked for */
	_Atomic uint64_t rest; /* 1: the load has come to rest */
} *shared;

static void die(const char *what)
{
	fprintf(stderr, "memory_loads: %s\n", what);
	exit(1);
}

/* ---- Blocks that know their size ---- */

struct block {
	size_t size;
	char bytes[];
};

/* From min to max, small ones more often: each doubling has the same share. */
static size_t pick_size(uint64_t *state, size_t min, size_t max)
{
	size_t doublings = 0, low;

	while (min << doublings < max)
		doublings++;
	low = min << (doublings ? pick(state, doublings) : 0);
	return low + pick(state, (2 * low < max ? low : max - low) + 1);
}

static struct block *block_new(size_t size)
{
	struct block *block = malloc(size);

	if (!block)
		die("no memory");
	memset(block, 1, size);
	block->size = size;
	atomic_fetch_add(&shared->live, size);
	return block;
}

static void block_drop(struct block *block)
{
	if (!block)
		return;
	atomic_fetch_sub(&shared->live, block->size);
	free(block);
}

/* Tables are no part of the load: they come from the system. */
static struct block **table_new(size_t nr)
{
	void *table = mmap(NULL, nr * sizeof(struct block *), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (table == MAP_FAILED)
		die("no memory for a table");
	return table;
}

static uint64_t live(void)
{
	return atomic_load(&shared->live);
}

/* Blocks until so many bytes are there. Return: how many of the table are in use. */
static size_t climb(struct block **table, size_t nr, size_t room, uint64_t bytes, size_t min,
		    size_t max, uint64_t *random)
{
	while (live() < bytes && nr < room)
		table[nr++] = block_new(pick_size(random, min, max));
	return nr;
}

/* Keep one block of so many, by chance. */
static void thin_out(struct block **table, size_t nr, size_t one_of, uint64_t *random)
{
	for (size_t i = 0; i < nr; i++) {
		if (!table[i] || !pick(random, one_of))
			continue;
		block_drop(table[i]);
		table[i] = NULL;
	}
}

/* ---- The loads ---- */

#define ROOM ((size_t)4 << 20) /* blocks of a table, more than any load has */

/* Growth and random free, twice. */
static void growth(void)
{
	uint64_t random = 1;
	struct block **table = table_new(ROOM);
	size_t nr = 0;

	for (int turn = 0; turn < 2; turn++) {
		nr = climb(table, nr, ROOM, 200 * MIB, 64, 4000, &random);
		thin_out(table, nr, 10, &random);
	}
	thin_out(table, nr, 20, &random);
}

/* Phases, each of one size, of which a hundredth stays: the slabs of one do not serve the next. */
static void classes(void)
{
	static const size_t sizes[] = { 400, 96, 200, 520, 1400, 3000, 128 };
	uint64_t random = 2;
	struct block **table = table_new(ROOM);
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t first = nr;

		nr = climb(table, nr, ROOM, live() + 60 * MIB, sizes[i], sizes[i], &random);
		thin_out(table + first, nr - first, 100, &random);
	}
}

/* Requests whose blocks go at their end, beside sessions that stay for a while. */
static void lifetimes(void)
{
	enum { SESSIONS = 20000, PIECES = 4, REQUESTS = 150000, AT_ONCE = 50 };
	uint64_t random = 3;
	struct block **session = table_new(SESSIONS * PIECES);
	struct block **request = table_new(AT_ONCE);

	for (size_t i = 0; i < REQUESTS; i++) {
		struct block **mine = session + pick(&random, SESSIONS) * PIECES;

		for (size_t j = 0; j < AT_ONCE; j++)
			request[j] = block_new(pick_size(&random, 16, 16384));
		for (size_t j = 0; j < PIECES; j++) {
			block_drop(mine[j]);
			mine[j] = block_new(pick_size(&random, 32, 4096));
		}
		for (size_t j = 0; j < AT_ONCE; j++)
			block_drop(request[j]);
	}
	thin_out(session, SESSIONS * PIECES, 20, &random);
}

/* Large blocks replaced; then most of them go. */
static void large(void)
{
	enum { BLOCKS = 60, STEPS = 3000 };
	uint64_t random = 4;
	struct block **table = table_new(BLOCKS);

	for (size_t i = 0; i < STEPS; i++) {
		struct block **place = table + pick(&random, BLOCKS);

		block_drop(*place);
		*place = block_new(65536 + pick(&random, 4 * MIB));
	}
	thin_out(table, BLOCKS, 12, &random);
}

/* ---- Threads ---- */

static pthread_barrier_t all_here;

static void *sleeper(void *arg)
{
	enum { BYTES = 2 << 20, BLOCKS = 1000 };
	uint64_t random = (uintptr_t)arg + 1;
	struct block *blocks[BLOCKS];

	for (size_t i = 0; i < BLOCKS; i++)
		blocks[i] = block_new(BYTES / BLOCKS / 2 + pick(&random, BYTES / BLOCKS));
	for (size_t i = 0; i < BLOCKS; i++)
		block_drop(blocks[i]);
	pthread_barrier_wait(&all_here);
	for (;;)
		pause();
	return NULL;
}

static void start(void *(*main)(void *), size_t number)
{
	pthread_attr_t attr;
	pthread_t thread;

	/* arbitrary: enough for every allocator, and little of it is touched */
	if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, 65536) ||
	    pthread_create(&thread, &attr, main, (void *)number))
		die("no thread");
	pthread_attr_destroy(&attr);
}

/* Each has had 2 MiB, and sleeps. */
static void many_threads(unsigned int nr)
{
	if (pthread_barrier_init(&all_here, NULL, nr + 1))
		die("no barrier");
	for (unsigned int i = 0; i < nr; i++)
		start(sleeper, i);
	pthread_barrier_wait(&all_here);
}

static void threads(void)
{
	many_threads(1000);
}

static void threads_10k(void)
{
	many_threads(10000);
}

#define OWNERS 8
static struct block **owned[OWNERS];
static size_t nr_owned[OWNERS];

static void *owner(void *arg)
{
	size_t number = (size_t)arg;
	uint64_t random = number + 5, mine = 0;

	owned[number] = table_new(ROOM / OWNERS);
	while (mine < 16 * MIB) {
		struct block *block = block_new(pick_size(&random, 64, 32768));

		owned[number][nr_owned[number]++] = block;
		mine += block->size;
	}
	pthread_barrier_wait(&all_here);
	for (;;)
		pause();
	return NULL;
}

/* Owners fall asleep; another thread gives their blocks back. */
static void sleeping(void)
{
	if (pthread_barrier_init(&all_here, NULL, OWNERS + 1))
		die("no barrier");
	for (size_t i = 0; i < OWNERS; i++)
		start(owner, i);
	pthread_barrier_wait(&all_here);
	for (size_t i = 0; i < OWNERS; i++)
		for (size_t j = 0; j < nr_owned[i]; j++)
			block_drop(owned[i][j]);
}

static const struct load {
	const char *name;
	void (*run)(void);
} loads[] = {
	{ "growth", growth },	  { "classes", classes }, { "lifetimes", lifetimes },
	{ "large", large },	  { "threads", threads }, { "threads-10k", threads_10k },
	{ "sleeping", sleeping },
};

int main(int argc, char **argv)
{
	char end;
	int fd;

	if (argc == 2 && !strcmp(argv[1], "--version"))
		return 0;
	if (argc != 3)
		die("LOAD FILE");
	fd = open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*shared)))
		die("cannot make the file");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		die("cannot map the file");
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		if (strcmp(argv[1], loads[i].name))
			continue;
		loads[i].run();
		atomic_store(&shared->rest, 1);
		while (read(0, &end, 1) > 0)
			;
		_exit(0);
	}
	die("no such load");
}
