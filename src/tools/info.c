/* SPDX-License-Identifier: MIT */
/*
 * slabuddy info [--json] PID: where each page of a running process's heap is.
 */
#include "tools/info.h"

#include <stdio.h>
#include <string.h>

#include "tools/info_print.h"
#include "tools/say.h"

#define EXIT_USAGE 2

/* A list that changed while it was read is read anew, this often at most. Arbitrary: in a busy
 * process that creates and ends caches all the time no number is enough. */
#define MAX_TRIES 3

static struct view *view_all(struct target *target, const struct heap *heap)
{
	struct view *view;

	for (int i = 1;; i++) {
		view = view_new(target, heap);
		view_add_caches(view);
		view_add_zones(view);
		view_add_pages(view);
		view_add_mappings(view, heap);
		if (!target->torn || i == MAX_TRIES)
			return view;
		view_free(view);
	}
}

static void print_heap(struct target *target, const struct heap *heap, bool json, bool first)
{
	struct view *view = view_all(target, heap);
	struct figures figures;

	figures_make(view, &figures);
	if (json) {
		printf("%s\n    ", first ? "" : ",");
		info_print_json(view, heap, &figures);
	} else {
		printf("%sprocess %d (%s), heap of %s\n\n", first ? "" : "\n", (int)target->pid,
		       target->name, heap->path);
		info_print_text(view, heap, &figures);
	}
	view_free(view);
}

static int print_heaps(struct target *target, bool json)
{
	struct heaps heaps;
	int status = heaps_find(target, &heaps);

	if (status)
		return status;
	if (json) {
		printf("{\n  \"pid\": %d,\n  \"command\": ", (int)target->pid);
		json_string(target->name);
		printf(",\n  \"heaps\": [");
	}
	for (unsigned int i = 0; i < heaps.nr; i++)
		print_heap(target, &heaps.heap[i], json, i == 0);
	if (json)
		printf("\n  ]\n}\n");
	return 0;
}

int info_main(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json");
	struct target target;
	int status;

	if (argc > 1 && argv[1][0] == '-' && !json) {
		say("info: unknown option %s", argv[1]);
		return EXIT_USAGE;
	}
	if (argc != 2 + json) {
		say("usage: slabuddy info [--json] PID");
		return EXIT_USAGE;
	}
	status = target_open(&target, argv[1 + json]);
	if (status)
		return status;
	status = print_heaps(&target, json);
	target_close(&target);
	return status ? status : say_if_unwritten();
}
