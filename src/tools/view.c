/* SPDX-License-Identifier: MIT */
#include "tools/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "tools/residence.h"
#include "tools/room.h"

struct view *view_new(struct target *target, const struct heap *heap)
{
	struct view *view = room_new(sizeof(*view));
	uint64_t word;

	view->target = target;
	view->layout = &heap->layout;
	target->torn = false;
	/* any page will do: either all of them are told of or none */
	view->residence = residence_read(target, 0, 1, &word, &word);
	return view;
}

void view_free(struct view *view)
{
	free(view->cache);
	free(view->range);
	free(view);
}

void view_add_range(struct view *view, uint64_t start, uint64_t bytes)
{
	struct range *last = view->nr_ranges ? &view->range[view->nr_ranges - 1] : NULL;

	if (!bytes)
		return;
	if (last && last->start + last->bytes == start) {
		last->bytes += bytes;
		return;
	}
	view->range = room_for(view->range, view->nr_ranges, sizeof(*view->range));
	view->range[view->nr_ranges++] = (struct range){ start, bytes };
}

static int by_start(const void *a, const void *b)
{
	uint64_t one = ((const struct range *)a)->start, other = ((const struct range *)b)->start;

	return one < other ? -1 : one > other;
}

/* What of a mapping lies between the ranges from number @range on, and is resident. Return: the
 * range that ends behind it. */
static size_t add_gaps(const struct view *view, const struct mapping *mapping, size_t range,
		       uint64_t *resident)
{
	uint64_t at = mapping->start;

	for (; range < view->nr_ranges && view->range[range].start < mapping->end; range++) {
		uint64_t end = view->range[range].start + view->range[range].bytes;

		if (view->range[range].start > at)
			*resident +=
				residence_bytes(view->target, at, view->range[range].start - at);
		at = MAX(at, end);
		if (end > mapping->end)
			break;
	}
	if (at < mapping->end)
		*resident += residence_bytes(view->target, at, mapping->end - at);
	return range;
}

bool view_rss(struct view *view, struct rss *rss)
{
	struct maps maps;
	size_t range = 0;
	bool good;

	memset(rss, 0, sizeof(*rss));
	/* the number may be another process's by now */
	if (view->target->core)
		return false;
	good = !maps_read(view->target->pid, "smaps", &maps);
	if (view->nr_ranges)
		qsort(view->range, view->nr_ranges, sizeof(*view->range), by_start);
	for (size_t i = 0; good && i < maps.nr; i++) {
		const struct mapping *mapping = &maps.mapping[i];

		while (range < view->nr_ranges &&
		       view->range[range].start + view->range[range].bytes <= mapping->start)
			range++;
		if (range == view->nr_ranges || view->range[range].start >= mapping->end)
			continue;
		rss->bytes += mapping->rss;
		range = add_gaps(view, mapping, range, &rss->others);
	}
	maps_free(&maps);
	return good;
}
