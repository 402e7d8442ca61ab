/* SPDX-License-Identifier: MIT */
/*
 * Blocks that are mappings of their own: above half a section, and whatever the zones cannot
 * provide when addresses are scarce. A registry finds them by their address.
 */
#ifndef SLABUDDY_MALLOC_HUGE_H
#define SLABUDDY_MALLOC_HUGE_H

#include "base/lock.h"

/* An entry of the registry. */
struct huge {
	struct huge *next;
	void *addr;
	size_t bytes;
};

/* Arbitrary: a process with that many blocks of 32 MiB has 8 GiB in them. */
#define NR_HUGE_BUCKETS 256

/*
 * A new mapping, which reads as zero. @align: a power of two. @zero: that is why it was asked for; otherwise its owner
 * will write to it. Return: NULL when the OS refused.
 */
void *huge_alloc(size_t size, size_t align, bool zero);

/* Bytes of the block that starts at @ptr; 0 when there is none. */
size_t huge_bytes(const void *ptr);

/* Return: false when no block starts at @ptr. */
bool huge_free(void *ptr);

/* Another size, perhaps at another place. Return: NULL when the OS refused; the block is as it was. */
void *huge_resize(void *ptr, size_t size);

size_t huge_total_bytes(void);
size_t huge_count(void);

void huge_walk_locks(lock_visit *visit, void *arg);

#endif
