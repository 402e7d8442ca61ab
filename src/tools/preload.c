/* SPDX-License-Identifier: MIT */
#include "tools/preload.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/say.h"

#define LIBRARY "libslabuddy-malloc.so"

static char *from_environment(const char *path)
{
	char *library = realpath(path, NULL);

	if (!library || access(library, R_OK)) {
		say("SLABUDDY_LIBRARY=%s: %s", path, strerror(errno));
		free(library);
		return NULL;
	}
	return library;
}

static char *if_readable(char *library)
{
	if (access(library, R_OK) == 0)
		return library;
	free(library);
	return NULL;
}

static char *from_build_tree(void)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *library;
	char *slash;

	if (len < 0)
		return NULL;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return asprintf(&library, "%s/.libs/" LIBRARY, self) < 0 ? NULL : if_readable(library);
}

static char *from_installation(void)
{
	char *library = strdup(SLABUDDY_LIBDIR "/" LIBRARY);

	return library ? if_readable(library) : NULL;
}

char *preload_find(void)
{
	const char *wanted = getenv("SLABUDDY_LIBRARY");
	char *library;

	if (wanted && *wanted)
		return from_environment(wanted);
	library = from_build_tree();
	if (!library)
		library = from_installation();
	if (!library)
		say("cannot find " LIBRARY " in " SLABUDDY_LIBDIR
		    "; SLABUDDY_LIBRARY=PATH says where it is");
	return library;
}

/* setenv(), the value being made of parts; an unset old value counts as empty. */
static int set_joined(const char *name, const char *before, const char *separator,
		      const char *after)
{
	char *value;
	int ret;

	if (!*before || !*after)
		separator = "";
	if (asprintf(&value, "%s%s%s", before, separator, after) < 0)
		return -1;
	ret = setenv(name, value, 1);
	free(value);
	return ret;
}

static const char *env_or_empty(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

int preload_environment(const char *library, const char *report, pid_t pid)
{
	char *options;
	int ret;

	if (set_joined("LD_PRELOAD", library, ":", env_or_empty("LD_PRELOAD")))
		return -1;
	if (!report)
		return 0;
	if (asprintf(&options, "exit_report=%s exit_report_pid=%d", report, (int)pid) < 0)
		return -1;
	ret = set_joined("SLABUDDY_OPTIONS", env_or_empty("SLABUDDY_OPTIONS"), " ", options);
	free(options);
	return ret;
}
