/* SPDX-License-Identifier: MIT */
/*
 * An ELF core file: what was in the memory of a process that has ended, or was copied by gcore. See
 * core(5).
 *
 * Not all of memory is in it. What the kernel leaves out because a file has it (code, tables of
 * symbols) is read from that file, if it still is the one that was mapped.
 */
#ifndef SLABUDDY_TOOLS_CORE_H
#define SLABUDDY_TOOLS_CORE_H

#include "tools/core_file.h"
#include "tools/maps.h"

/* A range of addresses, by address. */
struct core_segment {
	uint64_t start;
	uint64_t end;
	uint64_t in_core; /* bytes of it that the file has */
	uint64_t offset;  /* in the file */
};

struct core {
	int fd;
	struct core_segment *segment;
	size_t nr_segments;
	struct core_file file; /* that was read last, instead of the core */
	/* a library of ours that is not there to be read, and why; see struct core_file */
	const char *lost_library;
	int lost_error;
	/* what its notes say */
	struct maps maps; /* of files */
	int pid;
	char name[64];	     /* of the command */
	uint64_t page_size;  /* 0: not known */
	uint64_t in_program; /* an address in the program's first mapping; 0: not known */
};

/**
 * core_open() - read what a core file says of itself.
 *
 * Return: the core; or NULL after a line on stderr.
 */
struct core *core_open(const char *path);

void core_close(struct core *core);

/* Copy @bytes at @addr. Return: false: not all of them are there. */
bool core_read(struct core *core, uint64_t addr, void *to, size_t bytes);

/* The same, and what was a file's variables is as the file has it if the core does not. */
bool core_read_image(struct core *core, uint64_t addr, void *to, size_t bytes);

#endif
