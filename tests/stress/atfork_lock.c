/* SPDX-License-Identifier: MIT */
/*
 * A library with a lock of its own, under which it allocates, and which it takes around fork(). Its
 * constructor registers the handlers.
 */
#include <pthread.h>
#include <stdlib.h>

void allocate_under_lock(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void take_lock(void)
{
	pthread_mutex_lock(&lock);
}

static void let_go(void)
{
	pthread_mutex_unlock(&lock);
}

static __attribute__((constructor)) void register_handlers(void)
{
	pthread_atfork(take_lock, let_go, let_go);
}

void allocate_under_lock(void)
{
	void *p[8];

	pthread_mutex_lock(&lock);
	for (int i = 0; i < 8; i++)
		p[i] = malloc(100000);
	for (int i = 0; i < 8; i++)
		free(p[i]);
	pthread_mutex_unlock(&lock);
}
