/* SPDX-License-Identifier: MIT */
#include "slab/named.h"

#include <errno.h>
#include <stdio.h>

#include "page/meta.h"
#include "page/section.h"
#include "slab/boot.h"
#include "slab/debug.h"
#include "slab/geometry.h"
#include "slab/merge.h"
#include "slab/rcu.h"
#include "slab/slab.h"

#define KNOWN_FLAGS                                                                             \
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE | \
	 SLAB_FAILSLAB | SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_PANIC |  \
	 SLAB_RECLAIM_ACCOUNT | SLAB_NO_MERGE | SLAB_ACCOUNT | SLAB_NO_USER_FLAGS |             \
	 SLAB_TYPESAFE_BY_RCU)

/* Objects that are listed when a cache ends too early. Arbitrary: more lines than anybody reads. */
#define MAX_LISTED 1000UL

static bool name_is_good(const char *name)
{
	size_t len = 0;

	while (name[len] > ' ' && name[len] <= '~' && len <= KMEM_CACHE_NAME_MAX)
		len++;
	return len && len <= KMEM_CACHE_NAME_MAX && !name[len];
}

/* Policy: each rule with its reason as the user reads it. Return: NULL when all is well. */
static const char *objection(const char *name, size_t size, const struct kmem_cache_args *args,
			     slab_flags_t flags)
{
	bool contents_stay = args->ctor || (flags & SLAB_TYPESAFE_BY_RCU);

	if (!name_is_good(name))
		return "the name must have 1 to 31 printable characters and no blank";
	if (!size || size > KMALLOC_MAX_SIZE)
		return "the object size is 0 or over KMALLOC_MAX_SIZE";
	if (args->align && (!is_power_of_2(args->align) || args->align > PAGE_SIZE))
		return "the alignment is no power of two, or over PAGE_SIZE";
	if (flags & ~KNOWN_FLAGS)
		return "unknown flags";
	if ((flags & SLAB_CACHE_DMA) && (flags & SLAB_CACHE_DMA32))
		return "SLAB_CACHE_DMA and SLAB_CACHE_DMA32 exclude one another";
	if (args->usersize > size || args->useroffset > size - args->usersize)
		return "useroffset and usersize reach beyond the object";
	if (args->use_freeptr_offset && !contents_stay)
		return "freeptr_offset is for caches with a constructor or SLAB_TYPESAFE_BY_RCU";
	if (args->use_freeptr_offset && (args->freeptr_offset % sizeof(uintptr_t) ||
					 args->freeptr_offset + sizeof(uintptr_t) > size))
		return "freeptr_offset is no multiple of 8 within the object";
	if ((flags & SLAB_TYPESAFE_BY_RCU) && !slab_rcu_start())
		return "SLAB_TYPESAFE_BY_RCU needs liburcu, and this library was built without";
	return NULL;
}

/* Objects start at cache lines, or small ones at such fractions of a line that none crosses one. */
static size_t wanted_align(size_t size, size_t align, slab_flags_t flags)
{
	size_t line = CACHE_LINE_BYTES;

	if (!(flags & SLAB_HWCACHE_ALIGN))
		return align;
	while (size <= line / 2)
		line /= 2;
	return MAX(align, line);
}

struct name_search {
	const char *name;
	bool found;
};

static void compare_names(struct kmem_cache *cache, void *arg)
{
	struct name_search *search = arg;
	struct list_head *pos;

	search->found |= !__builtin_strcmp(cache->name, search->name);
	list_for_each (pos, &cache->aliases) {
		const struct cache_alias *alias = list_entry(pos, struct cache_alias, list);

		search->found |= !__builtin_strcmp(alias->name, search->name);
	}
}

/* The kernel's answer too: a warning, since nothing but reports depends on it. */
static void warn_if_taken(const char *name)
{
	struct name_search search = { .name = name };

	cache_for_each(compare_names, &search);
	if (search.found)
		warn("kmem_cache_create(%s): another cache has this name", name);
}

/* @like: described, and given back if another cache serves. Return: that one, or NULL. */
static struct kmem_cache *join(struct kmem_cache *like)
{
	struct cache_alias *alias;
	struct kmem_cache *there;

	if (!cache_may_merge(like))
		return NULL;
	alias = meta_alloc(sizeof(*alias));
	if (!alias)
		return NULL;
	snprintf(alias->name, sizeof(alias->name), "%s", like->name);
	there = cache_join(like, alias);
	meta_free(there ? (void *)like : alias, there ? sizeof(*like) : sizeof(*alias));
	return there;
}

/* Return: NULL with *@why. */
static struct kmem_cache *make(const struct cache_params *params, const char **why)
{
	struct kmem_cache *cache = meta_alloc(sizeof(*cache));
	struct kmem_cache *there;
	int error;

	*why = "no memory";
	if (!cache)
		return NULL;
	error = cache_describe(cache, params);
	if (!error) {
		there = join(cache);
		if (there)
			return there;
		error = cache_setup(cache, params);
	}
	if (!error)
		return cache;
	*why = error == -ENOSPC ? "there are 16384 caches already" :
				  "no slab holds an object of this size and alignment";
	meta_free(cache, sizeof(*cache));
	return NULL;
}

static cold struct kmem_cache *refuse(const char *name, slab_flags_t flags, const char *why)
{
	const char *shown = name ? name : "NULL";

	if (flags & SLAB_PANIC)
		fatal("kmem_cache_create(%.64s): %s (SLAB_PANIC)", shown, why);
	warn("kmem_cache_create(%.64s): %s", shown, why);
	return NULL;
}

struct kmem_cache *cache_create(const char *name, unsigned int object_size,
				const struct kmem_cache_args *args, slab_flags_t flags)
{
	static const struct kmem_cache_args no_args;
	struct cache_params params = {
		.name = name,
		.size = object_size,
		.max_order = SLAB_MAX_ORDER,
		.flags = flags,
	};
	struct kmem_cache *cache;
	size_t mark_word;
	const char *why;

	slab_boot();
	if (!args)
		args = &no_args;
	why = name ? objection(name, object_size, args, flags) : "no name";
	if (why)
		return refuse(name, flags, why);
	warn_if_taken(name);
	params.align = wanted_align(object_size, args->align, flags);
	params.ctor = args->ctor;
	params.sheaf_capacity = args->sheaf_capacity;
	if (args->usersize)
		params.flags |= SLAB_NO_MERGE;
	mark_word = args->freeptr_offset / sizeof(uintptr_t);
	if (args->use_freeptr_offset)
		params.mark_word = &mark_word;
	cache = make(&params, &why);
	return cache ? cache : refuse(name, flags, why);
}

bool cache_is_alive(const struct kmem_cache *cache)
{
	/* metadata memory is never unmapped, so a dead cache may be read; what is there names another */
	return cache && READ_ONCE(cache->tag) && tag_to_cache(READ_ONCE(cache->tag)) == cache;
}

/* A line for each object of a slab that is in use. Return: how many there are. */
static unsigned long list_slab(struct kmem_cache *cache, struct page *slab, unsigned long listed)
{
	unsigned long found = 0;

	for (unsigned int i = 0; i < cache->objects; i++) {
		char *object = (char *)page_start(slab) + cache->first_offset + i * cache->size;

		if (*slab_map_word(slab, i) >> i % BITS_PER_WORD & 1)
			continue;
		if (!found && !listed)
			warn("BUG %s: Objects remaining on __kmem_cache_shutdown()", cache->name);
		if (!found && listed < MAX_LISTED)
			warn("Slab %p objects=%u used=%u", page_start(slab), slab->objects,
			     slab->inuse);
		if (listed + found < MAX_LISTED)
			warn("Object %p @offset=%u", (void *)object,
			     (unsigned int)(object - (char *)page_start(slab)));
		if (listed + found < MAX_LISTED)
			debug_print_tracks(cache, object);
		found++;
	}
	return found;
}

/* Nobody uses the cache, so its slabs stand still; and what sheaves had of it is in them again. */
static cold void list_objects(struct kmem_cache *cache)
{
	unsigned long listed = 0, frozen = 0;
	struct section *section = NULL;

	while ((section = section_next(section))) {
		for (unsigned int pfn = 0; pfn < PAGES_PER_SECTION; pfn++) {
			struct page *slab = section_page(section, pfn);

			if (page_type(slab) != PAGE_SLAB || slab->cache != cache)
				continue;
			/* which of its objects somebody had, nobody knows any more */
			if (debug_slab_is_frozen(cache, slab))
				frozen++;
			else
				listed += list_slab(cache, slab, listed);
		}
	}
	if (listed > MAX_LISTED)
		warn("and %lu objects more", listed - MAX_LISTED);
	if (frozen)
		warn("kmem_cache_destroy(%s): %lu slabs failed a check and stay", cache->name, frozen);
	if (listed || !frozen)
		warn("kmem_cache_destroy(%s): %lu objects are left, so the cache stays",
		     cache->name, listed);
}

void cache_destroy(struct kmem_cache *cache)
{
	struct cache_alias *alias = NULL;

	if (!cache)
		return;
	if (!cache_is_alive(cache)) {
		warn("kmem_cache_destroy(%p): no cache, or destroyed already", (void *)cache);
		return;
	}
	if (cache_drop_name(cache, &alias)) {
		if (alias)
			meta_free(alias, sizeof(*alias));
		return;
	}
	if (cache_teardown(cache))
		list_objects(cache);
	else
		meta_free(cache, sizeof(*cache));
}
