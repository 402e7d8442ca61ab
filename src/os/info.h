/* SPDX-License-Identifier: MIT */
/*
 * What the operating system tells about the machine and this process.
 *
 * All calls: any context, no lock, errno is left as it was.
 */
#ifndef SLABUDDY_OS_INFO_H
#define SLABUDDY_OS_INFO_H

#include "base/compiler.h"

/* The hardware's page in bytes, 4 KiB to 64 KiB, as the kernel reports it. Not PAGE_SIZE. */
size_t os_page_size(void);

/* Processors this process may run on, at least 1. */
unsigned int os_nr_cpus(void);

/* Numbers that the kernel gives to NUMA nodes are below this (its NODES_SHIFT is 10 at most). */
#define OS_MAX_NODES 1024

/**
 * os_allowed_nodes() - the NUMA nodes whose memory this process may use.
 * @nodes: gets their numbers, in ascending order.
 * @max: length of @nodes.
 *
 * Return: how many there are, even if that is more than @max; 0 when the kernel does not tell.
 */
unsigned int os_allowed_nodes(unsigned int *nodes, unsigned int max);

/* The NUMA node of the processor that the calling thread runs on, by the OS's number; 0 when the kernel
 * does not tell. It may have moved on already. */
unsigned int os_current_node(void);

/* Whether the process runs with more rights than its caller (AT_SECURE), so that nothing the
 * caller says may be trusted. */
bool os_is_secure(void);

unsigned long os_process_id(void);

/* The calling thread's number, and that of the processor it runs on just now. */
unsigned int os_thread_id(void);
unsigned int os_current_cpu(void);

/* Milliseconds since some moment before the process began; a few at a time. */
uint64_t os_milliseconds(void);

/* Processor time of the calling thread, in nanoseconds; a system call. */
uint64_t os_thread_cpu_ns(void);

/* The environment that the process was started with, also while the dynamic linker still works and libc
 * does not know it; NULL: not to be found. */
char **os_first_environ(void);

/* Let other threads run for @ms milliseconds, or until a signal comes. */
void os_pause(unsigned int ms);

/**
 * os_copy_from_self() - read memory that may not be mapped.
 * @dst: gets @bytes bytes.
 * @src: any address.
 *
 * Return: true, or false when the bytes cannot be read.
 */
bool os_copy_from_self(void *dst, const void *src, size_t bytes);

/*
 * The brk() heap, which this allocator never uses and glibc's does: os_mark_brk_heap() notes where
 * it starts, once, before anybody else can have used it; os_in_brk_heap() tells whether @addr lies
 * in what has been added since.
 */
void os_mark_brk_heap(void);
bool os_in_brk_heap(const void *addr);

/* Write @bytes of @text to @fd. Return: 0 or -errno. */
int os_write_all(int fd, const char *text, size_t bytes);

/* Write @bytes of @text to the file @path, which is made if needed. Return: 0 or -errno. */
int os_write_file(const char *path, const char *text, size_t bytes);

#endif
