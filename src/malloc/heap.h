/* SPDX-License-Identifier: MIT */
/*
 * malloc's contract, under names that do not collide with the host's: exports.c gives them the
 * names that programs know, tests call them as they are.
 *
 * All of them: any thread, at any time, before the first constructor and after the last destructor,
 * but not from a signal handler that interrupted one of them. Addresses are multiples of 16. What
 * returns NULL sets errno, to ENOMEM unless it says otherwise; freeing keeps errno.
 */
#ifndef SLABUDDY_MALLOC_HEAP_H
#define SLABUDDY_MALLOC_HEAP_H

#include "malloc/size_class.h"
#include "slab/fast.h"

/* Larger requests than this never succeed, so that differences of pointers do not overflow. */
#define MAX_REQUEST_BYTES ((size_t)PTRDIFF_MAX)

void *heap_malloc_slow(size_t size);
void heap_free_slow(void *ptr);

static always_inline void *heap_malloc(size_t size)
{
	if (likely(size <= MAX_SLAB_BYTES)) {
		void *object;

		if (likely(slot_pop(this_slot, size_to_tag(size), &object)))
			return object;
	}
	return heap_malloc_slow(size);
}

/* NULL, foreign pointers, large blocks and mistakes all end up in the slow path. */
static always_inline void heap_free(void *ptr)
{
	struct section *section = addr_to_section(ptr);

	if (likely(section)) {
		size_t tag = section_low_tag(section, addr_to_pfn(ptr));

		if (likely(slot_push(this_slot, tag, ptr)))
			return;
	}
	heap_free_slow(ptr);
}

/**
 * heap_calloc() - zeroed memory. Pages that are known to read as zero are not written.
 */
void *heap_calloc(size_t nr, size_t size);

/**
 * heap_realloc() - another size for a block, in place where that is possible.
 * @ptr: a block, or NULL: then as heap_malloc().
 * @size: 0: the block is freed and the result is NULL, as in glibc.
 *
 * Return: the block, or NULL, @ptr being as it was.
 */
void *heap_realloc(void *ptr, size_t size);

/**
 * heap_aligned() - memory at a multiple of @align.
 * @align: a power of two of any size.
 */
void *heap_aligned(size_t align, size_t size);

/* The same, zeroed. */
void *heap_aligned_zeroed(size_t align, size_t size);

/**
 * heap_pages() - a run of pages of a certain zone and node.
 * @nid: the node that is preferred; others follow in turn, unless __GFP_THISNODE.
 * @gfp: zone, __GFP_THISNODE and __GFP_ZERO count.
 * @size: up to a section.
 * @align: a power of two up to a section.
 */
void *heap_pages(unsigned int nid, gfp_t gfp, size_t size, size_t align);

/* Bytes that may be used at @ptr: at least what was asked for, and always the same. */
size_t heap_usable_size(void *ptr);

/* The least that heap_usable_size() would say for a request; 0 when it cannot succeed. */
size_t heap_good_size(size_t align, size_t size);

/* Whether the slab of a block should lose it. Return: 1 or 0; -EINVAL: not the start of a block in use;
 * -EOPNOTSUPP: its cache is watched, or has a constructor or readers under RCU. */
int heap_worth_vacating(const void *ptr);

/* Move a block into a fuller slab. Return: where it is now; NULL: it stays. */
void *heap_move(void *ptr);

/* Give all free memory back to the OS. Return: whether there was any. */
bool heap_trim(void);

#endif
