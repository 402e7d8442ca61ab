/* SPDX-License-Identifier: MIT */
#include "os/thread.h"

#include <errno.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/lock.h"
#include "os/info.h"
#include "os/mem.h"

/* As the kernel has it: sigset_t of libc is larger. */
#define KERNEL_SIGSET_BYTES 8

/* Measured: kswapd touches 12 KiB of it, with and without assertions, by gcc and clang. */
#define STACK_BYTES KIB(64)

/*
 * Beyond the thread-local variables that we know of, and around the thread pointer, where libc has 2.3 KiB of
 * its own. Arbitrary: pages that nobody touches cost nothing.
 */
#define MARGIN_BYTES KIB(16)

static int enter(void *arg)
{
	struct os_thread *thread = arg;

	syscall(SYS_prctl, PR_SET_NAME, thread->name, 0, 0, 0);
	thread->body();
	return 0;
}

#if SANITIZED

static void *enter_pthread(void *arg)
{
	struct os_thread *thread = arg;

	enter(thread);
	store_release(&thread->alive, 0);
	return NULL;
}

static int create(struct os_thread *thread, void *const *tls, unsigned int nr)
{
	pthread_attr_t attr;
	pthread_t unused;
	int error;

	(void)tls;
	(void)nr;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	WRITE_ONCE(thread->alive, 1);
	error = pthread_create(&unused, &attr, enter_pthread, thread);
	if (error)
		WRITE_ONCE(thread->alive, 0);
	pthread_attr_destroy(&attr);
	return -error;
}

#else

/* Addresses of thread-local variables as distances from the thread pointer. */
struct span {
	ptrdiff_t first;
	ptrdiff_t last;
};

static void add_to_span(struct span *span, const void *address)
{
	ptrdiff_t distance = (const char *)address - (const char *)thread_identity();

	span->first = MIN(span->first, distance);
	span->last = MAX(span->last, distance);
}

/*
 * One mapping: a page that nobody may touch, the stack, and the thread-local variables on both sides of where the
 * thread pointer points.
 */
static int map_memory(struct os_thread *thread, void *const *tls, unsigned int nr)
{
	struct span span = { 0, 0 };
	size_t page = os_page_size();
	int error;

	add_to_span(&span, &errno);
	for (unsigned int i = 0; i < nr; i++)
		add_to_span(&span, tls[i]);
	thread->stack_bytes = page + STACK_BYTES;
	thread->pointer = thread->stack_bytes + ALIGN_UP((size_t)-span.first + MARGIN_BYTES, page);
	thread->bytes = thread->pointer + ALIGN_UP((size_t)span.last + MARGIN_BYTES, page);
	thread->memory = os_map(thread->bytes, page);
	if (!thread->memory)
		return -ENOMEM;
	/* if that is refused, it goes without */
	error = os_uncommit(thread->memory, page);
	(void)error;
	return 0;
}

/* What code that the compiler or libc makes looks for at the thread pointer: where that points. */
static void set_thread_pointer(char *pointer)
{
#if defined(__x86_64__)
	void **head = (void **)(void *)pointer;

	head[0] = pointer; /* the pointer itself is not to be had otherwise */
	head[2] = pointer; /* glibc's pointer to its description of the thread */
#else
	(void)pointer;
#endif
}

static int create(struct os_thread *thread, void *const *tls, unsigned int nr)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			  CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	size_t page = os_page_size();
	int error = 0;
	char *pointer;

	if (!thread->memory)
		error = map_memory(thread, tls, nr);
	else
		error = os_discard(thread->memory + page, thread->bytes - page);
	if (error)
		return error;
	pointer = thread->memory + thread->pointer;
	set_thread_pointer(pointer);
	if (clone(enter, thread->memory + thread->stack_bytes, flags, thread, &thread->alive, pointer,
		  &thread->alive) < 0)
		error = -errno;
	return error;
}

#endif

int os_thread_start(struct os_thread *thread, void *const *tls, unsigned int nr)
{
	const uint64_t all = ~(uint64_t)0;
	int saved_errno = errno;
	uint64_t mask;
	int error;

	if (load_acquire(&thread->alive) && thread->process == os_process_id())
		return -EBUSY;
	thread->process = os_process_id();
	/* the thread has them blocked from its first instruction on; all, those that libc uses itself too */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, KERNEL_SIGSET_BYTES);
	error = create(thread, tls, nr);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, KERNEL_SIGSET_BYTES);
	errno = saved_errno;
	return error;
}

void os_thread_forget(struct os_thread *thread)
{
	WRITE_ONCE(thread->alive, 0);
}

int os_own_files(void)
{
	int saved_errno = errno;
	int error = 0;

	if (syscall(SYS_close_range, 0, ~0U, CLOSE_RANGE_UNSHARE) < 0)
		error = -errno;
	errno = saved_errno;
	return error;
}

bool os_thread_has_robust_list(void)
{
	int saved_errno = errno;
	void *head = NULL;
	size_t bytes;
	bool has = !syscall(SYS_get_robust_list, 0, &head, &bytes) && head;

	errno = saved_errno;
	return has;
}

void os_sleep_on(uint32_t *word, uint32_t value)
{
	int saved_errno = errno;

	syscall(SYS_futex, word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
	errno = saved_errno;
}

void os_wake(uint32_t *word)
{
	int saved_errno = errno;

	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	errno = saved_errno;
}
