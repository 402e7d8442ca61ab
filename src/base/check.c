/* SPDX-License-Identifier: MIT */
#include "base/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512

/* The thread of malloc/kswapd.c has files of its own, and stderr is none of them: borrow the program's. */
static void write_to_program(const char *line, size_t len)
{
	long process = syscall(SYS_pidfd_open, getpid(), 0);
	long fd = process < 0 ? -1 : syscall(SYS_pidfd_getfd, process, STDERR_FILENO, 0);

	if (fd >= 0)
		syscall(SYS_write, fd, line, len);
	if (fd >= 0)
		syscall(SYS_close, fd);
	if (process >= 0)
		syscall(SYS_close, process);
}

/*
 * One write() a line, so that lines of several threads or processes do not mix. Not libc's write(),
 * at which a thread can be cancelled: this one may hold its slot.
 */
static void write_line(const char *fmt, va_list args)
{
	static const char prefix[] = "slabuddy: ";
	char line[LINE_MAX_BYTES];
	size_t len = sizeof(prefix) - 1;
	long written;
	int n;

	__builtin_memcpy(line, prefix, len);
	n = vsnprintf(line + len, sizeof(line) - len - 1, fmt, args);
	if (n > 0)
		len += (size_t)n < sizeof(line) - len - 1 ? (size_t)n : sizeof(line) - len - 2;
	line[len++] = '\n';
	do
		written = syscall(SYS_write, STDERR_FILENO, line, len);
	while (written < 0 && errno == EINTR);
	if (written < 0 && errno == EBADF)
		write_to_program(line, len);
}

void warn(const char *fmt, ...)
{
	int saved_errno = errno;
	va_list args;

	va_start(args, fmt);
	write_line(fmt, args);
	va_end(args);
	errno = saved_errno;
}

void fatal(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line(fmt, args);
	va_end(args);
	abort();
}

void assert_failed(const char *expr, const char *file, int line)
{
	fatal("assertion failed: %s (%s:%d)", expr, file, line);
}
