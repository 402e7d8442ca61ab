/* SPDX-License-Identifier: MIT */
/*
 * Memory from the operating system.
 *
 * Common to all calls: addresses and sizes are in bytes and multiples of os_page_size(); errno is
 * left as it was; a result of 0 is success and a negative result is -errno; no call takes a lock,
 * and none may be made while one is held.
 */
#ifndef SLABUDDY_OS_MEM_H
#define SLABUDDY_OS_MEM_H

#include "base/compiler.h"

/**
 * os_reserve() - reserve addresses without memory behind them (PROT_NONE).
 * @hint: where it would be welcome, or NULL.
 * @bytes: size.
 * @align: power of two.
 *
 * Return: the address, aligned to @align, or NULL.
 */
void *os_reserve(void *hint, size_t bytes, size_t align);

/**
 * os_reserve_below() - the same, wholly below an address.
 * @limit: first address that it may not reach; a multiple of @bytes.
 * @bytes: size and alignment, a power of two.
 *
 * Tries the places for it from @limit downwards, one system call each.
 *
 * Return: the highest address that was free, or NULL.
 */
void *os_reserve_below(uintptr_t limit, size_t bytes);

/**
 * os_commit() - make reserved addresses readable and writable; they read as zero.
 */
int os_commit(void *addr, size_t bytes);

/**
 * os_uncommit() - undo os_commit(): the addresses stay reserved, the memory is given back.
 */
int os_uncommit(void *addr, size_t bytes);

/**
 * os_lock() - keep committed memory in RAM.
 *
 * Return: 0; or -errno, -ENOMEM or -EPERM beyond RLIMIT_MEMLOCK, and then none of it is locked.
 */
int os_lock(void *addr, size_t bytes);

/**
 * os_prefer_node() - memory behind a range comes from a NUMA node as long as that has any.
 * @node: the OS's number for it.
 *
 * Return: 0 or -errno; the memory is as good as any then, only farther away.
 */
int os_prefer_node(void *addr, size_t bytes, unsigned int node);

/**
 * os_map() - a new readable and writable mapping that reads as zero.
 * @bytes: size.
 * @align: power of two.
 *
 * Return: the address, aligned to @align, or NULL.
 */
void *os_map(size_t bytes, size_t align);

/**
 * os_remap() - change the size of a mapping, which may move.
 * @old_bytes: its size now.
 * @new_bytes: its size then; what is added reads as zero.
 *
 * Return: where it is now, or NULL, the mapping being as it was.
 */
void *os_remap(void *addr, size_t old_bytes, size_t new_bytes);

/**
 * os_discard() - give the memory behind a range back; it reads as zero afterwards.
 *
 * Return: 0; or -errno, and then the contents are undefined and the memory may still be there.
 */
int os_discard(void *addr, size_t bytes);

struct iovec;

/**
 * os_discard_ranges() - os_discard() of many ranges, by one call where the kernel can do that.
 * @errors: gets what os_discard() would return for each.
 *
 * Where processes are killed for calls that their seccomp filter does not know, this is one: process_madvise.
 */
void os_discard_ranges(const struct iovec *ranges, unsigned int nr, int *errors);

/**
 * os_want_huge() - memory for a range may come as transparent huge pages from now on; os_refuse_huge(): it may not.
 *
 * What is there stays as it is. A part of a mapping becomes one of its own.
 *
 * Return: 0; -EINVAL when the kernel has none, -ENOMEM or -EAGAIN when it is short of something.
 */
int os_want_huge(void *addr, size_t bytes);
int os_refuse_huge(void *addr, size_t bytes);

/**
 * os_unmap() - undo os_reserve() or os_map() for a whole range.
 */
int os_unmap(void *addr, size_t bytes);

/**
 * os_resident_bytes() - how much of a range has memory behind it at present.
 *
 * Return: bytes; 0 when the OS does not tell.
 */
size_t os_resident_bytes(const void *addr, size_t bytes);

#endif
