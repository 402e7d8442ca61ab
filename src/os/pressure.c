/* SPDX-License-Identifier: MIT */
#include "os/pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "os/cgroup.h"

/*
 * When somebody has waited for memory for 100 ms of 2 s. Arbitrary: it begins where a program would begin to be
 * slow. 2 s is the least that the kernel lets everybody ask for.
 */
static const char trigger[] = "some 100000 2000000";

/* Those below are where lines for stderr go, if there is one. */
#define FIRST_FD 3

const struct os_pressure_places os_pressure_places = {
	.machine = "/proc/pressure/memory",
	.cgroups = "/proc/self/cgroup",
	.root = "/sys/fs/cgroup",
};

/* Not libc's functions, at which a thread of libc's could be cancelled: this is none. */
static void close_fd(int fd)
{
	syscall(SYS_close, fd);
}

static int open_above(const char *path)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
	int above;

	if (fd < 0 || fd >= FIRST_FD)
		return fd;
	above = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FIRST_FD);
	close_fd(fd);
	return above;
}

/* The kernel takes a trigger with the zero behind it. */
static int open_trigger(const char *path)
{
	int fd = open_above(path);

	if (fd < 0)
		return -1;
	if (syscall(SYS_write, fd, trigger, sizeof(trigger)) == (long)sizeof(trigger))
		return fd;
	close_fd(fd);
	return -1;
}

bool os_pressure_open(struct os_pressure *pressure, const struct os_pressure_places *places)
{
	int saved_errno = errno;
	struct cgroup cgroup;

	pressure->fd = -1;
	if (cgroup_find(&cgroup, places) && cgroup.version == 2 &&
	    cgroup_file(&cgroup, "memory.pressure"))
		pressure->fd = open_trigger(cgroup.path);
	if (pressure->fd < 0)
		pressure->fd = open_trigger(places->machine);
	errno = saved_errno;
	return pressure->fd >= 0;
}

void os_pressure_close(struct os_pressure *pressure)
{
	int saved_errno = errno;

	if (pressure->fd >= 0)
		close_fd(pressure->fd);
	pressure->fd = -1;
	errno = saved_errno;
}

bool os_pressure_wait(struct os_pressure *pressure, unsigned int ms)
{
	/* a negative descriptor is skipped */
	struct pollfd file = { .fd = pressure->fd, .events = POLLPRI };
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	int saved_errno = errno;
	long nr = syscall(SYS_ppoll, &file, 1, &time, NULL, 0);

	errno = saved_errno;
	if (nr <= 0)
		return false;
	if (file.revents & POLLPRI && !(file.revents & POLLERR))
		return true;
	/* the cgroup is gone: from now on just sleep */
	os_pressure_close(pressure);
	return os_pressure_wait(pressure, ms);
}
