/* SPDX-License-Identifier: MIT */
#include "tools/report.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

static const struct field {
	const char *name;
	size_t offset;
} fields[] = {
#define FIELD(name) #name, offsetof(struct heap_report, name)
	{ FIELD(live_bytes) },	    { FIELD(live_objects) },	 { FIELD(cached_bytes) },
	{ FIELD(slab_free_bytes) }, { FIELD(free_dirty_bytes) }, { FIELD(free_clean_bytes) },
	{ FIELD(large_bytes) },	    { FIELD(huge_bytes) },	 { FIELD(metadata_bytes) },
#undef FIELD
};

/* Return: whether @name is known. */
static bool set_field(struct heap_report *report, const char *name, uint64_t value)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(fields[i].name, name))
			continue;
		memcpy((char *)report + fields[i].offset, &value, sizeof(value));
		return true;
	}
	return false;
}

bool report_read(const char *path, struct heap_report *report)
{
	FILE *file = fopen(path, "re");
	size_t nr_known = 0;
	char line[128];

	memset(report, 0, sizeof(*report));
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		char name[64];
		uint64_t value;

		if (sscanf(line, "%63s %" SCNu64, name, &value) == 2)
			nr_known += set_field(report, name, value);
	}
	fclose(file);
	/* a process that dies while it writes leaves a part, which would mislead */
	return nr_known >= ARRAY_SIZE(fields);
}
