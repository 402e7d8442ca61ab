/* SPDX-License-Identifier: MIT */
#include "os/info.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"

static uintptr_t brk_floor; /* [atomic] see os_mark_brk_heap() */

size_t os_page_size(void)
{
	static size_t cached;
	size_t bytes = READ_ONCE(cached);

	/* racy: whoever comes first writes the same value */
	if (unlikely(!bytes)) {
		bytes = getauxval(AT_PAGESZ);
		WRITE_ONCE(cached, bytes);
	}
	return bytes;
}

unsigned int os_nr_cpus(void)
{
	int saved_errno = errno;
	cpu_set_t set;
	int nr = 1;

	/* fails on machines with more processors than the set has bits: then any large number */
	if (!sched_getaffinity(0, sizeof(set), &set))
		nr = CPU_COUNT(&set);
	else if (errno == EINVAL)
		nr = CPU_SETSIZE;
	errno = saved_errno;
	return (unsigned int)MAX(nr, 1);
}

unsigned int os_allowed_nodes(unsigned int *nodes, unsigned int max)
{
	unsigned long mask[OS_MAX_NODES / BITS_PER_WORD] = { 0 };
	int saved_errno = errno;
	unsigned int nr = 0;

	if (syscall(SYS_get_mempolicy, NULL, mask, OS_MAX_NODES, NULL, MPOL_F_MEMS_ALLOWED))
		mask[0] = 0;
	for (unsigned int node = 0; node < OS_MAX_NODES; node++) {
		if (!(mask[node / BITS_PER_WORD] >> node % BITS_PER_WORD & 1))
			continue;
		if (nr < max)
			nodes[nr] = node;
		nr++;
	}
	errno = saved_errno;
	return nr;
}

unsigned int os_current_node(void)
{
	int saved_errno = errno;
	unsigned int cpu, node;

	if (getcpu(&cpu, &node))
		node = 0;
	errno = saved_errno;
	return node;
}

bool os_is_secure(void)
{
	return getauxval(AT_SECURE) != 0;
}

unsigned long os_process_id(void)
{
	return (unsigned long)getpid();
}

unsigned int os_thread_id(void)
{
	return (unsigned int)gettid();
}

unsigned int os_current_cpu(void)
{
	int cpu = sched_getcpu();

	return cpu < 0 ? 0 : (unsigned int)cpu;
}

uint64_t os_milliseconds(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t os_thread_cpu_ns(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The dynamic linker's: the first word of the stack, which is argc; argv and the environment follow. */
extern void *__libc_stack_end;
#pragma weak __libc_stack_end

char **os_first_environ(void)
{
	uintptr_t *first = &__libc_stack_end ? __libc_stack_end : NULL;
	uintptr_t argc = first ? *first : 0;

	/* argv ends with a NULL; what does not look like it is something else */
	if (!first || argc > INT_MAX || first[1 + argc])
		return NULL;
	return (char **)(first + 1 + argc + 1);
}

void os_pause(unsigned int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	int saved_errno = errno;

	nanosleep(&time, NULL);
	errno = saved_errno;
}

bool os_copy_from_self(void *dst, const void *src, size_t bytes)
{
	int saved_errno = errno;
	struct iovec to = { .iov_base = dst, .iov_len = bytes };
	struct iovec from = { .iov_base = (void *)(uintptr_t)src, .iov_len = bytes };
	ssize_t got = process_vm_readv(getpid(), &to, 1, &from, 1, 0);

	errno = saved_errno;
	return got == (ssize_t)bytes;
}

void os_mark_brk_heap(void)
{
	int saved_errno = errno;

	if (!READ_ONCE(brk_floor))
		WRITE_ONCE(brk_floor, (uintptr_t)sbrk(0));
	errno = saved_errno;
}

bool os_in_brk_heap(const void *addr)
{
	uintptr_t floor = READ_ONCE(brk_floor);

	return floor && (uintptr_t)addr > floor && (uintptr_t)addr < (uintptr_t)sbrk(0);
}

int os_write_all(int fd, const char *text, size_t bytes)
{
	int saved_errno = errno;
	int error = 0;

	while (!error && bytes) {
		ssize_t n = write(fd, text, bytes);

		if (n < 0 && errno != EINTR)
			error = -errno;
		if (n > 0) {
			text += n;
			bytes -= (size_t)n;
		}
	}
	errno = saved_errno;
	return error;
}

int os_write_file(const char *path, const char *text, size_t bytes)
{
	int saved_errno = errno;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error = fd < 0 ? -errno : os_write_all(fd, text, bytes);

	if (fd >= 0)
		close(fd);
	errno = saved_errno;
	return error;
}
