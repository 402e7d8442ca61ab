/* SPDX-License-Identifier: MIT */
/*
 * exit() in a signal handler that interrupted an allocation. The signal comes when the allocator
 * makes memory usable: its system call is ours.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile sig_atomic_t armed;

int mprotect(void *addr, size_t bytes, int prot)
{
	if (armed) {
		armed = 0;
		raise(SIGUSR1);
	}
	return (int)syscall(SYS_mprotect, addr, bytes, prot);
}

static void leave(int signo)
{
	(void)signo;
	exit(0);
}

int main(void)
{
	signal(SIGUSR1, leave);
	armed = 1;
	for (int i = 0; i < 100; i++) {
		if (!malloc(1 << 20))
			break;
	}
	puts("nothing was interrupted");
	return 1;
}
