/* SPDX-License-Identifier: MIT */
#include "slab/debug.h"

#include "base/check.h"
#include "base/stack.h"
#include "os/info.h"
#include "page/meta.h"
#include "slab/debug_layout.h"
#include "slab/debug_report.h"
#include "slab/slab.h"

/* Frames of a stack that are kept: the kernel's 16, and those of ours that come before the program's. */
#define STACK_FRAMES 22

/* Slabs whose check failed under a lock, to be reported once nothing is held. [atomic] */
static struct debug_slab *failed;

static size_t table_bytes(const struct kmem_cache *cache)
{
	return sizeof(struct debug_slab) + cache->objects * sizeof(struct debug_object);
}

static char *object_at(const struct kmem_cache *cache, struct page *slab, unsigned int object)
{
	return (char *)page_start(slab) + cache->first_offset + (size_t)object * cache->size;
}

bool debug_slab_begin(struct kmem_cache *cache, struct page *slab)
{
	struct debug_slab *table = meta_alloc(table_bytes(cache));

	if (!table)
		return false;
	table->slab = slab;
	debug_fill_slab(cache, slab);
	store_release(debug_slab_place(cache, slab), table);
	return true;
}

void debug_slab_end(struct kmem_cache *cache, struct page *slab)
{
	struct debug_slab **place = debug_slab_place(cache, slab);
	struct debug_slab *table = *place;

	if (!table)
		return;
	store_release(place, NULL);
	meta_free(table, table_bytes(cache));
}

void debug_slab_list(struct kmem_cache *cache, struct page *slab)
{
	debug_slab_of(cache, slab)->listed = true;
}

/* What is left of it stays as it is, so that it can be reported; and in use, so that nobody gets it. */
static void freeze(struct kmem_cache *cache, struct page *slab, unsigned int object)
{
	struct debug_slab *table = debug_slab_of(cache, slab);
	struct debug_slab *first = READ_ONCE(failed);

	table->frozen = true;
	table->failed_object = object;
	for (unsigned int i = 0; i < cache->objects; i += BITS_PER_WORD)
		*slab_map_word(slab, i) = 0;
	slab->inuse = slab->objects;
	do
		table->next_failed = first;
	while (!__atomic_compare_exchange_n(&failed, &first, table, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
}

bool debug_slab_unlist(struct kmem_cache *cache, struct page *slab)
{
	struct debug_slab *table = debug_slab_of(cache, slab);
	struct debug_fault fault;

	if (cache->flags & SLAB_CONSISTENCY_CHECKS) {
		for (unsigned int i = 0; i < cache->objects; i++) {
			if (debug_check_object(cache, object_at(cache, slab, i), false,
					       cache->object_size, &fault)) {
				freeze(cache, slab, i);
				return false;
			}
		}
	}
	table->listed = false;
	return true;
}

bool debug_take(struct kmem_cache *cache, struct page *slab, unsigned int object)
{
	struct debug_slab *table = debug_slab_of(cache, slab);
	char *addr = object_at(cache, slab, object);
	struct debug_fault fault;

	if ((cache->flags & SLAB_CONSISTENCY_CHECKS) &&
	    debug_check_object(cache, addr, false, cache->object_size, &fault)) {
		freeze(cache, slab, object);
		return false;
	}
	WRITE_ONCE(table->objects[object].size, cache->object_size);
	debug_fill_object(cache, addr, true, cache->object_size);
	return true;
}

bool debug_put(struct kmem_cache *cache, struct page *slab, unsigned int object)
{
	if (debug_slab_of(cache, slab)->frozen)
		return false;
	debug_fill_object(cache, object_at(cache, slab, object), false, cache->object_size);
	return true;
}

static struct debug_object *debug_object_of(struct kmem_cache *cache, const void *object)
{
	struct page *slab = slab_of(cache, object);
	struct debug_slab *table = slab ? debug_slab_of(cache, slab) : NULL;

	return table ? &table->objects[slab_object_number(cache, object)] : NULL;
}

/* Who is at it just now. */
static struct track track_here(const struct kmem_cache *cache)
{
	void *addrs[STACK_FRAMES];
	struct track track = { 0 };

	if (!(cache->flags & SLAB_STORE_USER))
		return track;
	track.stack = depot_save(addrs, stack_capture(addrs, STACK_FRAMES, 1));
	track.when = os_milliseconds();
	track.tid = os_thread_id();
	track.cpu = os_current_cpu();
	return track;
}

static void trace(struct kmem_cache *cache, const char *what, const void *object)
{
	struct page *slab = slab_of(cache, object);

	if ((cache->flags & SLAB_TRACE) && slab)
		warn("TRACE %s %s %p inuse=%u fp=0x%lx", cache->name, what, object, READ_ONCE(slab->inuse),
		     (unsigned long)(uintptr_t)debug_first_free(cache, slab));
}

static cold void report_failed(void)
{
	struct debug_slab *table = __atomic_exchange_n(&failed, NULL, __ATOMIC_ACQUIRE);

	for (; table; table = table->next_failed) {
		struct kmem_cache *cache = table->slab->cache;
		char *object = object_at(cache, table->slab, table->failed_object);
		struct debug_fault fault;

		while (debug_check_object(cache, object, false, cache->object_size, &fault)) {
			debug_report_fault(cache, table->slab, object, &fault);
			debug_restore(&fault);
		}
		debug_report_fix(cache, "Marking all objects used");
	}
}

static void report_if_failed(void)
{
	/* racy peek: whoever made it so looks afterwards */
	if (unlikely(READ_ONCE(failed)))
		report_failed();
}

void debug_allocated(struct kmem_cache *cache, void *const *objects, size_t nr)
{
	struct track track = track_here(cache);

	report_if_failed();
	for (size_t i = 0; i < nr; i++) {
		struct debug_object *object = debug_object_of(cache, objects[i]);

		object->allocated = track;
		trace(cache, "alloc", objects[i]);
	}
}

/* Whether what is in and around an object that comes back is as it should be. */
static bool check_in_use(struct kmem_cache *cache, char *addr)
{
	struct debug_object *object = debug_object_of(cache, addr);
	struct debug_fault fault;
	bool good = true;

	if (!(cache->flags & SLAB_CONSISTENCY_CHECKS))
		return true;
	while (debug_check_object(cache, addr, true, READ_ONCE(object->size), &fault)) {
		debug_report_fault(cache, slab_of(cache, addr), addr, &fault);
		debug_restore(&fault);
		good = false;
	}
	if (!good)
		debug_report_fix(cache, "Object at 0x%lx not freed", (unsigned long)(uintptr_t)addr);
	return good;
}

size_t debug_freeing(struct kmem_cache *cache, void **objects, size_t nr)
{
	struct track track = track_here(cache);
	size_t left = 0;

	report_if_failed();
	for (size_t i = 0; i < nr; i++) {
		if (unlikely(!check_in_use(cache, objects[i])))
			continue;
		debug_object_of(cache, objects[i])->freed = track;
		trace(cache, "free", objects[i]);
		objects[left++] = objects[i];
	}
	return left;
}

void debug_freed(struct kmem_cache *cache)
{
	(void)cache;
	report_if_failed();
}

void debug_set_size(struct kmem_cache *cache, void *object, size_t size)
{
	struct debug_object *entry;

	if (!cache->debug->sized)
		return;
	entry = debug_object_of(cache, object);
	size = MAX(size, 1);
	/* whoever checks meanwhile finds the whole object in use, or all of what is behind red */
	__builtin_memset((char *)object + size, RED_ACTIVE, cache->object_size - size);
	store_release(&entry->size, (uint32_t)size);
}

void debug_lend_bytes(struct kmem_cache *cache, void *object, size_t bytes)
{
	struct debug_object *entry;

	if (!cache->debug->sized)
		return;
	entry = debug_object_of(cache, object);
	if (entry && READ_ONCE(entry->size) < bytes)
		store_release(&entry->size, (uint32_t)bytes);
}

size_t debug_object_size(struct kmem_cache *cache, const void *object)
{
	const struct debug_object *entry;

	if (!cache->debug->sized)
		return cache->object_size;
	entry = debug_object_of(cache, object);
	return entry ? READ_ONCE(entry->size) : 0;
}
