/* SPDX-License-Identifier: MIT */
/*
 * The headers of a library or a program, in a file or in memory.
 */
#ifndef SLABUDDY_TOOLS_ELF_HEADERS_H
#define SLABUDDY_TOOLS_ELF_HEADERS_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Arbitrary: more than any linker makes; what has more is none of ours. */
#define MAX_ELF_HEADERS 64

struct elf_headers {
	Elf64_Phdr header[MAX_ELF_HEADERS];
	unsigned int nr;
};

/* Whether it is of 64 bits and little-endian, as all processors that we know are. */
bool elf_is_ours(const Elf64_Ehdr *elf);

/**
 * elf_headers_read() - read the program headers.
 * @read: copies bytes from an offset, if they are there.
 *
 * Return: false: it is no such file.
 */
bool elf_headers_read(struct elf_headers *headers,
		      bool (*read)(void *arg, uint64_t offset, void *to, size_t bytes), void *arg);

#endif
