/* SPDX-License-Identifier: MIT */
#include "page/rows.h"

#include <string.h>

#include "page/meta.h"

/* Arbitrary: some hundred rows, and not much for a process that has a few. */
#define CHUNK_BYTES 32768

struct row_chunk {
	struct row_chunk *next;
	size_t nr; /* rows in it */
	_Alignas(16) char row[];
};

static size_t rows_per_chunk(const struct rows *rows)
{
	return (CHUNK_BYTES - sizeof(struct row_chunk)) / rows->row_bytes;
}

bool rows_reserve(struct rows *rows, size_t nr)
{
	while (rows->room < nr) {
		struct row_chunk *chunk = meta_alloc(CHUNK_BYTES);
		struct row_chunk **link = rows->last ? &rows->last->next : &rows->first;

		if (!chunk)
			return false;
		while (*link)
			link = &(*link)->next;
		*link = chunk;
		if (!rows->last)
			rows->last = chunk;
		rows->room += rows_per_chunk(rows);
	}
	return true;
}

void *rows_add(struct rows *rows)
{
	struct row_chunk *chunk = rows->last;

	if (chunk && chunk->nr == rows_per_chunk(rows))
		chunk = chunk->next;
	if (!chunk)
		return NULL;
	rows->last = chunk;
	rows->nr++;
	return memset(chunk->row + chunk->nr++ * rows->row_bytes, 0, rows->row_bytes);
}

void *rows_at(const struct rows *rows, size_t index)
{
	struct row_chunk *chunk = rows->first;

	for (; index >= rows_per_chunk(rows); index -= rows_per_chunk(rows))
		chunk = chunk->next;
	return chunk->row + index * rows->row_bytes;
}

void rows_for_each(const struct rows *rows, void (*visit)(const void *row, void *arg), void *arg)
{
	for (struct row_chunk *chunk = rows->first; chunk; chunk = chunk->next) {
		for (size_t i = 0; i < chunk->nr; i++)
			visit(chunk->row + i * rows->row_bytes, arg);
	}
}

void rows_clear(struct rows *rows)
{
	for (struct row_chunk *chunk = rows->first; chunk; chunk = chunk->next)
		chunk->nr = 0;
	rows->last = rows->first;
	rows->nr = 0;
}

void rows_free(struct rows *rows)
{
	while (rows->first) {
		struct row_chunk *chunk = rows->first;

		rows->first = chunk->next;
		meta_free(chunk, CHUNK_BYTES);
	}
	rows->last = NULL;
	rows->nr = 0;
	rows->room = 0;
}
