/* SPDX-License-Identifier: MIT */
/*
 * A library or program that was mapped when a core was written, as the file system has it now.
 */
#ifndef SLABUDDY_TOOLS_CORE_FILE_H
#define SLABUDDY_TOOLS_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/elf_headers.h"

struct core_file {
	const char *path; /* NULL: none */
	int fd;		  /* or -1: it cannot be used, because of */
	int error;	  /* an errno value, or 0: it is another one than was mapped */
	struct elf_headers headers;
};

/* @path: stays the caller's. */
void core_file_open(struct core_file *file, const char *path);

void core_file_close(struct core_file *file);

/* If it does not begin with that, it is another file, and closed. */
void core_file_compare(struct core_file *file, const char *head, size_t bytes);

/**
 * core_file_read() - what was mapped from there.
 * @variables: what the process could write to is wanted too, as it was at its start.
 *
 * Return: false: not all of it is there.
 */
bool core_file_read(const struct core_file *file, uint64_t offset, void *to, size_t bytes,
		    bool variables);

#endif
