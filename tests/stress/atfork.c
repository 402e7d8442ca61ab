/* SPDX-License-Identifier: MIT */
/*
 * fork() while threads allocate under the lock of a library that takes it before fork(), too
 * (atfork_lock.c): whoever froze the heap first would wait for that lock for ever.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR_THREADS 2
#define NR_FORKS   200

void allocate_under_lock(void);

static int stop; /* [atomic] */

static void *allocate_without_pause(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		allocate_under_lock();
	return arg;
}

int main(void)
{
	pthread_t threads[NR_THREADS];
	int bad = 0;

	for (int i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, allocate_without_pause, NULL);
	for (int i = 0; i < NR_FORKS; i++) {
		int status = -1;
		pid_t pid = fork();

		if (!pid) {
			allocate_under_lock();
			_exit(0);
		}
		waitpid(pid, &status, 0);
		bad += status != 0;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	puts(bad ? "bad" : "good");
	return bad != 0;
}
