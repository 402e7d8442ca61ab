/* SPDX-License-Identifier: MIT */
/*
 * A symbol of a library that a process has mapped, found in its memory: the file may be gone,
 * replaced or in another mount namespace.
 */
#ifndef SLABUDDY_TOOLS_SYMBOL_H
#define SLABUDDY_TOOLS_SYMBOL_H

#include "tools/target.h"

/* A range of addresses. */
struct range {
	uint64_t start;
	uint64_t bytes;
};

/* Arbitrary: linkers make four to six. */
#define MAX_SEGMENTS 16

/* What of a library lies in memory. */
struct image {
	struct range segment[MAX_SEGMENTS];
	unsigned int nr_segments;
};

/**
 * symbol_find() - the address of a dynamic symbol.
 * @base: where the ELF header of a library or an executable is mapped.
 * @image: gets what belongs to it.
 *
 * Return: false: there is no such symbol, or no ELF header.
 */
bool symbol_find(const struct target *target, uint64_t base, const char *name, uint64_t *addr,
		 struct image *image);

#endif
