/* SPDX-License-Identifier: MIT */
/*
 * Detached threads that never allocate. With stacks too large for libc to keep, libc itself frees a
 * few things of theirs when they are past all destructors; that must cost no memory a thread.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

#define STACK_BYTES   (64UL << 20)
#define NR_TO_WARM_UP 300
#define NR_THREADS    2000
#define MAX_GROWTH    (3L << 20) /* half of what a slot for each third thread would be */

static sem_t begun;

static void *begin_and_end(void *arg)
{
	sem_post(&begun);
	return arg;
}

static void run_threads(const pthread_attr_t *attr, int nr)
{
	while (nr > 0) {
		pthread_t thread;

		/* those before may not be gone yet, and their stacks are too many then */
		if (pthread_create(&thread, attr, begin_and_end, NULL)) {
			usleep(100);
			continue;
		}
		sem_wait(&begun);
		nr--;
	}
	usleep(100000);
}

static long resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long all, resident = 0;

	if (!file || fscanf(file, "%ld %ld", &all, &resident) != 2)
		perror("statm");
	if (file)
		fclose(file);
	return resident * sysconf(_SC_PAGESIZE);
}

int main(void)
{
	pthread_attr_t attr;
	long before, grown;

	sem_init(&begun, 0, 0);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	run_threads(&attr, NR_TO_WARM_UP);
	before = resident_bytes();
	run_threads(&attr, NR_THREADS);
	grown = resident_bytes() - before;
	if (grown > MAX_GROWTH) {
		printf("%d threads have left %ld KiB\n", NR_THREADS, grown / 1024);
		return 1;
	}
	puts("good");
	return 0;
}
