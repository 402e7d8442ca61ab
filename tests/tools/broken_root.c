/* SPDX-License-Identifier: MIT */
/*
 * A program that has a heap of ours in itself, whose lists it then breaks, as a reader may find
 *them while they change:
 *
 *	broken_root circles	each leads back to an entry that was there already
 *	broken_root nowhere	each leads to where nothing is mapped
 *	broken_root whole	as they are
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/root.h"
#include "malloc/heap.h"
#include "page/section.h"
#include "slab/slot.h"

/* So that the linker takes it along. */
extern const struct root slabuddy_root;

static void *volatile from_malloc;
static void *const nowhere = (void *)16;

static void break_cache(struct kmem_cache *cache, void *circle)
{
	/* the second leads to itself, so that the circle is not at the beginning */
	static int nr;

	if (++nr == 2)
		cache->list.next = circle ? &cache->list : nowhere;
}

static void break_lists(bool circle)
{
	struct section *section = section_next(NULL);
	struct slot *slot = slot_first();

	section->list.next = circle ? &section->list : nowhere;
	while (slot->next)
		slot = slot->next;
	slot->next = circle ? slot_first() : nowhere;
	/* not cache_for_each(), which goes on from there */
	for (struct kmem_cache *cache = tag_to_cache(TAG_FIRST_CACHE); cache;) {
		struct kmem_cache *next = container_of(cache->list.next, struct kmem_cache, list);

		break_cache(cache, circle ? cache : NULL);
		if (cache->list.next != &next->list)
			break;
		cache = next;
	}
}

int main(int argc, char **argv)
{
	char byte;

	alarm(120);
	/* of malloc's heap, if that is another one of ours */
	from_malloc = malloc(100);
	if (slabuddy_root.version != ROOT_VERSION || !heap_malloc(100) || !heap_malloc(1000) ||
	    !heap_malloc(10000) || !heap_malloc(100000))
		return 99;
	if (argc > 1 && strcmp(argv[1], "whole"))
		break_lists(!strcmp(argv[1], "circles"));
	if (write(1, "ready\n", 6) != 6)
		return 99;
	while (read(0, &byte, 1) > 0)
		;
	_exit(0);
}
