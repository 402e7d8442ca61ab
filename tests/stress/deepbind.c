/* SPDX-License-Identifier: MIT */
/* Loaded with RTLD_DEEPBIND, so that its malloc is libc's, whatever is preloaded. */
#include <stdlib.h>
#include <string.h>

void *deep_alloc(size_t size);

void *deep_alloc(size_t size)
{
	void *ptr = malloc(size);

	return ptr ? memset(ptr, 7, size) : NULL;
}
