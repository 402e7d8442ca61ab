/* SPDX-License-Identifier: MIT */
#include "tools/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MAX_SCRIPTS 5 /* as in the kernel: an interpreter may be a script */

/* The ELF header of this very program, which the linker provides. */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

/* Return: 0, or -1 with errno as execve() would set it. */
static int check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EACCES;
		return -1;
	}
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);
}

static char *default_path(void)
{
	size_t size = confstr(_CS_PATH, NULL, 0);
	char *path = malloc(size);

	if (path)
		confstr(_CS_PATH, path, size);
	return path;
}

static char *find_along(const char *dirs, const char *name)
{
	int error = ENOENT;

	for (const char *dir = dirs;; dir++) {
		size_t len = strcspn(dir, ":");
		char *path;

		/* an empty element is the current directory */
		if (asprintf(&path, "%.*s/%s", len ? (int)len : 1, len ? dir : ".", name) < 0)
			return NULL;
		if (!check_executable(path))
			return path;
		free(path);
		/* the first thing of that name that cannot be run explains the failure best */
		if (errno == EACCES)
			error = EACCES;
		dir += len;
		if (!*dir)
			break;
	}
	errno = error;
	return NULL;
}

char *program_find(const char *name)
{
	const char *dirs = getenv("PATH");
	char *fallback = NULL;
	char *path;

	if (!*name) {
		errno = ENOENT;
		return NULL;
	}
	if (strchr(name, '/'))
		return check_executable(name) ? NULL : strdup(name);
	if (!dirs)
		dirs = fallback = default_path();
	if (!dirs)
		return NULL;
	path = find_along(dirs, name);
	free(fallback);
	return path;
}

static bool gains_privileges(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return false;
	if ((st.st_mode & S_ISUID) && st.st_uid != getuid())
		return true;
	/* without group execution the bit means mandatory locking */
	if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getgid())
		return true;
	return getuid() && fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

static bool has_interpreter(int fd, const Elf64_Ehdr *header)
{
	for (unsigned int i = 0; i < header->e_phnum; i++) {
		off_t at = (off_t)(header->e_phoff + i * sizeof(Elf64_Phdr));
		Elf64_Phdr segment;

		/* a file that cannot be understood is left to the kernel */
		if (pread(fd, &segment, sizeof(segment), at) != sizeof(segment))
			return true;
		if (segment.p_type == PT_INTERP)
			return true;
	}
	return false;
}

static enum preload_obstacle elf_obstacle(int fd, const Elf64_Ehdr *header)
{
	if (header->e_ident[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS] ||
	    header->e_ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA] ||
	    header->e_machine != __ehdr_start.e_machine)
		return PRELOAD_FOREIGN;
	if (!has_interpreter(fd, header))
		return PRELOAD_STATIC;
	return gains_privileges(fd) ? PRELOAD_PRIVILEGED : PRELOAD_WORKS;
}

/* The interpreter in a script's first line, cut out in place; NULL if there is none. */
static char *script_interpreter(char *head)
{
	char *path;

	if (strncmp(head, "#!", 2))
		return NULL;
	path = head + 2 + strspn(head + 2, " \t");
	path[strcspn(path, " \t\n")] = '\0';
	return *path ? path : NULL;
}

enum preload_obstacle program_obstacle(const char *path)
{
	enum preload_obstacle obstacle = PRELOAD_WORKS;
	char head[256]; /* as much of a script's first line as the kernel reads */
	Elf64_Ehdr header;

	for (int depth = 0; path && depth < MAX_SCRIPTS; depth++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t len;

		/* a program may be executable and not readable */
		if (fd < 0)
			break;
		len = pread(fd, head, sizeof(head) - 1, 0);
		head[len > 0 ? len : 0] = '\0';
		if (len >= (ssize_t)sizeof(header) && !memcmp(head, ELFMAG, SELFMAG)) {
			memcpy(&header, head, sizeof(header));
			obstacle = elf_obstacle(fd, &header);
		}
		close(fd);
		path = script_interpreter(head);
	}
	return obstacle;
}
