/* SPDX-License-Identifier: MIT */
#include "tools/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tools/say.h"

#define EXIT_USAGE 2

static void read_name(struct target *target)
{
	char path[64];
	FILE *in;

	strcpy(target->name, "?");
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)target->pid);
	in = fopen(path, "re");
	if (!in)
		return;
	if (fgets(target->name, sizeof(target->name), in))
		target->name[strcspn(target->name, "\n")] = '\0';
	fclose(in);
}

static int cannot_look(const char *text, int error)
{
	switch (error) {
	case ENOENT:
	case ESRCH:
		say("%s: no such process", text);
		break;
	case EACCES:
	case EPERM:
		say("%s: not ours to read: %s", text, strerror(error));
		break;
	default:
		say("%s: cannot be read: %s", text, strerror(error));
	}
	return 1;
}

/* The mappings are told to some that may not read what is in them. Return: 0 or an errno value. */
static int try_read(const struct target *target)
{
	for (size_t i = 0; i < target->maps.nr; i++) {
		const struct mapping *mapping = &target->maps.mapping[i];
		char byte;

		if (!mapping->readable || mapping->path[0] != '/')
			continue;
		if (target_read(target, mapping->start, &byte, 1))
			return 0;
		/* of a file that is shorter than its mapping, for one */
		if (errno != EFAULT)
			return errno;
	}
	return 0;
}

int target_open(struct target *target, const char *text)
{
	char path[64];
	char *end;
	int error;
	long pid;

	memset(target, 0, sizeof(*target));
	errno = 0;
	pid = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || pid <= 0 || pid > INT_MAX) {
		say("%s: not a process id; core files are not read yet", text);
		return EXIT_USAGE;
	}
	target->pid = (pid_t)pid;
	target->page_size = (size_t)sysconf(_SC_PAGESIZE);
	error = maps_read(target->pid, "maps", &target->maps);
	if (!error)
		error = try_read(target);
	if (error) {
		maps_free(&target->maps);
		return cannot_look(text, error);
	}
	read_name(target);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)target->pid);
	target->pagemap = open(path, O_RDONLY | O_CLOEXEC);
	return 0;
}

void target_close(struct target *target)
{
	if (target->pagemap >= 0)
		close(target->pagemap);
	maps_free(&target->maps);
}

bool target_read(const struct target *target, uint64_t addr, void *to, size_t bytes)
{
	struct iovec local = { .iov_base = to, .iov_len = bytes };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)addr, .iov_len = bytes };
	ssize_t got = process_vm_readv(target->pid, &local, 1, &remote, 1, 0);

	if (got >= 0 && (size_t)got < bytes)
		errno = EFAULT;
	return got == (ssize_t)bytes;
}

bool target_read_number(const struct target *target, uint64_t addr, size_t bytes, uint64_t *number)
{
	*number = 0;
	/* little-endian, as both are */
	return bytes <= sizeof(*number) && target_read(target, addr, number, bytes);
}
