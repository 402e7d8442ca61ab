/* SPDX-License-Identifier: MIT */
/*
 * Loads the library named by its argument while it runs, and uses its names through dlsym(), before
 * and after dlclose(), in several threads.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *(*its_malloc)(size_t size);
static void (*its_free)(void *ptr);
static unsigned long (*its_validate)(void);

static void *use(void *arg)
{
	static const size_t most = 1000;
	char *p[1000];

	for (size_t i = 0; i < most; i++) {
		p[i] = its_malloc(i * 40);
		if (!p[i])
			exit(3);
		memset(p[i], 1, i * 40);
	}
	for (size_t i = 0; i < most; i++)
		its_free(p[i]);
	return arg;
}

static void use_in_threads(void)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++) {
		if (pthread_create(&threads[i], NULL, use, NULL))
			exit(4);
	}
	use(NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	void *library;

	for (int round = 0; round < 3; round++) {
		library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
		if (!library) {
			puts(dlerror());
			return 2;
		}
		*(void **)&its_malloc = dlsym(library, "malloc");
		*(void **)&its_free = dlsym(library, "free");
		*(void **)&its_validate = dlsym(library, "slabuddy_validate");
		if (!its_malloc || !its_free || !its_validate || its_malloc == malloc)
			return 5;
		use_in_threads();
		if (dlclose(library))
			return 6;
		/* it cannot be unloaded: who holds its pointers may still free them */
		use_in_threads();
		if (its_validate())
			return 7;
	}
	puts("good");
	return 0;
}
