/* SPDX-License-Identifier: MIT */
#include "tools/room.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "tools/say.h"

static void *or_end(void *memory)
{
	if (!memory) {
		say("out of memory");
		exit(1);
	}
	return memory;
}

void *room_new(size_t bytes)
{
	return or_end(calloc(1, bytes));
}

void *room_for(void *table, size_t nr, size_t bytes)
{
	/* twice as much whenever a power of two is full */
	if (!nr || (is_power_of_2(nr) && nr >= 16))
		table = or_end(reallocarray(table, nr ? nr * 2 : 16, bytes));
	memset((char *)table + nr * bytes, 0, bytes);
	return table;
}
