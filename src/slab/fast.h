/* SPDX-License-Identifier: MIT */
/*
 * The two operations that everything else exists for, on malloc's size classes by their tag and on any
 * cache by its structure. No lock, no atomic read-modify-write, no call.
 *
 * A push checks two things. The pointer must lie at a multiple of the object size from the start of
 * its slab, and not in what is left over at the slab's end. And the object must not be free already:
 * a push leaves a mark in the object, a pop clears it (see mark.h). It is gone if the program wrote over
 * it, which is a bug of another kind.
 */
#ifndef SLABUDDY_SLAB_FAST_H
#define SLABUDDY_SLAB_FAST_H

#include "slab/mark.h"
#include "slab/slot.h"

/* Take the last object out of a main sheaf. Return: false when it is empty. */
static always_inline bool sheaf_pop(struct slot_cache *sc, size_t mark_word, void **object)
{
	size_t left;

	if (unlikely(__builtin_sub_overflow((size_t)sc->count, (size_t)1, &left)))
		return false;
	WRITE_ONCE(sc->count, (uint32_t)left);
	*object = sc->objects[left];
	object_unmark(*object, mark_word);
	return true;
}

/* Put an object into a main sheaf with room for it. Return: false when it is free already. */
static always_inline bool sheaf_push(struct slot_cache *sc, size_t count, void *object,
				     size_t mark_word)
{
	if (unlikely(object_is_marked(object, mark_word)))
		return false;
	object_mark(object, mark_word);
	sc->objects[count] = object;
	/* the object first: a forked child may find this slot at any point in between */
	not_before_here(count);
	store_release(&sc->count, (uint32_t)(count + 1));
	return true;
}

/* An object of malloc's class @tag. Return: false when the main sheaf is empty. */
static always_inline bool slot_pop(struct slot *slot, size_t tag, void **object)
{
	return sheaf_pop(&slot->cache[tag], MARK_WORD, object);
}

/*
 * Put an object of malloc's class @tag into the main sheaf. Return: false when the sheaf is full or the
 * pointer is not what it should be; the slow path finds out which. @tag may be any low tag.
 */
static always_inline bool slot_push(struct slot *slot, size_t tag, void *object)
{
	struct slot_cache *sc = &slot->cache[tag];
	size_t count = sc->count;
	uint32_t offset;

	if (unlikely(count >= sc->capacity))
		return false;
	offset = (uint32_t)(uintptr_t)object & sc->slab_mask;
	/* see starts_object_at() */
	if (unlikely(sc->reciprocal * offset >= sc->start_limit))
		return false;
	return sheaf_push(sc, count, object, MARK_WORD);
}

/* A named cache's main sheaf in a slot, or NULL while the slot has none of its group. */
static always_inline struct slot_cache *named_sheaf(struct slot *slot,
						    const struct kmem_cache *cache)
{
	char *group = *(char **)(void *)((char *)slot + cache->group_place);

	return likely(group) ? (struct slot_cache *)(void *)(group + cache->sheaf_place) : NULL;
}

/* An object of a named cache. Return: false when the main sheaf is empty. */
static always_inline bool named_pop(struct slot *slot, const struct kmem_cache *cache,
				    void **object)
{
	struct slot_cache *sc = named_sheaf(slot, cache);

	return likely(sc) && sheaf_pop(sc, cache->mark_word, object);
}

/* Whether @addr is where an object of @cache starts, if it lies in one of its slabs. */
static always_inline bool starts_object(const struct kmem_cache *cache, const void *addr)
{
	uint32_t offset = ((uint32_t)(uintptr_t)addr & cache->slab_mask) - cache->first_offset;

	/* in front of the first object the difference is very large */
	return starts_object_at(cache, offset);
}

/* Whether the page that @addr lies in is of a slab of @cache. */
static always_inline bool has_tag_of(const struct kmem_cache *cache, const void *addr)
{
	const struct section *section = addr_to_section(addr);

	return likely(section) && section_tag(section, addr_to_pfn(addr)) == cache->tag;
}

/* Put an object of a named cache into the main sheaf. Return: false as for slot_push(). */
static always_inline bool named_push(struct slot *slot, const struct kmem_cache *cache,
				     void *object)
{
	struct slot_cache *sc = named_sheaf(slot, cache);
	uint32_t offset;
	size_t count;

	/* only caches without sheaves have something before their first object, see debug.h */
	offset = (uint32_t)(uintptr_t)object & cache->slab_mask;
	if (unlikely(!sc || !has_tag_of(cache, object) || !starts_object_at(cache, offset)))
		return false;
	count = sc->count;
	if (unlikely(count >= sc->capacity))
		return false;
	return sheaf_push(sc, count, object, cache->mark_word);
}

#endif
