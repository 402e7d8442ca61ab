/* SPDX-License-Identifier: MIT */
#include "tools/core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bits.h"
#include "tools/core_notes.h"
#include "tools/elf_headers.h"
#include "tools/format.h"
#include "tools/room.h"
#include "tools/say.h"

/* A core as it is opened. */
struct opening {
	struct core *core;
	const char *path; /* for messages */
	uint64_t bytes;	  /* of the file */
	uint64_t wanted;  /* that it should have, by its headers */
	Elf64_Ehdr elf;
	uint64_t nr_headers;
};

static bool has_bytes(const struct opening *opening, uint64_t offset, uint64_t bytes)
{
	return offset <= opening->bytes && bytes <= opening->bytes - offset;
}

static bool read_at(const struct core *core, uint64_t offset, void *to, size_t bytes)
{
	return pread(core->fd, to, bytes, (off_t)offset) == (ssize_t)bytes;
}

/* ---- is it one? ---- */

static const struct {
	unsigned char magic[4];
	const char *program;
} packers[] = {
	{ { 0x28, 0xb5, 0x2f, 0xfd }, "zstd -d" }, /* RFC 8878 */
	{ { 0xfd, '7', 'z', 'X' }, "xz -d" },
	{ { 0x04, 0x22, 0x4d, 0x18 }, "lz4 -d" },
	{ { 0x1f, 0x8b, 0x08, 0x00 }, "gzip -d" },
};

static bool is_packed(const struct opening *opening)
{
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		/* gzip's fourth byte has flags, of which a core's name is one */
		if (memcmp(&opening->elf, packers[i].magic, 3))
			continue;
		say("%s: it is compressed: %s first", opening->path, packers[i].program);
		return true;
	}
	return false;
}

static bool is_core(struct opening *opening)
{
	const Elf64_Ehdr *elf = &opening->elf;

	if (!read_at(opening->core, 0, &opening->elf, sizeof(opening->elf)) ||
	    memcmp(elf->e_ident, ELFMAG, SELFMAG)) {
		if (!is_packed(opening))
			say("%s: neither a process id nor a core file", opening->path);
		return false;
	}
	if (!elf_is_ours(elf)) {
		say("%s: its program is not of 64 bits and little-endian", opening->path);
		return false;
	}
	if (elf->e_type != ET_CORE) {
		say("%s: a program or a library, not a core file", opening->path);
		return false;
	}
	return true;
}

static bool open_file(struct opening *opening)
{
	struct stat status;

	/* a name that leads to a pipe must not wait for somebody to write */
	opening->core->fd = open(opening->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (opening->core->fd < 0 || fstat(opening->core->fd, &status)) {
		if (errno == ENOENT)
			say("%s: neither a process id nor a file", opening->path);
		else
			say("%s: cannot be read: %s", opening->path, strerror(errno));
		return false;
	}
	if (!S_ISREG(status.st_mode)) {
		say("%s: neither a process id nor a core file", opening->path);
		return false;
	}
	opening->bytes = (uint64_t)status.st_size;
	return true;
}

/* ---- headers ---- */

/* With 65535 and more of them, their number stands elsewhere, see elf(5). */
static bool count_headers(struct opening *opening)
{
	const Elf64_Ehdr *elf = &opening->elf;
	Elf64_Shdr section;

	opening->nr_headers = elf->e_phnum;
	if (elf->e_phnum != PN_XNUM)
		return true;
	if (!read_at(opening->core, elf->e_shoff, &section, sizeof(section)))
		return false;
	opening->nr_headers = section.sh_info;
	return true;
}

static void add_segment(struct opening *opening, const Elf64_Phdr *header)
{
	struct core *core = opening->core;
	struct core_segment *segment;

	if (!header->p_memsz || header->p_vaddr + header->p_memsz < header->p_vaddr)
		return;
	core->segment = room_for(core->segment, core->nr_segments, sizeof(*segment));
	segment = &core->segment[core->nr_segments++];
	segment->start = header->p_vaddr;
	segment->end = header->p_vaddr + header->p_memsz;
	segment->in_core = MIN(header->p_filesz, header->p_memsz);
	segment->offset = header->p_offset;
}

static void take_header(struct opening *opening, const Elf64_Phdr *header)
{
	if (!has_bytes(opening, header->p_offset, header->p_filesz)) {
		opening->wanted = MAX(opening->wanted, header->p_offset + header->p_filesz);
		return;
	}
	if (header->p_type == PT_NOTE)
		core_notes_read(opening->core, header->p_offset, header->p_filesz);
	if (header->p_type == PT_LOAD)
		add_segment(opening, header);
}

static int by_start(const void *a, const void *b)
{
	uint64_t one = ((const struct core_segment *)a)->start;
	uint64_t other = ((const struct core_segment *)b)->start;

	return one < other ? -1 : one > other;
}

/* Return: false, after a line: not all of the file is there. */
static bool take_headers(struct opening *opening)
{
	struct core *core = opening->core;
	uint64_t offset = opening->elf.e_phoff;
	Elf64_Phdr header;

	if (!count_headers(opening)) {
		say("%s: cut off within its headers", opening->path);
		return false;
	}
	for (uint64_t i = 0; i < opening->nr_headers; i++, offset += sizeof(header)) {
		if (!read_at(core, offset, &header, sizeof(header))) {
			say("%s: cut off within its headers", opening->path);
			return false;
		}
		take_header(opening, &header);
	}
	if (opening->wanted) {
		say("%s: cut off: it has %s of %s, see ulimit -c", opening->path,
		    format_size(opening->bytes).text, format_size(opening->wanted).text);
		return false;
	}
	if (core->nr_segments)
		qsort(core->segment, core->nr_segments, sizeof(*core->segment), by_start);
	return true;
}

struct core *core_open(const char *path)
{
	struct core *core = room_new(sizeof(*core));
	struct opening opening = { .core = core, .path = path };

	if (open_file(&opening) && is_core(&opening) && take_headers(&opening))
		return core;
	core_close(core);
	return NULL;
}

void core_close(struct core *core)
{
	if (core->fd >= 0)
		close(core->fd);
	core_file_close(&core->file);
	maps_free(&core->maps);
	free(core->segment);
	free(core);
}

/* ---- reading ---- */

/* The last segment that begins at @addr or below, or NULL. */
static const struct core_segment *segment_below(const struct core *core, uint64_t addr)
{
	size_t low = 0, high = core->nr_segments;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (core->segment[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &core->segment[low - 1] : NULL;
}

/* How many bytes from @addr on the core has itself, @bytes at most. */
static size_t own_bytes(const struct core *core, uint64_t addr, size_t bytes, uint64_t *offset)
{
	const struct core_segment *segment = segment_below(core, addr);

	if (!segment || addr - segment->start >= segment->in_core)
		return 0;
	*offset = segment->offset + (addr - segment->start);
	return (size_t)MIN(segment->in_core - (addr - segment->start), (uint64_t)bytes);
}

static const struct mapping *mapping_at(const struct core *core, uint64_t addr)
{
	for (size_t i = 0; i < core->maps.nr; i++) {
		const struct mapping *mapping = &core->maps.mapping[i];

		if (addr >= mapping->start && addr < mapping->end)
			return mapping;
	}
	return NULL;
}

/* The first page, which the core has as a rule, has the library's build id in it. */
static void compare_head(struct core *core)
{
	for (size_t i = 0; i < core->maps.nr; i++) {
		const struct mapping *mapping = &core->maps.mapping[i];
		uint64_t offset;
		char head[4096];
		size_t bytes;

		if (mapping->offset || strcmp(mapping->path, core->file.path))
			continue;
		bytes = own_bytes(core, mapping->start, sizeof(head), &offset);
		if (bytes && read_at(core, offset, head, bytes))
			core_file_compare(&core->file, head, bytes);
		return;
	}
}

/* Take up the file of that name, in place of the one before. */
static void change_file(struct core *core, const char *path)
{
	core_file_close(&core->file);
	core_file_open(&core->file, path);
	compare_head(core);
	if (core->file.fd < 0 && strstr(path, "/libslabuddy")) {
		core->lost_library = path;
		core->lost_error = core->file.error;
	}
}

/* From the file that was mapped there. Return: the bytes; 0: it has none. */
static size_t read_mapped(struct core *core, uint64_t addr, void *to, size_t bytes, bool variables)
{
	const struct mapping *mapping = mapping_at(core, addr);

	if (!mapping)
		return 0;
	if (!core->file.path || strcmp(core->file.path, mapping->path))
		change_file(core, mapping->path);
	bytes = (size_t)MIN((uint64_t)bytes, mapping->end - addr);
	return core_file_read(&core->file, mapping->offset + (addr - mapping->start), to, bytes,
			      variables)
		       ? bytes
		       : 0;
}

static bool read_all(struct core *core, uint64_t addr, void *to, size_t bytes, bool variables)
{
	while (bytes) {
		uint64_t offset;
		size_t got = own_bytes(core, addr, bytes, &offset);

		if (!got)
			got = read_mapped(core, addr, to, bytes, variables);
		else if (!read_at(core, offset, to, got))
			got = 0;
		if (!got) {
			errno = EFAULT;
			return false;
		}
		addr += got;
		to = (char *)to + got;
		bytes -= got;
	}
	return true;
}

bool core_read(struct core *core, uint64_t addr, void *to, size_t bytes)
{
	return read_all(core, addr, to, bytes, false);
}

bool core_read_image(struct core *core, uint64_t addr, void *to, size_t bytes)
{
	return read_all(core, addr, to, bytes, true);
}
