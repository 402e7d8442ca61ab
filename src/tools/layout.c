/* SPDX-License-Identifier: MIT */
#include "tools/layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/snapshot.h"
#include "tools/room.h"

/* More than any library of ours will have. Arbitrary. */
#define MAX_NUMBERS 4096
#define MAX_PLACES  256

#define SIZE_NAME(type)		 #type,
#define FIELD_NAME(type, member) #type "." #member,
#define CONSTANT_NAME(name)	 #name,
static const char *const number_names[] = { ROOT_SIZES(SIZE_NAME) ROOT_FIELDS(FIELD_NAME)
						    ROOT_CONSTANTS(CONSTANT_NAME) };

#define PLACE_NAME(variable) #variable,
static const char *const place_names[] = { ROOT_PLACES(PLACE_NAME) };

static void take_number(struct layout *layout, size_t id, const struct root_number *numbers,
			size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (strncmp(numbers[i].name, number_names[id], sizeof(numbers[i].name)))
			continue;
		layout->number[id].value = numbers[i].value;
		layout->number[id].bytes = numbers[i].bytes;
		return;
	}
	layout->missing = number_names[id];
}

static void take_place(struct layout *layout, size_t id, const struct root_place *places, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (strncmp(places[i].name, place_names[id], sizeof(places[i].name)))
			continue;
		layout->place[id] = (uintptr_t)places[i].address;
		return;
	}
	layout->missing = place_names[id];
}

/* Whether an array has room for @nr elements, so that none is looked for behind it. */
#define HAS(l, type, member, nr, element_bytes) \
	((uint64_t)(nr) * (element_bytes) <= (l)->number[FIELD_##type##_##member].bytes)

static bool arrays_are_sane(const struct layout *l)
{
	uint64_t pages = CONSTANT_OF(l, PAGES_PER_SECTION);
	uint64_t classes = CONSTANT_OF(l, NR_CLASS_TAGS);
	uint64_t group = CONSTANT_OF(l, CACHES_PER_GROUP);

	/* arrays of integers lie at multiples of their size */
	if (OFFSET_OF(l, section, tag) % sizeof(uint16_t) ||
	    OFFSET_OF(l, kmem_cache, node) % sizeof(uint64_t) ||
	    OFFSET_OF(l, slot, group) % sizeof(uint64_t))
		return false;
	return HAS(l, pglist_data, zones, CONSTANT_OF(l, MAX_NR_ZONES), SIZE_OF(l, zone)) &&
	       HAS(l, zone, free_area, CONSTANT_OF(l, NR_PAGE_ORDERS), SIZE_OF(l, free_area)) &&
	       HAS(l, section, mem_map, pages, SIZE_OF(l, page)) &&
	       HAS(l, section, tag, pages, sizeof(uint16_t)) &&
	       HAS(l, section, pageblock_type, pages >> CONSTANT_OF(l, PAGEBLOCK_ORDER), 1) &&
	       HAS(l, kmem_cache, node, CONSTANT_OF(l, MAX_NUMNODES), sizeof(uint64_t)) &&
	       HAS(l, kmem_cache_node, barn, 1, SIZE_OF(l, barn)) &&
	       HAS(l, slot, cache, classes, SIZE_OF(l, slot_cache)) &&
	       HAS(l, slot, sheaves, classes, SIZE_OF(l, slot_sheaves)) &&
	       HAS(l, slot, group, CONSTANT_OF(l, NR_GROUPS), sizeof(uint64_t)) &&
	       HAS(l, slot_group, cache, group, SIZE_OF(l, slot_cache)) &&
	       HAS(l, slot_group, sheaves, group, SIZE_OF(l, slot_sheaves));
}

static bool members_are_sane(const struct layout *l)
{
#define IS_INSIDE(type, member)                                                              \
	&&(uint64_t)OFFSET_OF(l, type, member) + l->number[FIELD_##type##_##member].bytes <= \
		SIZE_OF(l, type)

	return true ROOT_FIELDS(IS_INSIDE);
}

/*
 * Whoever wrote the root may have been no friend: with numbers that pass this, nothing is looked
 * for outside of what was copied. Bounds are far above what there is: the largest structure is a
 * section's, with 64 bytes and some a page.
 */
static bool is_sane(const struct layout *l)
{
	uint64_t pages = CONSTANT_OF(l, PAGES_PER_SECTION);

	for (size_t id = 0; id < NR_NUMBER_IDS; id++) {
		if (l->number[id].bytes > MIB(64))
			return false;
	}
	return is_power_of_2(pages) && pages >= BITS_PER_WORD && pages <= MIB(1) &&
	       CONSTANT_OF(l, NR_PAGE_ORDERS) <= SNAPSHOT_ORDERS &&
	       CONSTANT_OF(l, MIGRATE_TYPES) <= SNAPSHOT_TYPES &&
	       CONSTANT_OF(l, MIGRATE_UNMOVABLE) < SNAPSHOT_TYPES &&
	       CONSTANT_OF(l, MIGRATE_MOVABLE) < SNAPSHOT_TYPES &&
	       CONSTANT_OF(l, MIGRATE_RECLAIMABLE) < SNAPSHOT_TYPES &&
	       CONSTANT_OF(l, MAX_NUMNODES) <= SNAPSHOT_NODES &&
	       CONSTANT_OF(l, MAX_NR_ZONES) <= SNAPSHOT_ZONES / SNAPSHOT_NODES &&
	       CONSTANT_OF(l, ZONE_NORMAL) < CONSTANT_OF(l, MAX_NR_ZONES) &&
	       CONSTANT_OF(l, ZONE_DMA32) < CONSTANT_OF(l, MAX_NR_ZONES) &&
	       CONSTANT_OF(l, ZONE_DMA) < CONSTANT_OF(l, MAX_NR_ZONES) &&
	       CONSTANT_OF(l, NR_CLASS_TAGS) <= 256 && CONSTANT_OF(l, NR_GROUPS) <= 256 &&
	       CONSTANT_OF(l, CACHES_PER_GROUP) && CONSTANT_OF(l, CACHES_PER_GROUP) <= 256 &&
	       CONSTANT_OF(l, NR_HUGE_BUCKETS) <= MIB(1) && CONSTANT_OF(l, COMMIT_GRAIN_PAGES) &&
	       CONSTANT_OF(l, COMMIT_GRAIN_PAGES) <= pages &&
	       CONSTANT_OF(l, PAGEBLOCK_ORDER) < 20 && SIZE_OF(l, page) && SIZE_OF(l, zone) &&
	       members_are_sane(l) && arrays_are_sane(l);
}

static enum layout_result read_tables(const struct target *target, const struct root *root,
				      struct layout *layout)
{
	size_t nr_numbers = MIN(root->nr_numbers, MAX_NUMBERS);
	size_t nr_places = MIN((size_t)(((uintptr_t)root->places_end - (uintptr_t)root->places) /
					sizeof(struct root_place)),
			       (size_t)MAX_PLACES);
	struct root_number *numbers = room_new(nr_numbers * sizeof(*numbers) + 1);
	struct root_place *places = room_new(nr_places * sizeof(*places) + 1);
	enum layout_result result = LAYOUT_NONE;

	if (target_read(target, (uintptr_t)root->numbers, numbers, nr_numbers * sizeof(*numbers)) &&
	    target_read(target, (uintptr_t)root->places, places, nr_places * sizeof(*places))) {
		for (size_t id = 0; id < NR_NUMBER_IDS; id++)
			take_number(layout, id, numbers, nr_numbers);
		for (size_t id = 0; id < NR_PLACE_IDS; id++)
			take_place(layout, id, places, nr_places);
		result = layout->missing || !is_sane(layout) ? LAYOUT_OTHER : LAYOUT_READ;
	}
	free(numbers);
	free(places);
	return result;
}

enum layout_result layout_read(const struct target *target, uint64_t addr, struct layout *layout)
{
	struct root root;

	memset(layout, 0, sizeof(*layout));
	if (!target_read(target, addr, &root, sizeof(root)))
		return LAYOUT_ABSENT;
	if (memcmp(root.magic, ROOT_MAGIC, sizeof(root.magic)))
		return LAYOUT_NONE;
	layout->version = root.version;
	if (root.version != ROOT_VERSION)
		return LAYOUT_OTHER;
	return read_tables(target, &root, layout);
}

uint64_t layout_get(const struct layout *layout, const void *object, enum number_id id)
{
	uint64_t number = 0;

	memcpy(&number, (const char *)object + layout->number[id].value,
	       MIN(layout->number[id].bytes, sizeof(number)));
	return number;
}

void layout_get_string(const struct layout *layout, const void *object, enum number_id id, char *to,
		       size_t bytes)
{
	size_t most = MIN((size_t)layout->number[id].bytes, bytes - 1);

	memcpy(to, (const char *)object + layout->number[id].value, most);
	to[most] = '\0';
}
