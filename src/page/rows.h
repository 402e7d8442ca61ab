/* SPDX-License-Identifier: MIT */
/*
 * A table that grows by rows and stays where it is, in memory for metadata: for what is collected about
 * things of any number.
 */
#ifndef SLABUDDY_PAGE_ROWS_H
#define SLABUDDY_PAGE_ROWS_H

#include "base/compiler.h"

struct row_chunk;

/* All zero but row_bytes is an empty one. */
struct rows {
	size_t row_bytes; /* [const] */
	size_t nr;	  /* rows in it */
	size_t room;	  /* rows that it has memory for */
	struct row_chunk *first;
	struct row_chunk *last; /* the one that is being filled */
};

/* Have room for @nr rows altogether. Return: false when there is no memory. May map memory. */
bool rows_reserve(struct rows *rows, size_t nr);

/* One more row, zeroed; NULL when there is no room. Takes no lock. */
void *rows_add(struct rows *rows);

/* The row number @index, which is less than rows->nr. */
void *rows_at(const struct rows *rows, size_t index);

/* Calls @visit for each row, in order. */
void rows_for_each(const struct rows *rows, void (*visit)(const void *row, void *arg), void *arg);

/* Empty it; the room stays. */
void rows_clear(struct rows *rows);

void rows_free(struct rows *rows);

#endif
