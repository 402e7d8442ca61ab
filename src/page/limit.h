/* SPDX-License-Identifier: MIT */
/*
 * The memory that the heap holds, and the limit on it (option memory_limit).
 *
 * Held are, in bytes:
 *
 *     pages in use, touched or not, those that slots keep included
 *   + free pages that are dirty (of ZONE_DMA, where all is locked, all pages)
 *   + huge blocks, touched or not
 *   + mappings for metadata and struct sections, touched or not
 *
 * Clean free pages and reserved addresses do not count: they have no memory behind them. Nor do pages that are on
 * their way back to the OS, so that nobody is refused memory which another thread is giving back at that moment; and
 * not the tables in .bss. So what is resident of the heap is never more than this, but for those.
 *
 * The sum is one word. It grows in three places: where a zone hands out clean pages (zone_may_hold()), where a zone of
 * locked memory commits some (grow.c), and where something is mapped (limit_map(), huge.c).
 */
#ifndef SLABUDDY_PAGE_LIMIT_H
#define SLABUDDY_PAGE_LIMIT_H

#include "base/compiler.h"

/*
 * What the calling thread should know of the limit. A refusal is an ordinary "no memory" for everybody on the way up;
 * whoever can do something about it asks here, while no lock is held, whether it was one.
 */
struct limit_answer {
	size_t refused;	    /* bytes of the last growth that was refused; 0: none since somebody asked */
	unsigned int quiet; /* > 0: the caller of the heap makes room himself */
	bool in_handler;    /* the program's handler is being called */
};
extern thread_local_word struct limit_answer limit_answer;

/* Hold @bytes more. Return: false, and nothing has changed, when that is over the limit. Context: any. */
bool limit_charge(size_t bytes);

/* The same without being asked; and what undoes both. */
void limit_charge_anyway(size_t bytes);
void limit_uncharge(size_t bytes);

/* os_map() and os_unmap() with these. Return: NULL: the OS refused, or the limit did. */
void *limit_map(size_t bytes, size_t align);
void limit_unmap(void *addr, size_t bytes);

size_t limit_held_bytes(void);

/* How much more that is than the limit, which may have been set too late or too low. */
size_t limit_excess_bytes(void);

#endif
