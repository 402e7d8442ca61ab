/* SPDX-License-Identifier: MIT */
/*
 * Memory for the allocator's own structures (slots, sheaves, caches), in mappings that hold
 * nothing else, so that no object's overflow reaches them.
 */
#ifndef SLABUDDY_PAGE_META_H
#define SLABUDDY_PAGE_META_H

#include "base/lock.h"

/*
 * What the front of each mapping holds, so that a reader from outside (base/root.h) finds them all.
 * They never end. A cache line, like the smallest piece.
 */
struct meta_mapping {
	struct meta_mapping *next; /* [META] the one before */
	size_t bytes;		   /* [const] of the mapping, with this */
	size_t reserved[6];
};

/* The most that one piece may have. */
#define META_MAX_BYTES ((size_t)1 << 20)

/**
 * meta_alloc() - memory for metadata.
 * @bytes: rounded up to a power of two, at least a cache line.
 *
 * Return: zeroed memory, aligned to the rounded size up to 4096; NULL when the OS refused.
 * Context: takes LOCK_META; may map memory, so that no lock but the caller's slot may be held.
 */
void *meta_alloc(size_t bytes);

/* The same from what is at hand, without asking the OS. */
void *meta_alloc_cached(size_t bytes);

/**
 * meta_free() - give memory from meta_alloc() back for other metadata.
 * @bytes: as it was asked for.
 */
void meta_free(void *ptr, size_t bytes);

/* Bytes mapped for metadata, and of these bytes handed out at present. */
size_t meta_mapped_bytes(void);
size_t meta_used_bytes(void);

void meta_walk_locks(lock_visit *visit, void *arg);

#endif
