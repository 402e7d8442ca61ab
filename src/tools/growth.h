/* SPDX-License-Identifier: MIT */
/*
 * Which parts of a heap grow: readings of it, some time apart.
 */
#ifndef SLABUDDY_TOOLS_GROWTH_H
#define SLABUDDY_TOOLS_GROWTH_H

#include "tools/figures.h"
#include "tools/series.h"

#define GROWTH_READINGS SERIES_LENGTH

/* A cache, or a kind of blocks. */
struct growth_part {
	char name[SNAPSHOT_NAME_BYTES];
	unsigned int tag; /* of a cache: another one may have the same name */
	struct series live;
};

struct growth {
	unsigned int nr_readings;
	uint64_t ns[GROWTH_READINGS]; /* when */
	struct series live;	      /* of the whole heap */
	struct growth_part *part;
	size_t nr_parts;
	/* from growth_finish() on */
	size_t nr_rising; /* parts; they come first, the steepest in front */
	bool growing;	  /* the whole heap, and so much that it is worth a word */
};

/* Note a reading. @view, @figures: of the same heap each time, with everything in them. @ns: when.
 */
void growth_add(struct growth *growth, const struct view *view, const struct figures *figures,
		uint64_t ns);

/* What GROWTH_READINGS readings come to. */
void growth_finish(struct growth *growth);

/* From the first reading to the last. */
double growth_seconds(const struct growth *growth);

/* Free what it has. */
void growth_end(struct growth *growth);

#endif
