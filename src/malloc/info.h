/* SPDX-License-Identifier: MIT */
/*
 * What the heap holds, in figures.
 */
#ifndef SLABUDDY_MALLOC_INFO_H
#define SLABUDDY_MALLOC_INFO_H

#include <stdio.h>

#include "base/compiler.h"

/*
 * Bytes by what they are. Everything that has memory behind it is in one of these, so that
 *
 *     live (slab_live + large + huge + page) + cached + slab_free + free_dirty + metadata
 *
 * is what the heap costs, but for pages that were never touched. Taken without stopping anybody:
 * figures of a busy heap are a moment apart from one another.
 */
struct heap_figures {
	size_t slab_live_bytes;	 /* objects in the program's hands */
	size_t slab_live_objects;
	size_t cached_bytes;	 /* free objects in sheaves of slots and barns */
	size_t cached_objects;
	size_t slab_free_bytes;	 /* free objects in slabs, and what slabs cannot use */
	size_t free_objects;	 /* in sheaves and in slabs */
	size_t free_dirty_bytes; /* free pages with memory behind them, pcp lists included */
	size_t free_clean_bytes; /* free pages without, those within slabs included */
	size_t large_bytes;
	size_t large_blocks;
	size_t page_bytes; /* blocks of the page API; worked out from the others, so not exact at work */
	size_t huge_bytes;
	size_t huge_blocks;
	size_t metadata_bytes;	 /* resident */
	size_t reserved_bytes;	 /* addresses kept for later */
};

void heap_figures(struct heap_figures *figures);

/* malloc_info()'s XML, as glibc's version 1. Return: 0, or -1 with errno. */
int heap_write_xml(FILE *file);

/* malloc_stats()'s text. */
void heap_write_stats(FILE *file);

#endif
