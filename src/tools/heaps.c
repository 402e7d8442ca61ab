/* SPDX-License-Identifier: MIT */
#include "tools/heaps.h"

#include <string.h>

#include "tools/say.h"

#define ROOT_SYMBOL "slabuddy_root"

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
	case LAYOUT_ABSENT:
		/* of a process that ends meanwhile */
		if (!target->core)
			return 0;
		say("%s: the heap's pages are not in it, see coredump_filter in core(5)",
		    target->label);
		return 1;
	case LAYOUT_OTHER:
		break;
	}
	if (heap->layout.version != ROOT_VERSION)
		say("%s: the heap of %s is laid out as version %u, and this tool reads version %d",
		    target->label, mapping->path, heap->layout.version, ROOT_VERSION);
	else
		say("%s: the heap of %s is of another version than this tool: %s%s", target->label,
		    mapping->path, heap->layout.missing ? "it does not tell of " : "",
		    heap->layout.missing ? heap->layout.missing : "its sizes are none");
	return 1;
}

/* Why a core has no heap that can be read. */
static void say_none(const struct target *target)
{
	const struct core *core = target->core;

	if (core && !core->maps.nr)
		say("%s: it does not tell which files were mapped", target->label);
	else if (core && core->lost_library && core->lost_error)
		say("%s: cannot read %s, which it needs: %s", target->label, core->lost_library,
		    strerror(core->lost_error));
	else if (core && core->lost_library)
		say("%s: %s is not the file that was mapped", target->label, core->lost_library);
	else
		say("%s: %s does not run under slabuddy", target->label, target->name);
}

int heaps_find(const struct target *target, struct heaps *heaps)
{
	memset(heaps, 0, sizeof(*heaps));
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
		if (heaps->nr > nr && !strcmp(mapping->path, target->program))
			heaps->heap[nr].image.nr_segments = 0;
	}
	if (heaps->nr)
		return 0;
	say_none(target);
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
