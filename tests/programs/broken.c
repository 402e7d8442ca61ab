/* SPDX-License-Identifier: MIT */
/*
 * A preload that breaks its host in the way that the environment variable BROKEN names, for
 * able-to-fail.sh: a test that does not notice this one would not notice a broken allocator.
 * With -DBYSTANDER it has no malloc at all, and so is loaded without being used.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *way(void)
{
	const char *broken = getenv("BROKEN");

	return broken ? broken : "";
}

static int broken_in(const char *what)
{
	return strcmp(way(), what) == 0;
}

__attribute__((constructor)) static void begin(void)
{
	static const char noise[] = "a line of noise\n";

	if (broken_in("noise") && write(STDERR_FILENO, noise, sizeof(noise) - 1) < 0)
		abort();
	if (broken_in("mute"))
		close(STDOUT_FILENO);
}

__attribute__((destructor)) static void end(void)
{
	if (broken_in("status"))
		_exit(3);
	if (broken_in("abort"))
		abort();
}

#ifndef BYSTANDER

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *p);

/* One malloc in a thousand hands out memory that somebody else has as well. */
void *malloc(size_t size)
{
	static char shared[4096];
	static unsigned int calls;

	if (size >= 32 && size <= sizeof(shared) && broken_in("overlap") &&
	    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) % 1000 == 0)
		return shared;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	void *p = __libc_calloc(count, size);

	if (p && broken_in("dirty"))
		memset(p, 0xa5, count * size);
	return p;
}

void *realloc(void *old, size_t size)
{
	static unsigned int calls;
	void *p;

	if (old && broken_in("forget") &&
	    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) % 100 == 0) {
		p = __libc_malloc(size);
		return p ? memset(p, 0, size) : p;
	}
	return __libc_realloc(old, size);
}

/* Leaks what is shared: to free it would be noticed by glibc, not by the test. */
void free(void *p)
{
	if (!broken_in("overlap"))
		__libc_free(p);
}

#endif
