/* SPDX-License-Identifier: MIT */
#include "tools/core_notes.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <unistd.h>

#include "base/bits.h"
#include "tools/room.h"

/* The kernel writes 4 MiB at most. Arbitrary. */
#define MAX_NOTE_BYTES MIB(64)

/* What NT_FILE begins with; the names of the files, each with a zero, follow the ranges. */
struct file_note {
	uint64_t nr;
	uint64_t page_size; /* the unit of offset */
};

struct file_range {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
};

static void add_mapping(struct maps *maps, const struct file_range *range, uint64_t unit,
			const char *path)
{
	struct mapping *mapping;
	char *copy = strdup(path);

	if (!copy)
		return;
	maps->mapping = room_for(maps->mapping, maps->nr, sizeof(*mapping));
	mapping = &maps->mapping[maps->nr++];
	mapping->start = range->start;
	mapping->end = range->end;
	mapping->offset = range->offset * unit;
	mapping->readable = true;
	mapping->path = copy;
}

static void take_files(struct core *core, const char *note, size_t bytes)
{
	const char *name, *end = note + bytes;
	struct file_note head;

	if (bytes < sizeof(head))
		return;
	memcpy(&head, note, sizeof(head));
	note += sizeof(head);
	if (head.nr > (bytes - sizeof(head)) / sizeof(struct file_range))
		return;
	name = note + head.nr * sizeof(struct file_range);
	for (uint64_t i = 0; i < head.nr; i++) {
		size_t length = strnlen(name, (size_t)(end - name));
		struct file_range range;

		/* the last one lacks its zero */
		if (length == (size_t)(end - name))
			return;
		memcpy(&range, note + i * sizeof(range), sizeof(range));
		add_mapping(&core->maps, &range, head.page_size, name);
		name += length + 1;
	}
}

static void take_auxv(struct core *core, const char *note, size_t bytes)
{
	Elf64_auxv_t entry;

	for (; bytes >= sizeof(entry); note += sizeof(entry), bytes -= sizeof(entry)) {
		memcpy(&entry, note, sizeof(entry));
		if (entry.a_type == AT_PAGESZ)
			core->page_size = entry.a_un.a_val;
		if (entry.a_type == AT_PHDR)
			core->in_program = entry.a_un.a_val;
	}
}

static void take_process(struct core *core, const char *note, size_t bytes)
{
	struct elf_prpsinfo info;

	if (bytes < sizeof(info))
		return;
	memcpy(&info, note, sizeof(info));
	core->pid = info.pr_pid;
	snprintf(core->name, sizeof(core->name), "%.*s", (int)sizeof(info.pr_fname), info.pr_fname);
}

static void take(struct core *core, const Elf64_Nhdr *head, uint64_t offset)
{
	char *note = room_new((size_t)head->n_descsz + 1);

	if (pread(core->fd, note, head->n_descsz, (off_t)offset) == (ssize_t)head->n_descsz) {
		if (head->n_type == NT_FILE)
			take_files(core, note, head->n_descsz);
		if (head->n_type == NT_AUXV)
			take_auxv(core, note, head->n_descsz);
		if (head->n_type == NT_PRPSINFO)
			take_process(core, note, head->n_descsz);
	}
	free(note);
}

/* Others, of threads most of all, are not read. */
static bool is_wanted(const Elf64_Nhdr *head)
{
	return (head->n_type == NT_FILE || head->n_type == NT_AUXV ||
		head->n_type == NT_PRPSINFO) &&
	       head->n_descsz <= MAX_NOTE_BYTES;
}

void core_notes_read(struct core *core, uint64_t offset, uint64_t bytes)
{
	uint64_t end = offset + bytes;
	Elf64_Nhdr head;
	char name[sizeof("CORE")];

	while (end - offset >= sizeof(head)) {
		uint64_t length;

		if (pread(core->fd, &head, sizeof(head), (off_t)offset) != sizeof(head))
			return;
		offset += sizeof(head);
		length = ALIGN_UP((uint64_t)head.n_namesz, (uint64_t)4);
		if (length > end - offset)
			return;
		if (head.n_namesz != sizeof(name) ||
		    pread(core->fd, name, sizeof(name), (off_t)offset) != sizeof(name))
			name[0] = '\0';
		offset += length;
		length = ALIGN_UP((uint64_t)head.n_descsz, (uint64_t)4);
		if (length > end - offset)
			return;
		if (!memcmp(name, "CORE", sizeof(name)) && is_wanted(&head))
			take(core, &head, offset);
		offset += length;
	}
}
