/* SPDX-License-Identifier: MIT */
#include "base/event.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Return: 0 or an errno value. */
static int futex(struct event *event, int op, uint32_t value, const struct timespec *timeout)
{
	int saved_errno = errno;
	int error = 0;

	if (syscall(SYS_futex, &event->word, op | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0) < 0)
		error = errno;
	errno = saved_errno;
	return error;
}

bool event_wait(struct event *event, uint32_t ticket, unsigned int ms)
{
	struct timespec timeout = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	return futex(event, FUTEX_WAIT, ticket, &timeout) != ETIMEDOUT;
}

void event_wake(struct event *event)
{
	futex(event, FUTEX_WAKE, INT_MAX, NULL);
}
