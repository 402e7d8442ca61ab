/* SPDX-License-Identifier: MIT */
/*
 * The report that the library writes when its process exits: lines of a name, a blank and a
 * number. Unknown names are skipped, so that tool and library may be of different versions.
 */
#ifndef SLABUDDY_TOOLS_REPORT_H
#define SLABUDDY_TOOLS_REPORT_H

#include <stdbool.h>
#include <stdint.h>

struct heap_report {
	uint64_t live_bytes; /* of all objects and blocks that the program holds */
	uint64_t live_objects;
	uint64_t cached_bytes;	  /* free objects in sheaves and barns */
	uint64_t slab_free_bytes; /* free objects in slabs */
	uint64_t free_dirty_bytes;
	uint64_t free_clean_bytes;
	uint64_t large_bytes; /* live blocks that are page runs */
	uint64_t huge_bytes;  /* live blocks that are mappings of their own */
	uint64_t metadata_bytes;
};

/* Return: whether @path holds a report. */
bool report_read(const char *path, struct heap_report *report);

#endif
