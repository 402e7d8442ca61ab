/* SPDX-License-Identifier: MIT */
#include "os/rseq.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"

/* Newer than some headers. */
#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#endif
enum {
	CMD_RSEQ = 1 << 7,	    /* MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ */
	CMD_REGISTER_RSEQ = 1 << 8, /* MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ */
};

/* glibc's, from 2.35 on; their addresses are NULL where they are not. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

/* The first one that glibc registers: up to flags. The area itself was never smaller than 32 bytes, of which
 * the kernel fills as many as it knows. */
#define LEAST_SIZE 20

/* How many bytes of an area the kernel fills; 0 where it does not say. */
static unsigned long feature_size(void)
{
	int saved_errno = errno;
	unsigned long size = getauxval(AT_RSEQ_FEATURE_SIZE);

	errno = saved_errno;
	return size;
}

static long membarrier(int command)
{
	int saved_errno = errno;
	long result = syscall(SYS_membarrier, command, 0, 0);

	errno = saved_errno;
	return result;
}

bool os_rseq_start(struct rseq_place *place, bool by_cpu)
{
	bool has_cid = feature_size() >= RSEQ_MM_CID + sizeof(uint32_t);
	long known = membarrier(MEMBARRIER_CMD_QUERY);

	/* a sanitizer does not see what a sequence does */
	if (SANITIZED || !&__rseq_offset || !&__rseq_size || __rseq_size < LEAST_SIZE)
		return false;
	if (known < 0 || !(known & CMD_RSEQ))
		return false;
	place->area = __rseq_offset;
	place->index = __rseq_offset + (has_cid && !by_cpu ? RSEQ_MM_CID : RSEQ_CPU_ID);
	return true;
}

bool os_rseq_fence(void)
{
	/* a child process may have to register anew; it costs nothing to do so each time */
	return !membarrier(CMD_REGISTER_RSEQ) && !membarrier(CMD_RSEQ);
}
