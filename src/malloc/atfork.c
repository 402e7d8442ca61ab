/* SPDX-License-Identifier: MIT */
/*
 * Handlers of fork() in the shared library of malloc, which stands before libc: pthread_atfork(),
 * part of each program and library that calls it, ends in __register_atfork(), and that is ours.
 *
 * So our handlers can wait until the heap is used or somebody else registers some, and still come
 * first. A process that allocates nothing does without them, and with that without 64 KiB of libc:
 * what glibc reads of its constants for the first handler.
 */
#include <dlfcn.h>
#include <errno.h>

#include "base/compiler.h"
#include "slab/boot.h"

typedef int register_fn(void (*prepare)(void), void (*parent)(void), void (*child)(void),
			void *library);

static register_fn *libcs; /* [atomic] */

/* An array, since string literals lie where a start does not go, see start.ld. */
static const char its_name[] = "__register_atfork";

/* The first one that comes has slab_boot() register ours, which come here as well. */
static int register_after_ours(void (*prepare)(void), void (*parent)(void), void (*child)(void),
			       void *library)
{
	register_fn *next = load_acquire(&libcs);

	slab_boot();
	if (!next) {
		next = (register_fn *)dlsym(RTLD_NEXT, its_name);
		if (!next)
			return ENOSYS;
		store_release(&libcs, next);
	}
	return next(prepare, parent, child, library);
}

exported register_fn __register_atfork __attribute__((alias("register_after_ours")));

bool slab_sees_atfork(void)
{
	/* libc's, where this library came later: by dlopen() */
	register_fn *volatile found = __register_atfork;

	return found == register_after_ours;
}
