/* SPDX-License-Identifier: MIT */
#include "slab/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/option.h"
#include "slab/percpu.h"

/* The option decides, once for every kind of report. */
#define complain(...)							\
	do {								\
		if (READ_ONCE(options.bad_free) == BAD_FREE_WARN) {	\
			warn(__VA_ARGS__);				\
		} else {						\
			let_go_of_slot();				\
			fatal(__VA_ARGS__);				\
		}							\
	} while (0)

static void let_go(struct slot *slot, void *unused)
{
	(void)unused;
	if (lock_is_mine(&slot->lock))
		lock_release(&slot->lock, LOCK_SLOT);
}

/* abort() may run a handler that allocates before it ends the process. */
static void let_go_of_slot(void)
{
	let_go(slot_is_real(this_slot) ? this_slot : &slot_shared, NULL);
	/* the thread may have been moved since it took one of these */
	percpu_for_each(let_go, NULL);
}

void report_double_free(const struct kmem_cache *cache, const void *object)
{
	complain("free(): double free of %p (cache %s)", object, cache->name);
}

void report_not_an_object(const struct kmem_cache *cache, const void *addr)
{
	complain("free(): invalid pointer %p: not the start of an object (cache %s)", addr,
		 cache->name);
}

void report_wrong_cache(const struct kmem_cache *cache, const struct kmem_cache *owner,
			const void *object)
{
	if (owner)
		complain("kmem_cache_free(%s): %p is an object of cache %s",
			 cache ? cache->name : "NULL", object, owner->name);
	else
		complain("kmem_cache_free(%s): %p is no object of any cache",
			 cache ? cache->name : "NULL", object);
}

void report_wrong_sheaf(const char *function, const struct kmem_cache *cache,
			const struct kmem_cache *owner)
{
	complain("%s(%s): the sheaf is of cache %s", function, cache->name,
		 owner ? owner->name : "that has ended");
}

void report_bad_free(const void *addr, const char *what)
{
	complain("free(): invalid pointer %p: %s", addr, what);
}

void report_bad_page(const char *function, const void *addr, const char *what, ...)
{
	char text[128];
	va_list args;

	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	complain("%s(): page %p %s", function, addr, text);
}
