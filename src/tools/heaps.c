/* SPDX-License-Identifier: MIT */
#include "tools/heaps.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/say.h"

#define ROOT_SYMBOL "slabuddy_root"

/* The program's own file, as /proc/PID/maps has it; "" when that is not known. */
static void program_path(const struct target *target, char *path, size_t bytes)
{
	char link[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)target->pid);
	len = readlink(link, path, bytes - 1);
	path[len > 0 ? len : 0] = '\0';
}

/* Return: 0; or the exit status, after a line: there is a heap that cannot be read. */
static int try_module(const struct target *target, const struct mapping *mapping,
		      struct heaps *heaps)
{
	struct heap *heap = &heaps->heap[heaps->nr];

	if (!symbol_find(target, mapping->start, ROOT_SYMBOL, &heap->root, &heap->image))
		return 0;
	switch (layout_read(target, heap->root, &heap->layout)) {
	case LAYOUT_READ:
		heap->path = mapping->path;
		heaps->nr++;
		return 0;
	case LAYOUT_NONE:
		return 0;
	case LAYOUT_OTHER:
		break;
	}
	if (heap->layout.version != ROOT_VERSION)
		say("%d: the heap of %s is laid out as version %u, and this tool reads version %d",
		    (int)target->pid, mapping->path, heap->layout.version, ROOT_VERSION);
	else
		say("%d: the heap of %s is of another version than this tool: %s%s",
		    (int)target->pid, mapping->path,
		    heap->layout.missing ? "it does not tell of " : "",
		    heap->layout.missing ? heap->layout.missing : "its sizes are none");
	return 1;
}

int heaps_find(const struct target *target, struct heaps *heaps)
{
	char program[PATH_MAX];

	memset(heaps, 0, sizeof(*heaps));
	program_path(target, program, sizeof(program));
	for (size_t i = 0; i < target->maps.nr && heaps->nr < MAX_HEAPS; i++) {
		const struct mapping *mapping = &target->maps.mapping[i];
		unsigned int nr = heaps->nr;
		int status;

		if (mapping->offset || !mapping->readable || mapping->path[0] != '/')
			continue;
		status = try_module(target, mapping, heaps);
		if (status)
			return status;
		/* what else is in the program is not ours to count */
		if (heaps->nr > nr && !strcmp(mapping->path, program))
			heaps->heap[nr].image.nr_segments = 0;
	}
	if (heaps->nr)
		return 0;
	say("%d: %s does not run under slabuddy", (int)target->pid, target->name);
	return 1;
}

bool heaps_are_there(const struct target *target, const struct heaps *heaps)
{
	for (unsigned int i = 0; i < heaps->nr; i++) {
		char magic[sizeof(ROOT_MAGIC)] = "";

		if (!target_read(target, heaps->heap[i].root, magic, sizeof(ROOT_MAGIC) - 1) ||
		    strcmp(magic, ROOT_MAGIC))
			return false;
	}
	return true;
}
