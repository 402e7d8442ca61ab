/* SPDX-License-Identifier: MIT */
#include "tools/core_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/room.h"

static bool is_regular(int stat_result, const struct stat *status)
{
	if (!stat_result && !S_ISREG(status->st_mode))
		errno = EINVAL;
	return !stat_result && S_ISREG(status->st_mode);
}

static bool read_at(const struct core_file *file, uint64_t offset, void *to, size_t bytes)
{
	return pread(file->fd, to, bytes, (off_t)offset) == (ssize_t)bytes;
}

static bool file_reads(void *arg, uint64_t offset, void *to, size_t bytes)
{
	return read_at(arg, offset, to, bytes);
}

static void give_up(struct core_file *file, int error)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	file->error = error;
}

void core_file_open(struct core_file *file, const char *path)
{
	struct stat status;

	memset(file, 0, sizeof(*file));
	file->path = path;
	file->fd = -1;
	/* to open a device may do something */
	if (is_regular(stat(path, &status), &status))
		file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0 || !is_regular(fstat(file->fd, &status), &status))
		give_up(file, errno);
	else if (!elf_headers_read(&file->headers, file_reads, file))
		give_up(file, ENOEXEC);
}

void core_file_close(struct core_file *file)
{
	if (file->path)
		give_up(file, 0);
	file->path = NULL;
}

void core_file_compare(struct core_file *file, const char *head, size_t bytes)
{
	char *own = room_new(bytes);

	if (file->fd >= 0 && (!read_at(file, 0, own, bytes) || memcmp(own, head, bytes)))
		give_up(file, 0);
	free(own);
}

bool core_file_read(const struct core_file *file, uint64_t offset, void *to, size_t bytes,
		    bool variables)
{
	for (unsigned int i = 0; file->fd >= 0 && i < file->headers.nr; i++) {
		const Elf64_Phdr *header = &file->headers.header[i];

		if (header->p_type == PT_LOAD && (variables || !(header->p_flags & PF_W)) &&
		    offset >= header->p_offset && offset - header->p_offset <= header->p_filesz &&
		    bytes <= header->p_filesz - (offset - header->p_offset))
			return read_at(file, offset, to, bytes);
	}
	return false;
}
