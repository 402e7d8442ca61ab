/* SPDX-License-Identifier: MIT */
#include "tools/proc.h"

#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/procfs.h"
#include "tools/figures.h"
#include "tools/say.h"

#define EXIT_USAGE 2

static int write_piece(struct text *text, const char *piece, size_t bytes)
{
	(void)text;
	/* what fails here, say_if_unwritten() finds */
	fwrite(piece, 1, bytes, stdout);
	return 0;
}

static void print_slabinfo(struct view *view, struct text *text)
{
	view_add_caches(view);
	procfs_slabinfo_head(text);
	for (size_t i = 0; i < view->nr_caches; i++) {
		const struct cache_view *cache = &view->cache[i];
		struct cache_snapshot snap = {
			.active_objs = cache_live(cache),
			.num_objs = cache->slabs * cache->per_slab,
			.active_slabs = cache->slabs - MIN(cache->nr_empty, cache->slabs),
			.num_slabs = cache->slabs,
			.objsize = (unsigned int)cache->size,
			.objperslab = (unsigned int)cache->per_slab,
			.pagesperslab = 1U << cache->order % 32,
		};

		snprintf(snap.name, sizeof(snap.name), "%s", cache->name);
		procfs_slabinfo_row(text, &snap);
	}
}

static void print_buddyinfo(struct view *view, struct text *text)
{
	view_add_zones(view);
	procfs_buddyinfo(text, &view->snapshot);
}

static void print_pagetypeinfo(struct view *view, struct text *text)
{
	view_add_zones(view);
	view_add_pages(view);
	procfs_pagetypeinfo(text, &view->snapshot);
}

static void print_extfrag_index(struct view *view, struct text *text)
{
	view_add_zones(view);
	procfs_extfrag_index(text, &view->snapshot);
}

static void print_unusable_index(struct view *view, struct text *text)
{
	view_add_zones(view);
	procfs_unusable_index(text, &view->snapshot);
}

/* Of two heaps, malloc's: the formats have no place for a second. */
static const struct heap *chosen_heap(const struct heaps *heaps)
{
	for (unsigned int i = 0; i < heaps->nr; i++) {
		if (strstr(heaps->heap[i].path, "/libslabuddy-malloc"))
			return &heaps->heap[i];
	}
	return &heaps->heap[0];
}

static int print_proc(int argc, char **argv, void (*print)(struct view *view, struct text *text))
{
	struct target target;
	struct heaps heaps;
	struct view *view;
	struct text text;
	int status;

	if (argc != 2 || argv[1][0] == '-') {
		say("usage: slabuddy %s PID|CORE", argv[0]);
		return EXIT_USAGE;
	}
	status = target_open(&target, argv[1]);
	if (status)
		return status;
	status = heaps_find(&target, &heaps);
	if (!status) {
		text_init(&text, write_piece);
		view = view_new(&target, chosen_heap(&heaps));
		print(view, &text);
		text_finish(&text);
		view_free(view);
		if (target.torn)
			say("%s: %s: something is missing", argv[1], target_torn_text(&target));
		status = say_if_unwritten();
	}
	target_close(&target);
	return status;
}

int slabinfo_main(int argc, char **argv)
{
	return print_proc(argc, argv, print_slabinfo);
}

int buddyinfo_main(int argc, char **argv)
{
	return print_proc(argc, argv, print_buddyinfo);
}

int pagetypeinfo_main(int argc, char **argv)
{
	return print_proc(argc, argv, print_pagetypeinfo);
}

int extfrag_index_main(int argc, char **argv)
{
	return print_proc(argc, argv, print_extfrag_index);
}

int unusable_index_main(int argc, char **argv)
{
	return print_proc(argc, argv, print_unusable_index);
}
