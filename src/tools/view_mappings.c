/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/bits.h"
#include "tools/residence.h"
#include "tools/room.h"
#include "tools/view.h"
#include "tools/walk.h"

/* No process has more addresses than this. */
#define MAX_BYTES ((uint64_t)1 << 48)

/* Return: false: it cannot be. */
static bool add_range(struct view *view, struct amount *amount, uint64_t start, uint64_t bytes)
{
	if (start >= MAX_BYTES || bytes > MAX_BYTES - start || amount->bytes + bytes > MAX_BYTES)
		return false;
	view_add_range(view, start, bytes);
	amount->bytes += bytes;
	amount->resident += residence_bytes(view->target, start, bytes);
	return true;
}

/* A list of struct huge, of at most @most. Return: how many there are. */
static uint64_t add_huge_list(struct view *view, struct amount *amount, uint64_t at, uint64_t most)
{
	const struct layout *l = view->layout;
	char *huge = room_new(SIZE_OF(l, huge));
	struct walk walk = { .left = most };
	uint64_t nr = 0;

	for (; at; nr++) {
		if (!walk_goes_on(&walk, at) ||
		    !target_read(view->target, at, huge, SIZE_OF(l, huge)) ||
		    !add_range(view, amount, GET(l, huge, huge, addr), GET(l, huge, huge, bytes))) {
			view->target->torn = true;
			break;
		}
		at = GET(l, huge, huge, next);
	}
	free(huge);
	return nr;
}

static void add_huge(struct view *view)
{
	const struct layout *l = view->layout;
	size_t nr_buckets = CONSTANT_OF(l, NR_HUGE_BUCKETS);
	uint64_t *buckets = room_new(nr_buckets * sizeof(*buckets));
	uint64_t nr, retired;

	nr = residence_variable(view->target, l->place[PLACE_nr_blocks], sizeof(nr));
	/* the kernel's own bound of mappings, unless somebody has raised it; as many may be retired
	 */
	nr = MIN(nr, MIB(1)) + 65530;
	if (!residence_copy_variable(view->target, l->place[PLACE_huge_blocks], buckets,
				     nr_buckets * sizeof(*buckets)))
		view->target->torn = true;
	for (size_t i = 0; i < nr_buckets; i++)
		view->nr_huge += add_huge_list(view, &view->huge, buckets[i], nr);
	retired = residence_variable(view->target, l->place[PLACE_retired], sizeof(retired));
	add_huge_list(view, &view->retired, retired, nr);
	free(buckets);
}

static void add_metadata(struct view *view)
{
	const struct layout *l = view->layout;
	char *mapping = room_new(SIZE_OF(l, meta_mapping));
	uint64_t mapped, at;
	struct walk walk;

	at = residence_variable(view->target, l->place[PLACE_meta_mappings], sizeof(at));
	mapped = residence_variable(view->target, l->place[PLACE_mapped_bytes], sizeof(mapped));
	view->metadata_used =
		residence_variable(view->target, l->place[PLACE_used_bytes], sizeof(uint64_t));
	/* none is smaller than a page; they never end */
	walk = (struct walk){ .left = MIN(mapped, MAX_BYTES) / RESIDENCE_PAGE_BYTES + 64 };
	while (at) {
		if (!walk_goes_on(&walk, at) ||
		    !target_read(view->target, at, mapping, SIZE_OF(l, meta_mapping)) ||
		    !add_range(view, &view->metadata, at, GET(l, mapping, meta_mapping, bytes))) {
			view->target->torn = true;
			break;
		}
		at = GET(l, mapping, meta_mapping, next);
	}
	free(mapping);
}

void view_add_mappings(struct view *view, const struct heap *heap)
{
	add_huge(view);
	add_metadata(view);
	for (unsigned int i = 0; i < heap->image.nr_segments; i++)
		add_range(view, &view->image, heap->image.segment[i].start,
			  heap->image.segment[i].bytes);
}
