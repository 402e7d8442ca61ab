/* SPDX-License-Identifier: MIT */
/*
 * Pointers of libc's own heap, handed to a preloaded free(), realloc() and malloc_usable_size():
 * from its main heap, its mappings, a thread's arena, and a library bound to libc's malloc.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t size);

static void *(*alloc)(size_t size);

static void check(int good, const char *what, size_t size)
{
	if (!good) {
		printf("bad: %s of %zu bytes\n", what, size);
		exit(1);
	}
}

static void hand_over(size_t size)
{
	char *p = alloc(size);
	char *q = alloc(size);

	check(p && q, "allocation", size);
	memset(p, 7, size);
	memset(q, 7, size);
	check(malloc_usable_size(p) >= size, "usable size", size);
	errno = E2BIG;
	free(p);
	check(errno == E2BIG, "errno after free", size);
	q = realloc(q, size * 2 + 1);
	check(q && q[0] == 7 && q[size - 1] == 7, "realloc", size);
	free(q);
}

static void *all_sizes(void *arg)
{
	static const size_t sizes[] = { 1, 24, 100, 1000, 5000, 70000, 200000, 5000000 };

	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
			hand_over(sizes[i]);
	}
	return arg;
}

static void in_every_thread(void)
{
	pthread_t threads[3];

	all_sizes(NULL);
	for (int i = 0; i < 3; i++)
		check(!pthread_create(&threads[i], NULL, all_sizes, NULL), "thread", 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	void *library;

	alloc = __libc_malloc;
	in_every_thread();
	library = dlopen(argc > 1 ? argv[1] : "", RTLD_NOW | RTLD_DEEPBIND);
	if (!library) {
		puts(dlerror());
		return 2;
	}
	*(void **)&alloc = dlsym(library, "deep_alloc");
	check(alloc != NULL, "deep_alloc", 0);
	in_every_thread();
	puts("good");
	return 0;
}
