/* SPDX-License-Identifier: MIT */
#include "tools/maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/room.h"

/* Take over a line that begins a mapping: "start-end rwxp offset device inode path". */
static bool parse_head(struct mapping *mapping, const char *line)
{
	char access[5];
	int path = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &mapping->start,
		   &mapping->end, access, &mapping->offset, &path) < 4 ||
	    !path)
		return false;
	mapping->readable = access[0] == 'r';
	mapping->path = strndup(line + path, strcspn(line + path, "\n"));
	return mapping->path != NULL;
}

static void parse_line(struct maps *maps, const char *line)
{
	struct mapping mapping = { 0 };
	uint64_t kib;

	if (parse_head(&mapping, line)) {
		maps->mapping = room_for(maps->mapping, maps->nr, sizeof(mapping));
		maps->mapping[maps->nr++] = mapping;
	} else if (maps->nr && sscanf(line, "Rss: %" SCNu64 " kB", &kib) == 1) {
		maps->mapping[maps->nr - 1].rss = kib * 1024;
	}
}

int maps_read(pid_t pid, const char *file, struct maps *maps)
{
	size_t bytes = 0;
	char *line = NULL;
	char path[64];
	int error = 0;
	FILE *in;

	memset(maps, 0, sizeof(*maps));
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	in = fopen(path, "re");
	if (!in)
		return errno;
	errno = 0;
	while (getline(&line, &bytes, in) >= 0)
		parse_line(maps, line);
	if (ferror(in))
		error = errno ? errno : EIO;
	free(line);
	fclose(in);
	return error;
}

void maps_free(struct maps *maps)
{
	for (size_t i = 0; i < maps->nr; i++)
		free(maps->mapping[i].path);
	free(maps->mapping);
	memset(maps, 0, sizeof(*maps));
}
