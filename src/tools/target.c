/* SPDX-License-Identifier: MIT */
#include "tools/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bits.h"
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

/* The program's own file, as /proc/PID/maps has it. */
static void read_program(struct target *target)
{
	char link[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)target->pid);
	len = readlink(link, target->program, sizeof(target->program) - 1);
	target->program[len > 0 ? len : 0] = '\0';
}

static int open_process(struct target *target)
{
	char path[64];
	char *end;
	int error;
	long pid;

	errno = 0;
	pid = strtol(target->label, &end, 10);
	if (errno || pid <= 0 || pid > INT_MAX) {
		say("%s: not a process id", target->label);
		return EXIT_USAGE;
	}
	target->pid = (pid_t)pid;
	error = maps_read(target->pid, "maps", &target->maps);
	if (!error)
		error = try_read(target);
	if (error) {
		maps_free(&target->maps);
		return cannot_look(target->label, error);
	}
	read_name(target);
	read_program(target);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)target->pid);
	target->pagemap = open(path, O_RDONLY | O_CLOEXEC);
	return 0;
}

static int open_core(struct target *target)
{
	struct core *core = core_open(target->label);

	if (!core)
		return 1;
	target->core = core;
	target->pid = core->pid;
	snprintf(target->name, sizeof(target->name), "%s", core->name);
	if (is_power_of_2(core->page_size) && core->page_size >= KIB(4) &&
	    core->page_size <= MIB(1))
		target->page_size = (size_t)core->page_size;
	target->maps = core->maps;
	for (size_t i = 0; i < target->maps.nr; i++) {
		const struct mapping *mapping = &target->maps.mapping[i];

		if (core->in_program >= mapping->start && core->in_program < mapping->end)
			snprintf(target->program, sizeof(target->program), "%s", mapping->path);
	}
	return 0;
}

int target_open(struct target *target, const char *text)
{
	memset(target, 0, sizeof(*target));
	target->label = text;
	target->pagemap = -1;
	target->page_size = (size_t)sysconf(_SC_PAGESIZE);
	return *text && !text[strspn(text, "0123456789")] ? open_process(target)
							  : open_core(target);
}

void target_close(struct target *target)
{
	if (target->pagemap >= 0)
		close(target->pagemap);
	/* its mappings are the core's */
	if (target->core)
		core_close(target->core);
	else
		maps_free(&target->maps);
}

static bool read_process(const struct target *target, uint64_t addr, void *to, size_t bytes)
{
	struct iovec local = { .iov_base = to, .iov_len = bytes };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)addr, .iov_len = bytes };
	ssize_t got = process_vm_readv(target->pid, &local, 1, &remote, 1, 0);

	if (got >= 0 && (size_t)got < bytes)
		errno = EFAULT;
	return got == (ssize_t)bytes;
}

bool target_read(const struct target *target, uint64_t addr, void *to, size_t bytes)
{
	return target->core ? core_read(target->core, addr, to, bytes)
			    : read_process(target, addr, to, bytes);
}

bool target_read_image(const struct target *target, uint64_t addr, void *to, size_t bytes)
{
	return target->core ? core_read_image(target->core, addr, to, bytes)
			    : read_process(target, addr, to, bytes);
}

bool target_read_number(const struct target *target, uint64_t addr, size_t bytes, uint64_t *number)
{
	*number = 0;
	/* little-endian, as both are */
	return bytes <= sizeof(*number) && target_read(target, addr, number, bytes);
}

const char *target_torn_text(const struct target *target)
{
	return target->core ? "lists lead to what is not in the core file"
			    : "lists changed while they were read";
}
