/* SPDX-License-Identifier: MIT */
#include "os/mem.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bits.h"
#include "os/info.h"

static void *map_anywhere(void *hint, size_t bytes, int prot, int flags)
{
	int saved_errno = errno;
	void *addr = mmap(hint, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	errno = saved_errno;
	return addr == MAP_FAILED ? NULL : addr;
}

/* Cut the ends off a mapping so that @bytes at an aligned address remain. */
static void *trim(char *addr, size_t mapped, size_t bytes, size_t align)
{
	char *start = (char *)ALIGN_UP((uintptr_t)addr, align);
	char *end = start + bytes;

	if (start > addr)
		os_unmap(addr, (size_t)(start - addr));
	if (end < addr + mapped)
		os_unmap(end, (size_t)(addr + mapped - end));
	return start;
}

static void *map_aligned(void *hint, size_t bytes, size_t align, int prot, int flags)
{
	char *addr = map_anywhere(hint, bytes, prot, flags);
	size_t mapped;

	if (!addr || IS_ALIGNED((uintptr_t)addr, align))
		return addr;
	os_unmap(addr, bytes);
	if (__builtin_add_overflow(bytes, align - os_page_size(), &mapped))
		return NULL;
	addr = map_anywhere(NULL, mapped, prot, flags);
	return addr ? trim(addr, mapped, bytes, align) : NULL;
}

void *os_reserve(void *hint, size_t bytes, size_t align)
{
	return map_aligned(hint, bytes, align, PROT_NONE, MAP_NORESERVE);
}

/* Below this there is nothing to be had: vm.mmap_min_addr, and the habit of leaving NULL's neighbours alone. */
#define LOWEST_ADDRESS MIB(1)

void *os_reserve_below(uintptr_t limit, size_t bytes)
{
	int saved_errno = errno;
	void *found = NULL;

	for (uintptr_t at = limit; !found && at >= LOWEST_ADDRESS + bytes;) {
		void *addr;

		at -= bytes;
		addr = mmap((void *)at, bytes, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
		if (addr == (void *)at)
			found = addr;
		else if (addr != MAP_FAILED)
			os_unmap(addr, bytes); /* a kernel before 4.17 takes the address as a hint */
		else if (errno == ENOMEM)
			break; /* no address will do */
	}
	errno = saved_errno;
	return found;
}

void *os_map(size_t bytes, size_t align)
{
	return map_aligned(NULL, bytes, align, PROT_READ | PROT_WRITE, 0);
}

/* The result of a system call wrapper as the interface promises it. */
static int result_of(int rc, int saved_errno)
{
	int error = rc ? -errno : 0;

	errno = saved_errno;
	return error;
}

int os_commit(void *addr, size_t bytes)
{
	int saved_errno = errno;

	return result_of(mprotect(addr, bytes, PROT_READ | PROT_WRITE), saved_errno);
}

int os_uncommit(void *addr, size_t bytes)
{
	int saved_errno = errno;
	int rc = madvise(addr, bytes, MADV_DONTNEED);

	return result_of(rc ? rc : mprotect(addr, bytes, PROT_NONE), saved_errno);
}

int os_lock(void *addr, size_t bytes)
{
	int saved_errno = errno;
	/* not libc's mlock(), of which the sanitizers make one that does nothing */
	int error = result_of((int)syscall(SYS_mlock, addr, bytes), saved_errno);

	/* it may have found memory for a part, and what is mapped stays marked */
	if (error)
		syscall(SYS_munlock, addr, bytes);
	errno = saved_errno;
	return error;
}

int os_prefer_node(void *addr, size_t bytes, unsigned int node)
{
	unsigned long mask[OS_MAX_NODES / BITS_PER_WORD] = { 0 };
	int saved_errno = errno;
	long rc;

	if (node >= OS_MAX_NODES)
		return -EINVAL;
	mask[node / BITS_PER_WORD] = 1UL << node % BITS_PER_WORD;
	/* the kernel takes one bit less than it is told */
	rc = syscall(SYS_mbind, addr, bytes, MPOL_PREFERRED, mask, OS_MAX_NODES + 1, 0);
	return result_of((int)rc, saved_errno);
}

void *os_remap(void *addr, size_t old_bytes, size_t new_bytes)
{
	int saved_errno = errno;
	void *now = mremap(addr, old_bytes, new_bytes, MREMAP_MAYMOVE);

	errno = saved_errno;
	return now == MAP_FAILED ? NULL : now;
}

int os_discard(void *addr, size_t bytes)
{
	int saved_errno = errno;

	return result_of(madvise(addr, bytes, MADV_DONTNEED), saved_errno);
}

int os_want_huge(void *addr, size_t bytes)
{
	int saved_errno = errno;

	return result_of(madvise(addr, bytes, MADV_HUGEPAGE), saved_errno);
}

int os_refuse_huge(void *addr, size_t bytes)
{
	int saved_errno = errno;

	return result_of(madvise(addr, bytes, MADV_NOHUGEPAGE), saved_errno);
}

int os_unmap(void *addr, size_t bytes)
{
	int saved_errno = errno;

	return result_of(munmap(addr, bytes), saved_errno);
}

size_t os_resident_bytes(const void *addr, size_t bytes)
{
	unsigned char pages[256];
	size_t step = sizeof(pages) * os_page_size();
	size_t resident = 0;
	int saved_errno = errno;

	for (size_t done = 0; done < bytes; done += step) {
		size_t here = MIN(step, bytes - done);
		char *start = (char *)(uintptr_t)addr + done;

		if (mincore(start, here, pages))
			break;
		for (size_t i = 0; i < here / os_page_size(); i++)
			resident += (pages[i] & 1) * os_page_size();
	}
	errno = saved_errno;
	return resident;
}
