/* SPDX-License-Identifier: MIT */
#include "tools/growth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "tools/room.h"

/* A heap that grows by less in the whole interval is not called growing. Arbitrary. */
#define GROWING_BYTES KIB(64)

static struct growth_part *find_part(struct growth *growth, const char *name, unsigned int tag)
{
	struct growth_part *part;

	for (size_t i = 0; i < growth->nr_parts; i++) {
		part = &growth->part[i];
		if (part->tag == tag && !strcmp(part->name, name))
			return part;
	}
	growth->part = room_for(growth->part, growth->nr_parts, sizeof(*part));
	part = &growth->part[growth->nr_parts++];
	snprintf(part->name, sizeof(part->name), "%s", name);
	part->tag = tag;
	return part;
}

static void note(struct growth *growth, const char *name, unsigned int tag, uint64_t bytes)
{
	find_part(growth, name, tag)->live.bytes[growth->nr_readings] = bytes;
}

void growth_add(struct growth *growth, const struct view *view, const struct figures *figures,
		uint64_t ns)
{
	growth->ns[growth->nr_readings] = ns;
	growth->live.bytes[growth->nr_readings] = figures->in_use_bytes;
	/* 0 is no cache's tag */
	note(growth, "large blocks", 0, view->pages[PAGES_LARGE].bytes);
	note(growth, "huge blocks", 0, view->huge.bytes);
	note(growth, "blocks of pages", 0, view->pages[PAGES_BLOCK].bytes);
	for (size_t i = 0; i < view->nr_caches; i++)
		note(growth, view->cache[i].name, view->cache[i].tag,
		     cache_live(&view->cache[i]) * view->cache[i].size);
	growth->nr_readings++;
}

static int by_growth(const void *a, const void *b)
{
	const struct series *one = &((const struct growth_part *)a)->live;
	const struct series *other = &((const struct growth_part *)b)->live;

	if (one->rises != other->rises)
		return one->rises ? -1 : 1;
	return one->per_second > other->per_second ? -1 : one->per_second < other->per_second;
}

void growth_finish(struct growth *growth)
{
	series_judge(&growth->live, growth->ns);
	growth->nr_rising = 0;
	for (size_t i = 0; i < growth->nr_parts; i++) {
		series_judge(&growth->part[i].live, growth->ns);
		growth->nr_rising += growth->part[i].live.rises;
	}
	qsort(growth->part, growth->nr_parts, sizeof(*growth->part), by_growth);
	growth->growing = growth->live.rises &&
			  (double)growth->live.per_second * growth_seconds(growth) >= GROWING_BYTES;
}

double growth_seconds(const struct growth *growth)
{
	return (double)(growth->ns[GROWTH_READINGS - 1] - growth->ns[0]) / 1e9;
}

void growth_end(struct growth *growth)
{
	free(growth->part);
}
