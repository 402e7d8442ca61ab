/* SPDX-License-Identifier: MIT */
/*
 * A thread of the library's own, which libc does not know.
 *
 * It comes from clone() and not from pthread_create(), so that
 *  - it may be started where malloc() is called, whatever libc holds there: nothing of libc's is used;
 *  - libc does not count it: a process whose main thread has called pthread_exit() ends with its last thread,
 *    and a program of one thread keeps what libc does for such programs (stdio without locks, no cancellation);
 *  - it costs two mappings and no memory of libc's.
 *
 * The price is that libc's functions which ask for the calling thread do not work there. Its thread-local
 * variables begin as zero, whatever their initial values; errno is one of them. It has all signals blocked.
 * setuid() of libc does not change its user.
 *
 * A sanitizer must know each thread, so under one it is a pthread after all.
 */
#ifndef SLABUDDY_OS_THREAD_H
#define SLABUDDY_OS_THREAD_H

#include "base/compiler.h"

/* All zero: not started. */
struct os_thread {
	const char *name;   /* at most 15 characters */
	void (*body)(void); /* it ends when this returns */
	uint32_t alive;	    /* [atomic] the thread's number from its start to its end; 0: there is none */
	unsigned long process; /* in which it was started: in a child there is none */
	char *memory;	    /* of its stack and its thread-local variables, used again by the next one */
	size_t bytes;
	size_t stack_bytes; /* up to here it is the stack */
	size_t pointer;	    /* where in it the thread pointer points */
};

/**
 * os_thread_start() - start a thread.
 * @thread: name and body are set.
 * @tls: addresses of thread-local variables, the caller's, that the thread will use beside errno. Between and
 *	near them all others may be used too.
 * @nr: how many.
 *
 * Return: 0; -EBUSY: the last one has not ended yet; else -errno.
 * Context: any, signal handlers included, but for two callers at once with the same @thread.
 */
int os_thread_start(struct os_thread *thread, void *const *tls, unsigned int nr);

/* In a new child process, whose number may be that of its parent: no thread has been started. */
void os_thread_forget(struct os_thread *thread);

/**
 * os_own_files() - give the calling thread a table of file descriptors of its own, which is empty.
 *
 * So what it opens is not in the program's way, and what the program closes is not the thread's.
 *
 * Return: 0 or -errno: before Linux 5.9, for example.
 */
int os_own_files(void);

/*
 * Whether the kernel knows a list of robust mutexes of the calling thread. libc gives it one, in a thread that it
 * starts and in the child of fork(); the child of vfork() has none.
 */
bool os_thread_has_robust_list(void);

/* Sleep while *@word is @value, or for some other time. */
void os_sleep_on(uint32_t *word, uint32_t value);

/* Wake one who sleeps on @word. */
void os_wake(uint32_t *word);

#endif
