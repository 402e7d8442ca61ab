/* SPDX-License-Identifier: MIT */
/*
 * Stacks that are kept: each one once, since many objects come from the same place. The kernel's
 * lib/stackdepot.c. Nothing is ever given back.
 */
#ifndef SLABUDDY_SLAB_DEPOT_H
#define SLABUDDY_SLAB_DEPOT_H

#include "base/compiler.h"

struct stack_record {
	struct stack_record *next; /* [const once it is in the depot] */
	uint32_t hash;
	uint32_t nr;
	void *addrs[];
};

/* The record of a stack. Return: NULL when there is no memory, or no stack. Context: as meta_alloc(). */
const struct stack_record *depot_save(void *const *addrs, unsigned int nr);

#endif
