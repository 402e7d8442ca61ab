/* SPDX-License-Identifier: MIT */
/*
 * The checker, checked: each test breaks one thing, expects the faults that follow from it, repairs
 * it and expects none. The reasons for each number stand beside it.
 */
#include <string.h>

#include "../own_slot.h"
#include "../testing.h"
#include "buddy/run.h"
#include "malloc/heap.h"
#include "slab/slab.h"

static struct kmem_cache *cache;
static struct kmem_cache_node *node;
static struct zone *zone = &node_data[0].zones[ZONE_NORMAL];
static struct page *slab; /* one that is partly in use, and no sheaf knows its free objects */
static void *object;	  /* in use in it */

static void setup(void)
{
	take_own_slot();
	object = heap_malloc(200);
	cache = tag_to_cache(size_to_tag(200));
	node = &cache->node0;
	slot_drain(this_slot);
	slab = slab_of(cache, object);
	ck_assert_uint_eq(slab->inuse, 1);
	assert_heap_sound();
}

static unsigned int number_of(const void *p)
{
	return object_number(cache, (uint32_t)(uintptr_t)p & cache->slab_mask);
}

START_TEST(free_map_bit)
{
	uint64_t *word = slab_map_word(slab, number_of(object));
	uint64_t bit = (uint64_t)1 << number_of(object) % BITS_PER_WORD;

	*word |= bit; /* in use and free make one too many */
	ck_assert_uint_eq(count_faults(), 1);
	*word &= ~bit;
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(free_map_bit_of_a_cached_object)
{
	unsigned int n;
	void *cached;

	heap_free(heap_malloc(200));
	ck_assert_uint_gt(this_slot->cache[cache->tag].count, 0);
	cached = this_slot->cache[cache->tag].objects[0];
	slab = slab_of(cache, cached);
	n = number_of(cached);
	*slab_map_word(slab, n) |= (uint64_t)1 << n % BITS_PER_WORD;
	/* the count, and an object that is free in two places */
	ck_assert_uint_eq(count_faults(), 2);
	*slab_map_word(slab, n) &= ~((uint64_t)1 << n % BITS_PER_WORD);
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(inuse)
{
	slab->inuse++; /* against its free map, and against the node's count */
	ck_assert_uint_eq(count_faults(), 2);
	slab->inuse--;
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(node_counters)
{
	node->nr_partial++;
	ck_assert_uint_eq(count_faults(), 1);
	node->nr_partial--;
	node->nr_slabs++;
	ck_assert_uint_eq(count_faults(), 1);
	node->nr_slabs--;
	node->nr_empty++;
	ck_assert_uint_eq(count_faults(), 1);
	node->nr_empty--;
	node->nr_inuse--;
	ck_assert_uint_eq(count_faults(), 1);
	node->nr_inuse++;
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(fullness)
{
	slab->fullness ^= 1; /* says another list than it is on */
	ck_assert_uint_eq(count_faults(), 1);
	slab->fullness ^= 1;
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(slab_off_its_list)
{
	struct list_head *list = slab->lru.prev;

	list_del(&slab->lru); /* one listed less than counted */
	ck_assert_uint_eq(count_faults(), 1);
	list_add(&slab->lru, list);
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(tag_of_a_page_in_a_slab)
{
	page_set_tags(slab, 1, TAG_NONE);
	/* for the zone a page without a tag is none of ours, and for the slab it is not one of its own */
	ck_assert_uint_eq(count_faults(), 2);
	page_set_tags(slab, 1, cache->tag);
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(tag_of_a_free_page)
{
	struct page *page = zone_alloc_run(zone, 1, 0, MIGRATE_MOVABLE, NULL);

	zone_free_run(page, 1);
	page_set_tags(page, 1, cache->tag);
	ck_assert_uint_eq(count_faults(), 1);
	page_set_tags(page, 1, TAG_PLAIN);
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(zone_counters)
{
	zone->free_area[3].nr_free++;
	ck_assert_uint_eq(count_faults(), 1);
	zone->free_area[3].nr_free--;
	zone->nr_free_pages++;
	ck_assert_uint_eq(count_faults(), 1);
	zone->nr_free_pages--;
	zone->nr_dirty++;
	ck_assert_uint_eq(count_faults(), 1);
	zone->nr_dirty--;
	zone->nr_isolated++;
	ck_assert_uint_eq(count_faults(), 1);
	zone->nr_isolated--;
	zone->managed_pages--;
	ck_assert_uint_eq(count_faults(), 1);
	zone->managed_pages++;
	zone->uncommitted_pages--;
	ck_assert_uint_eq(count_faults(), 1);
	zone->uncommitted_pages++;
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

/* A free block of some order, from the lists. */
static struct page *free_block(void)
{
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
			struct list_head *list = &zone->free_area[order].free_list[mt];

			if (!list_empty(list))
				return list_first_entry(list, struct page, lru);
		}
	}
	ck_abort_msg("no free block");
}

START_TEST(dirty_pages)
{
	struct page *page = free_block();
	uint64_t *map = page_section(page)->dirty;
	unsigned int pfn = page_pfn(page);
	bool dirty = bitmap_test(map, pfn);

	if (dirty)
		bitmap_clear_range(map, pfn, 1);
	else
		bitmap_set_range(map, pfn, 1);
	ck_assert_uint_eq(count_faults(), 1);
	if (dirty)
		bitmap_set_range(map, pfn, 1);
	else
		bitmap_clear_range(map, pfn, 1);
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(free_block_off_its_list)
{
	struct page *page = free_block();
	struct list_head *list = page->lru.prev;

	list_del(&page->lru); /* nr_free, the list and the map differ: one fault of one order */
	ck_assert_uint_eq(count_faults(), 1);
	list_add(&page->lru, list);
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(pageblock_of_another_type)
{
	struct page *page = free_block();
	struct section *section = page_section(page);
	unsigned int block = page_pfn(page) >> PAGEBLOCK_ORDER;
	uint8_t type = section->pageblock_type[block];

	section->pageblock_type[block] = MIGRATE_RECLAIMABLE;
	ck_assert_uint_ge(count_faults(), 1); /* one for each free block in it */
	section->pageblock_type[block] = type;
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(lost_pages)
{
	struct page *page = zone_alloc_run(zone, 5, 0, MIGRATE_MOVABLE, NULL);

	page->nr_pages = 4; /* one page belongs to nobody, and is missing from the count */
	ck_assert_uint_eq(count_faults(), 2);
	page->nr_pages = 5;
	ck_assert_uint_eq(count_faults(), 0);
	page_set_type(page, PAGE_NONE);
	ck_assert_uint_eq(count_faults(), 6);
	page_set_type(page, PAGE_USED);
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(overlapping_blocks)
{
	struct page *page = zone_alloc_run(zone, 5, 0, MIGRATE_MOVABLE, NULL);

	page_set_type(page + 3, PAGE_USED); /* a head within another's run */
	ck_assert_uint_eq(count_faults(), 1);
	page_set_type(page + 3, PAGE_NONE);
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(foreign_object_in_a_sheaf)
{
	void **objects;
	void *kept;

	heap_free(heap_malloc(200));
	objects = this_slot->cache[cache->tag].objects;
	kept = objects[0];
	objects[0] = (char *)kept + 8;
	ck_assert_uint_eq(count_faults(), 1);
	objects[0] = &kept;
	ck_assert_uint_eq(count_faults(), 1);
	objects[0] = NULL;
	ck_assert_uint_eq(count_faults(), 1);
	objects[0] = kept;
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

START_TEST(barn_counters)
{
	node->barn.nr_full++;
	ck_assert_uint_eq(count_faults(), 1);
	node->barn.nr_full--;
	node->barn.nr_objects++;
	ck_assert_uint_eq(count_faults(), 1);
	node->barn.nr_objects--;
	node->barn.nr_empty++;
	ck_assert_uint_eq(count_faults(), 1);
	node->barn.nr_empty--;
	ck_assert_uint_eq(count_faults(), 0);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("slab/audit");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, free_map_bit);
	tcase_add_test(tc, free_map_bit_of_a_cached_object);
	tcase_add_test(tc, inuse);
	tcase_add_test(tc, node_counters);
	tcase_add_test(tc, fullness);
	tcase_add_test(tc, slab_off_its_list);
	tcase_add_test(tc, tag_of_a_page_in_a_slab);
	tcase_add_test(tc, tag_of_a_free_page);
	tcase_add_test(tc, zone_counters);
	tcase_add_test(tc, dirty_pages);
	tcase_add_test(tc, free_block_off_its_list);
	tcase_add_test(tc, pageblock_of_another_type);
	tcase_add_test(tc, lost_pages);
	tcase_add_test(tc, overlapping_blocks);
	tcase_add_test(tc, foreign_object_in_a_sheaf);
	tcase_add_test(tc, barn_counters);
	return test_run(tc);
}
