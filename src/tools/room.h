/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_TOOLS_ROOM_H
#define SLABUDDY_TOOLS_ROOM_H

#include <stddef.h>

/*
 * room_for() - memory for one more entry of a table.
 * @table: what there is, or NULL.
 * @nr: entries in it.
 * @bytes: of an entry.
 *
 * Return: the table, perhaps elsewhere, with the entry number @nr zeroed. Ends the tool when there
 * is no memory.
 */
void *room_for(void *table, size_t nr, size_t bytes);

/* @bytes of zeroed memory. Ends the tool when there is none. */
void *room_new(size_t bytes);

#endif
