/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/compiler.h"
#include "os/mem.h"

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

/* The calling process, whatever it is after a fork: no descriptor that could be another's. Linux 6.14; before that
 * it is a bad descriptor. */
#define SELF (-10001)

/* [atomic] the kernel refuses what each range alone is granted */
static bool no_batches;

/* Return: how many ranges were given back, from the first one on, until one was refused. */
static unsigned int discard_together(const struct iovec *ranges, unsigned int nr)
{
	int saved_errno = errno;
	long bytes = syscall(SYS_process_madvise, SELF, ranges, (unsigned long)nr, MADV_DONTNEED, 0UL);
	unsigned int done = 0;

	errno = saved_errno;
	while (done < nr && bytes > 0 && (size_t)bytes >= ranges[done].iov_len)
		bytes -= (long)ranges[done++].iov_len;
	return done;
}

void os_discard_ranges(const struct iovec *ranges, unsigned int nr, int *errors)
{
	unsigned int done = 0;

	while (done < nr) {
		/* racy: whoever comes first finds the same */
		bool together = nr - done > 1 && !READ_ONCE(no_batches);
		unsigned int granted = together ? discard_together(ranges + done, nr - done) : 0;

		for (unsigned int i = 0; i < granted; i++)
			errors[done++] = 0;
		if (done == nr)
			break;
		errors[done] = os_discard(ranges[done].iov_base, ranges[done].iov_len);
		if (together && !granted && !errors[done])
			WRITE_ONCE(no_batches, true);
		done++;
	}
}
