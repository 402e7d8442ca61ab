/* SPDX-License-Identifier: MIT */
/*
 * What a view comes to: a heap's memory by what it is for, and what is to be thought of it.
 */
#ifndef SLABUDDY_TOOLS_FIGURES_H
#define SLABUDDY_TOOLS_FIGURES_H

#include "tools/view.h"

enum verdict {
	VERDICT_IN_USE,
	VERDICT_RETAINED,   /* whole pages and full sheaves are kept for reuse */
	VERDICT_FRAGMENTED, /* free objects lie beside live ones */
	VERDICT_GROWING,    /* by several readings, see tools/growth.h; never in struct figures */
};

struct figures {
	/* bytes of objects in slabs; together they are the slabs' */
	uint64_t live_bytes;
	uint64_t live_objects;
	uint64_t sheaves_bytes;
	uint64_t barns_bytes;
	uint64_t slab_free_bytes; /* and what slabs cannot use */
	uint64_t hollow_bytes;	  /* pages of slabs that were given back: in no other figure */
	uint64_t pinned_bytes;	  /* of slab_free_bytes, in slabs that have live objects too */
	uint64_t empty_bytes;	  /* of slab_free_bytes, whole slabs */
	/* mappings of the heap */
	uint64_t mapped_bytes;
	uint64_t resident_bytes; /* all that is told of; 0 if it is not known */
	bool has_rss;
	struct rss rss;
	int64_t unexplained_bytes; /* of it; 0 if it is not known what is resident */
	/* the verdict, and what it follows from */
	enum verdict verdict;
	uint64_t in_use_bytes;		/* live and resident */
	uint64_t retained_bytes;	/* free and resident, but for pinned_bytes */
	const struct cache_view *worst; /* that has the most pinned bytes; NULL: none has any */
};

/* @view: with everything in it. */
void figures_make(struct view *view, struct figures *figures);

/* What a cache has free in partly used slabs. */
uint64_t cache_pinned_bytes(const struct cache_view *cache);

/* Objects that the program has. */
uint64_t cache_live(const struct cache_view *cache);

#endif
