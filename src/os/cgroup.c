/* SPDX-License-Identifier: MIT */
#include "os/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bits.h"

/* Arbitrary: /proc/self/cgroup has 13 lines at most with version 1, memory.stat begins with what we look for. */
#define FILE_BYTES KIB(4)

/* The beginning of a file, as a string. Return: false when it cannot be read. */
static bool read_file(const char *path, char text[FILE_BYTES])
{
	long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	long bytes;

	if (fd < 0)
		return false;
	bytes = syscall(SYS_read, fd, text, FILE_BYTES - 1);
	syscall(SYS_close, fd);
	text[MAX(bytes, 0)] = '\0';
	return bytes > 0;
}

/* The number at the start of a text; "max" and the like are UINT64_MAX. */
static uint64_t number_at(const char *text)
{
	uint64_t n = 0;

	if (*text < '0' || *text > '9')
		return UINT64_MAX;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return UINT64_MAX;
	}
	return n;
}

/* What stands behind @key, which begins a line; NULL: there is no such line. */
static const char *find_line(const char *text, const char *key)
{
	size_t len = strlen(key);

	while (text) {
		if (!strncmp(text, key, len))
			return text + len;
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return NULL;
}

/* Whether a comma-separated list, which ends with a colon, has the item "memory". */
static bool lists_memory(const char *list)
{
	static const char memory[] = "memory";
	const size_t len = sizeof(memory) - 1;

	for (;;) {
		if (!strncmp(list, memory, len) && (list[len] == ',' || list[len] == ':'))
			return true;
		list += strcspn(list, ",:\n");
		if (*list != ',')
			return false;
		list++;
	}
}

/* The path in a line "N:controllers:path" of those that have memory; version 2 has "0::path". */
static const char *find_path(const char *text, unsigned int *version)
{
	const char *v2 = find_line(text, "0::");

	*version = 1;
	while (text) {
		const char *list = strchr(text, ':');

		if (list && lists_memory(list + 1)) {
			list = strchr(list + 1, ':');
			return list ? list + 1 : NULL;
		}
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	*version = 2;
	return v2;
}

/* Put @text, of @bytes, at @at of the path. Return: the place behind it; 0: it does not fit. */
static size_t put(struct cgroup *cgroup, size_t at, const char *text, size_t bytes)
{
	if (at + bytes >= sizeof(cgroup->path))
		return 0;
	memcpy(cgroup->path + at, text, bytes);
	cgroup->path[at + bytes] = '\0';
	return at + bytes;
}

bool cgroup_find(struct cgroup *cgroup, const struct os_pressure_places *places)
{
	const char *controller, *path;
	char text[FILE_BYTES];
	size_t bytes, at;

	if (!read_file(places->cgroups, text))
		return false;
	path = find_path(text, &cgroup->version);
	if (!path)
		return false;
	controller = cgroup->version == 1 ? "/memory" : "";
	at = put(cgroup, 0, places->root, strlen(places->root));
	at = at ? put(cgroup, at, controller, strlen(controller)) : 0;
	if (!at)
		return false;
	cgroup->root_bytes = at;
	bytes = strcspn(path, "\n");
	/* the outermost one's path is "/" */
	if (bytes == 1)
		bytes = 0;
	cgroup->dir_bytes = put(cgroup, at, path, bytes);
	return cgroup->dir_bytes;
}

bool cgroup_go_up(struct cgroup *cgroup)
{
	size_t bytes = cgroup->dir_bytes;

	if (bytes <= cgroup->root_bytes)
		return false;
	do
		bytes--;
	while (bytes > cgroup->root_bytes && cgroup->path[bytes] != '/');
	cgroup->dir_bytes = bytes;
	return true;
}

bool cgroup_file(struct cgroup *cgroup, const char *name)
{
	size_t at = put(cgroup, cgroup->dir_bytes, "/", 1);

	return at && put(cgroup, at, name, strlen(name));
}

/* The number in a file; @otherwise when there is none. */
static uint64_t read_number(struct cgroup *cgroup, const char *name, uint64_t otherwise)
{
	char text[FILE_BYTES];

	if (!cgroup_file(cgroup, name) || !read_file(cgroup->path, text))
		return otherwise;
	return number_at(text);
}

/* Bytes of page cache that nobody has used for a while: the kernel takes them first. */
static uint64_t idle_cache(struct cgroup *cgroup)
{
	const char *key = cgroup->version == 1 ? "total_inactive_file " : "inactive_file ";
	char text[FILE_BYTES];
	const char *number;

	if (!cgroup_file(cgroup, "memory.stat") || !read_file(cgroup->path, text))
		return 0;
	number = find_line(text, key);
	return number ? number_at(number) : 0;
}

static uint64_t limit_of(struct cgroup *cgroup)
{
	uint64_t high, max;

	if (cgroup->version == 1)
		return read_number(cgroup, "memory.limit_in_bytes", UINT64_MAX);
	high = read_number(cgroup, "memory.high", UINT64_MAX);
	max = read_number(cgroup, "memory.max", UINT64_MAX);
	return MIN(high, max);
}

static uint64_t usage_of(struct cgroup *cgroup)
{
	if (cgroup->version == 1)
		return read_number(cgroup, "memory.usage_in_bytes", 0);
	return read_number(cgroup, "memory.current", 0);
}

/* No machine has as much; version 1 writes "no limit" as the largest multiple of a page. */
#define NO_LIMIT ((uint64_t)1 << 60)

static bool is_near(struct cgroup *cgroup, unsigned int percent)
{
	uint64_t limit = limit_of(cgroup), near, usage, cache;

	if (limit >= NO_LIMIT)
		return false;
	near = limit / 100 * percent;
	usage = usage_of(cgroup);
	if (usage < near)
		return false;
	/* that file is long: only if it matters */
	cache = idle_cache(cgroup);
	return usage - MIN(usage, cache) >= near;
}

bool os_cgroup_is_near_limit(const struct os_pressure_places *places, unsigned int percent)
{
	int saved_errno = errno;
	struct cgroup cgroup;
	bool near = false;

	if (cgroup_find(&cgroup, places)) {
		do
			near = is_near(&cgroup, percent);
		while (!near && cgroup_go_up(&cgroup));
	}
	errno = saved_errno;
	return near;
}
