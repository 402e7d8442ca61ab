/* SPDX-License-Identifier: MIT */
#include "tools/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The library takes an option of up to 255 bytes. */
#define MAX_PARENT 200

_Bool path_is_plain(const char *path)
{
	return path[0] == '/' && !strpbrk(path, " \t\n:;");
}

static int make_in(struct scratch *scratch, const char *parent)
{
	int fd;

	if (asprintf(&scratch->dir, "%s/slabuddy-XXXXXX", parent) < 0 || !mkdtemp(scratch->dir))
		goto no_dir;
	if (asprintf(&scratch->report, "%s/report", scratch->dir) < 0)
		goto no_report;
	fd = open(scratch->report, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		goto no_report;
	close(fd);
	return 0;

no_report:
	rmdir(scratch->dir);
no_dir:
	scratch->dir = NULL;
	return -1;
}

int scratch_make(struct scratch *scratch)
{
	const char *parent = getenv("TMPDIR");

	memset(scratch, 0, sizeof(*scratch));
	if (parent && path_is_plain(parent) && strlen(parent) <= MAX_PARENT &&
	    make_in(scratch, parent) == 0)
		return 0;
	return make_in(scratch, "/tmp");
}

int scratch_link(struct scratch *scratch, const char *target)
{
	char *link;

	if (!scratch->dir) {
		errno = ENOENT;
		return -1;
	}
	if (asprintf(&link, "%s/libslabuddy-malloc.so", scratch->dir) < 0 || symlink(target, link))
		return -1;
	scratch->link = link;
	return 0;
}

void scratch_remove(struct scratch *scratch)
{
	if (!scratch->dir)
		return;
	if (scratch->link)
		unlink(scratch->link);
	unlink(scratch->report);
	rmdir(scratch->dir);
	scratch->dir = NULL;
}
