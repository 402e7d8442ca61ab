/* SPDX-License-Identifier: MIT */
/*
 * Caches by the kernel's names: fast paths, and what the arguments mean. The rest is in slab/.
 */
#include <slabuddy/slab.h>

#include <errno.h>
#include <string.h>

#include "api/rcu.h"
#include "api/reclaim.h"
#include "base/check.h"
#include "malloc/heap.h"
#include "slab/alloc.h"
#include "slab/debug.h"
#include "slab/fast.h"
#include "slab/hollow.h"
#include "slab/named.h"
#include "slab/report.h"
#include "slab/slab.h"
#include "slab/vacate.h"

exported struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int object_size,
						     const struct kmem_cache_args *args,
						     slab_flags_t flags)
{
	return cache_create(name, object_size, args, flags);
}

exported struct kmem_cache *__kmem_cache_default_args(const char *name, unsigned int object_size,
						      const void *null, slab_flags_t flags)
{
	return cache_create(name, object_size, null, flags);
}

exported struct kmem_cache *__kmem_cache_create(const char *name, unsigned int object_size,
						unsigned int align, slab_flags_t flags,
						void (*ctor)(void *object))
{
	struct kmem_cache_args args = { .align = align, .ctor = ctor };

	return cache_create(name, object_size, &args, flags);
}

exported struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size,
						       unsigned int align, slab_flags_t flags,
						       unsigned int useroffset,
						       unsigned int usersize,
						       void (*ctor)(void *object))
{
	struct kmem_cache_args args = {
		.align = align,
		.useroffset = useroffset,
		.usersize = usersize,
		.ctor = ctor,
	};

	return cache_create(name, size, &args, flags);
}

exported void kmem_cache_destroy(struct kmem_cache *cache)
{
	if (cache)
		rcu_finish_frees();
	cache_destroy(cache);
}

exported int kmem_cache_shrink(struct kmem_cache *cache)
{
	if (!cache)
		return 0;
	slot_forget_idle(cache);
	return cache_shrink(cache);
}

exported int kmem_cache_worth_vacating(struct kmem_cache *cache, const void *object)
{
	return cache ? slab_worth_vacating(cache, object) : -EINVAL;
}

exported void *kmem_cache_move(struct kmem_cache *cache, void *object)
{
	return cache ? slab_move(cache, object) : NULL;
}

exported unsigned int kmem_cache_size(struct kmem_cache *cache)
{
	return cache ? READ_ONCE(cache->object_size) : 0;
}

exported const char *kmem_cache_name(struct kmem_cache *cache)
{
	return cache ? cache->name : NULL;
}

exported unsigned long kmem_cache_validate(struct kmem_cache *cache)
{
	return cache ? cache_validate(cache) : 0;
}

/* An object as @gfp wants it. */
static noinline void *zeroed(struct kmem_cache *cache, void *object)
{
	if (cache->ctor) {
		warn_once("__GFP_ZERO is not for caches with a constructor (cache %s)",
			  cache->name);
		return object;
	}
	return memset(object, 0, READ_ONCE(cache->object_size));
}

static always_inline void *prepared(struct kmem_cache *cache, gfp_t gfp, void *object)
{
	return unlikely(gfp & __GFP_ZERO) && object ? zeroed(cache, object) : object;
}

static cold void warn_no_cache(void)
{
	warn_once("an allocation from the cache NULL");
}

static noinline void *alloc_slow(struct kmem_cache *cache, gfp_t gfp)
{
	unsigned int attempt = 0;
	void *object;

	if (unlikely(!cache)) {
		warn_no_cache();
		return NULL;
	}
	do
		object = cache_alloc_slow(cache);
	while (unlikely(!object) && reclaim_and_retry(gfp, NUMA_NO_NODE, &attempt));
	return prepared(cache, gfp, object);
}

exported void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *object;

	if (unlikely(!cache || !named_pop(this_slot, cache, &object)))
		return alloc_slow(cache, gfp);
	return prepared(cache, gfp, object);
}

/* An object of that node's slabs; of another node's if it has no memory, but not with __GFP_THISNODE. */
static void *try_on_node(struct kmem_cache *cache, gfp_t gfp, unsigned int nid)
{
	void *object = cache_alloc_node_slow(cache, nid);

	if (object && (gfp & __GFP_THISNODE) && slab_of(cache, object)->nid != nid) {
		kmem_cache_free(cache, object);
		return NULL;
	}
	return object;
}

static noinline void *alloc_on_node(struct kmem_cache *cache, gfp_t gfp, unsigned int nid)
{
	unsigned int attempt = 0;
	void *object;

	do
		object = try_on_node(cache, gfp, nid);
	while (unlikely(!object) && reclaim_and_retry(gfp, (int)nid, &attempt));
	return prepared(cache, gfp, object);
}

/* Whether this thread's sheaf will do for node @nid. It may hold other nodes' objects that were freed here. */
static bool sheaf_will_do(gfp_t gfp, int nid)
{
	int nodes = (int)nr_nodes();

	if (nid < 0 || nid >= nodes || nodes == 1)
		return true;
	return nid == this_slot->nid && slot_is_real(this_slot) && !(gfp & __GFP_THISNODE);
}

exported void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	if (!cache || sheaf_will_do(gfp, nid))
		return kmem_cache_alloc(cache, gfp);
	return alloc_on_node(cache, gfp, (unsigned int)nid);
}

static cold void free_to_wrong_cache(struct kmem_cache *cache, struct kmem_cache *owner, void *object)
{
	if (!owner && hollow_report_free(object))
		return;
	if (owner)
		debug_report_bad_free(owner, object, "Object freed to another cache");
	report_wrong_cache(cache, owner, object);
}

static noinline void free_slow(struct kmem_cache *cache, void *object)
{
	struct kmem_cache *owner;

	if (!object)
		return;
	owner = addr_to_cache(object);
	if (owner && owner == cache)
		cache_free_slow(cache, object);
	else
		free_to_wrong_cache(cache, owner, object);
}

exported void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	if (unlikely(!cache || !named_push(this_slot, cache, object)))
		free_slow(cache, object);
}

/* As many objects as the main sheaf has, last in first out. Return: how many. */
static size_t pop_many(struct slot *slot, struct kmem_cache *cache, void **objects, size_t want)
{
	struct slot_cache *sc = named_sheaf(slot, cache);
	size_t count, nr;

	if (unlikely(!sc))
		return 0;
	count = sc->count;
	nr = MIN(want, count);
	count -= nr;
	WRITE_ONCE(sc->count, (uint32_t)count);
	for (size_t i = 0; i < nr; i++) {
		objects[i] = sc->objects[count + i];
		object_unmark(objects[i], cache->mark_word);
	}
	return nr;
}

static noinline size_t take_many(struct kmem_cache *cache, gfp_t gfp, void **objects, size_t want)
{
	unsigned int attempt = 0;
	size_t got = 0;

	do
		got += cache_take(cache, objects + got, want - got);
	while (got < want && reclaim_and_retry(gfp, NUMA_NO_NODE, &attempt));
	for (size_t i = 0; i < got; i++)
		object_unmark(objects[i], cache->mark_word);
	return got;
}

exported int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t nr, void **objects)
{
	size_t got;

	if (unlikely(!cache)) {
		warn_no_cache();
		return 0;
	}
	got = pop_many(this_slot, cache, objects, nr);
	if (unlikely(got < nr))
		got += take_many(cache, gfp, objects + got, nr - got);
	if (unlikely(got < nr)) {
		kmem_cache_free_bulk(cache, got, objects);
		return 0;
	}
	if (unlikely(gfp & __GFP_ZERO)) {
		for (size_t i = 0; i < nr; i++)
			zeroed(cache, objects[i]);
	}
	return (int)nr;
}

/* Put as many objects into the main sheaf as it takes. Return: how many: up to where it is full, or an
 * object is not what it should be. */
static size_t push_many(struct slot *slot, struct kmem_cache *cache, void **objects, size_t nr)
{
	struct slot_cache *sc = named_sheaf(slot, cache);
	uintptr_t last_page = 1; /* none: NULL lies in the page at 0 */
	size_t count, done;

	if (unlikely(!sc))
		return 0;
	count = sc->count;
	nr = MIN(nr, sc->capacity - count);
	for (done = 0; done < nr; done++) {
		void *object = objects[done];
		uintptr_t page = (uintptr_t)object & PAGE_MASK;

		/* objects that were allocated together mostly lie together; a hollow page has a tag of its own */
		if (page != last_page && unlikely(!has_tag_of(cache, object)))
			break;
		last_page = page;
		if (unlikely(!starts_object(cache, object) ||
			     object_is_marked(object, cache->mark_word)))
			break;
		object_mark(object, cache->mark_word);
		sc->objects[count + done] = object;
	}
	/* the objects first: a forked child may find this slot at any point in between */
	store_release(&sc->count, (uint32_t)(count + done));
	return done;
}

exported void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **objects)
{
	size_t done = 0;

	for (; !cache && done < nr; done++) {
		if (!ZERO_OR_NULL_PTR(objects[done]))
			heap_free(objects[done]);
	}
	while (done < nr) {
		done += push_many(this_slot, cache, objects + done, nr - done);
		/* makes room, or says what is wrong with it */
		if (done < nr)
			free_slow(cache, objects[done++]);
	}
}
