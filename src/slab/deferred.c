/* SPDX-License-Identifier: MIT */
#include "slab/deferred.h"

#include "buddy/grow.h"

void *deferred_blocks;
struct zone *deferred_zone;

static void (*free_deferred)(void *block); /* [const after deferred_set_free()] */

void deferred_set_free(void (*free_block)(void *block))
{
	free_deferred = free_block;
}

void deferred_push(void *block)
{
	void *first = READ_ONCE(deferred_blocks);

	do
		*(void **)block = first;
	while (!__atomic_compare_exchange_n(&deferred_blocks, &first, block, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
}

noinline void deferred_drain_slow(void)
{
	void *block = __atomic_exchange_n(&deferred_blocks, NULL, __ATOMIC_ACQUIRE);
	struct zone *zone = __atomic_exchange_n(&deferred_zone, NULL, __ATOMIC_RELAXED);

	/* fresh pages cost nothing until somebody uses them */
	if (zone)
		zone_grow(zone, PAGEBLOCK_ORDER, MIGRATE_UNMOVABLE);

	while (block) {
		void *next = *(void **)block;

		free_deferred(block);
		block = next;
	}
}
