/* SPDX-License-Identifier: MIT */
/*
 * Random replacement by threads that come and go: the load of a server, as described by P. Larson
 * and M. Krishnan, Memory Allocation for Long-Running Server Applications, ISMM 1998.
 *
 * Each thread owns an array of blocks. It frees a random one and puts a new one of random size in
 * its place, a fixed number of times; then it starts a successor, hands it the array, and exits.
 * So blocks live longer than the thread that allocated them, and are freed by others. Unlike the
 * original, which counts operations in a fixed time, the count is fixed and the time measured.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "random.h"

/* One line of threads, each the successor of the one before; a cache line for each. */
struct line {
	_Alignas(128) uint64_t random; /* [the line's current thread] never zero */
	unsigned char **blocks;	       /* [the line's current thread] */
	unsigned int generation;       /* [the line's current thread] how many threads so far */
};

/* [const after main has read its arguments] */
static size_t nr_blocks, min_bytes, max_bytes;
static unsigned int nr_generations;
static unsigned long nr_operations;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t line_ended = PTHREAD_COND_INITIALIZER;
static unsigned int nr_running; /* [lock] lines that have not ended */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/*
 * A block is used: something is written in each page of it. Its first byte tells whose block it is,
 * so that a block given out twice shows.
 */
static unsigned char *new_block(uint64_t *random, size_t index)
{
	size_t size = min_bytes + pick(random, max_bytes - min_bytes + 1);
	unsigned char *block = malloc(size);

	if (!block)
		die("malloc");
	for (size_t at = 0; at < size; at += 4096)
		block[at] = 1;
	block[size - 1] = 1;
	block[0] = (unsigned char)index;
	return block;
}

static void drop_block(unsigned char *block, size_t index)
{
	if (block[0] != (unsigned char)index) {
		fputs("replace: a block has changed\n", stderr);
		abort();
	}
	free(block);
}

static void end_line(struct line *line)
{
	for (size_t i = 0; i < nr_blocks; i++)
		drop_block(line->blocks[i], i);
	free(line->blocks);
	pthread_mutex_lock(&lock);
	nr_running--;
	pthread_cond_signal(&line_ended);
	pthread_mutex_unlock(&lock);
}

static void *thread_main(void *arg);

static void start_thread(struct line *line)
{
	pthread_attr_t detached;
	pthread_t thread;

	if (pthread_attr_init(&detached) ||
	    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED) ||
	    pthread_create(&thread, &detached, thread_main, line))
		die("pthread_create");
	pthread_attr_destroy(&detached);
}

static void *thread_main(void *arg)
{
	struct line *line = arg;
	uint64_t random = line->random;

	for (unsigned long i = 0; i < nr_operations; i++) {
		size_t index = pick(&random, nr_blocks);

		drop_block(line->blocks[index], index);
		line->blocks[index] = new_block(&random, index);
	}
	line->random = random;
	if (++line->generation < nr_generations)
		start_thread(line);
	else
		end_line(line);
	return NULL;
}

static unsigned long argument(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!value || *end || value > 1000000000) {
		fprintf(stderr, "replace: %s: not a number from 1 to 10^9\n", text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	struct line *lines;
	unsigned int nr_lines;

	if (argc != 7) {
		fputs("usage: replace THREADS BLOCKS MIN-BYTES MAX-BYTES GENERATIONS OPERATIONS\n"
		      "THREADS lines of threads; in each, GENERATIONS threads one after the\n"
		      "other replace OPERATIONS random blocks of BLOCKS\n",
		      stderr);
		return 2;
	}
	nr_lines = (unsigned int)argument(argv[1]);
	nr_blocks = argument(argv[2]);
	min_bytes = argument(argv[3]);
	max_bytes = argument(argv[4]);
	nr_generations = (unsigned int)argument(argv[5]);
	nr_operations = argument(argv[6]);
	if (max_bytes < min_bytes) {
		fputs("replace: MAX-BYTES is below MIN-BYTES\n", stderr);
		return 2;
	}

	lines = aligned_alloc(_Alignof(struct line), nr_lines * sizeof(*lines));
	if (!lines)
		die("aligned_alloc");
	nr_running = nr_lines;
	for (unsigned int i = 0; i < nr_lines; i++) {
		struct line *line = &lines[i];

		line->random = 0x9e3779b97f4a7c15ULL * (i + 1);
		line->generation = 0;
		line->blocks = malloc(nr_blocks * sizeof(*line->blocks));
		if (!line->blocks)
			die("malloc");
		/* The first blocks come from the main thread, and others free them. */
		for (size_t k = 0; k < nr_blocks; k++)
			line->blocks[k] = new_block(&line->random, k);
	}
	for (unsigned int i = 0; i < nr_lines; i++)
		start_thread(&lines[i]);
	pthread_mutex_lock(&lock);
	while (nr_running)
		pthread_cond_wait(&line_ended, &lock);
	pthread_mutex_unlock(&lock);
	free(lines);
	return 0;
}
