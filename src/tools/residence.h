/* SPDX-License-Identifier: MIT */
/*
 * Which pages of a process have memory behind them.
 */
#ifndef SLABUDDY_TOOLS_RESIDENCE_H
#define SLABUDDY_TOOLS_RESIDENCE_H

#include "tools/target.h"

/* Pages of 4096 bytes, as the heap counts them; the hardware's may be larger. */
#define RESIDENCE_PAGE_BYTES 4096

/**
 * residence_read() - look at a range of pages.
 * @start: a multiple of RESIDENCE_PAGE_BYTES.
 * @resident: gets a bit a page, from bit 0: what RSS counts. Not the kernel's page of zeros, which
 *what was only read is backed by.
 * @backed: the same, and what is swapped out: what is not in here reads as zero.
 *
 * Both have room for @nr_pages rounded up to words. Return: false: it cannot be known; then all
 *bits are set.
 */
bool residence_read(const struct target *target, uint64_t start, size_t nr_pages,
		    uint64_t *resident, uint64_t *backed);

/* Bytes of a range that are resident; 0 if it cannot be known. */
uint64_t residence_bytes(const struct target *target, uint64_t start, uint64_t bytes);

/**
 * residence_copy() - copy what may be large and sparse, by page.
 * @touched: offset of something that was written to: if it cannot be read, there is nothing mapped.
 *
 * What was never touched is not read, since that would make it so. Return: as target_read().
 */
bool residence_copy(const struct target *target, uint64_t addr, size_t touched, void *to,
		    size_t bytes);

/* The same of a library's variable that began as zero: it is mapped, but perhaps never touched. */
bool residence_copy_variable(const struct target *target, uint64_t addr, void *to, size_t bytes);

/* An integer of 1 to 8 bytes that is one; 0 if it cannot be read. */
uint64_t residence_variable(const struct target *target, uint64_t addr, size_t bytes);

#endif
