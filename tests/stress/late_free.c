/* SPDX-License-Identifier: MIT */
/*
 * Threads that allocate a few times, so that what libc frees for each of them when it is gone (the
 * text of strerror) may be the very free at which a thread takes a slot.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR_THREADS 100 /* at once, so that none runs on another's cached stack */
#define NR_ROUNDS  20
#define MAX_ALLOCATIONS 8

/* A slot is some 12 KiB. */
#define MOST_KIB 4096

static pthread_barrier_t barrier;
static int nr_allocations;

static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		exit(2);
	fclose(file);
	return pages * 4;
}

static void *work(void *arg)
{
	for (int i = 0; i < nr_allocations; i++) {
		void *volatile block = malloc(10);

		(void)block;
	}
	if (!strerror(99999))
		exit(2);
	pthread_barrier_wait(&barrier);
	return arg;
}

static void round_of_threads(void)
{
	pthread_t threads[NR_THREADS];

	for (int i = 0; i < NR_THREADS; i++) {
		if (pthread_create(&threads[i], NULL, work, NULL))
			exit(2);
	}
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	if (pthread_barrier_init(&barrier, NULL, NR_THREADS))
		return 2;
	for (nr_allocations = 1; nr_allocations <= MAX_ALLOCATIONS; nr_allocations++) {
		long before, grown;

		round_of_threads();
		before = resident_kib();
		for (int i = 0; i < NR_ROUNDS; i++)
			round_of_threads();
		grown = resident_kib() - before;
		if (grown > MOST_KIB)
			printf("%d allocations: %ld KiB for %d threads\n", nr_allocations, grown,
			       NR_THREADS * NR_ROUNDS);
	}
	puts("good");
	return 0;
}
