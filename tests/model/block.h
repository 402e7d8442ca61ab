/* SPDX-License-Identifier: MIT */
/*
 * A block as the model sees it. Its whole usable size carries a pattern that depends on its id, so
 * that two blocks that overlap, or a block that the heap writes into, do not go unnoticed.
 */
#ifndef SLABUDDY_TESTS_MODEL_BLOCK_H
#define SLABUDDY_TESTS_MODEL_BLOCK_H

#include "model/rng.h"

struct block {
	char *ptr; /* NULL: none */
	size_t size;
	size_t usable;
	size_t align;
	uint64_t id;
};

/* Print a line and abort(): works in any thread, unlike check's own. */
_Noreturn void model_fail(const char *fmt, ...) format_printf(1, 2);

/* Take over what malloc, calloc (@zeroed) or an aligned call has returned, and mark it. */
void block_born(struct block *block, void *ptr, size_t size, size_t align, bool zeroed);

/* The pattern is whole, the usable size is what it was. */
void block_check(const struct block *block);

void block_free(struct block *block);

/* Let the heap move it, if it wants to: then it is elsewhere, and otherwise as it was. */
void block_move(struct block *block);

/* Resize it; what both sizes have in common must be there afterwards. */
void block_realloc(struct block *block, size_t size);

/* The same where memory may run out. Return: false when it did, the block being as it was. */
bool block_try_realloc(struct block *block, size_t size);

#endif
