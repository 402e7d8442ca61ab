/* SPDX-License-Identifier: MIT */
#include "tools/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"

static const int forwarded[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH,
};

/* The signal state before child_run(), which the child starts with. */
struct signal_state {
	sigset_t mask;
	struct sigaction child_action;
	struct sigaction actions[ARRAY_SIZE(forwarded)];
};

static volatile pid_t child; /* written with the forwarded signals blocked */

static void forward(int sig, siginfo_t *info, void *ucontext)
{
	int saved_errno = errno;

	(void)ucontext;
	/* codes above zero are the kernel's own: the terminal signals the whole group */
	if (info->si_code <= 0 && child > 0)
		kill(child, sig);
	errno = saved_errno;
}

static void block_forwarded(sigset_t *old)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, old);
}

/* Leaves the forwarded signals blocked, until the child exists. */
static void take_signals(struct signal_state *old)
{
	struct sigaction action = { .sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction plain = { .sa_handler = SIG_DFL };

	sigemptyset(&action.sa_mask);
	sigemptyset(&plain.sa_mask);
	block_forwarded(&old->mask);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++) {
		sigaction(forwarded[i], NULL, &old->actions[i]);
		/* what nohup and the like ignore, both processes ignore */
		if (old->actions[i].sa_handler != SIG_IGN)
			sigaction(forwarded[i], &action, NULL);
	}
	/* an ignored SIGCHLD would throw the child's status away */
	sigaction(SIGCHLD, &plain, &old->child_action);
}

static void restore_signals(const struct signal_state *old)
{
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaction(forwarded[i], &old->actions[i], NULL);
	sigaction(SIGCHLD, &old->child_action, NULL);
	sigprocmask(SIG_SETMASK, &old->mask, NULL);
}

/* The child's errno if it could not become the program; end of file, so 0, if it has. */
static int read_error(int fd)
{
	int error = 0;
	ssize_t len;

	do
		len = read(fd, &error, sizeof(error));
	while (len < 0 && errno == EINTR);
	return len == sizeof(error) ? error : 0;
}

static _Noreturn void report_error(int fd)
{
	int error = errno;
	ssize_t len;

	do
		len = write(fd, &error, sizeof(error));
	while (len < 0 && errno == EINTR);
	_exit(127);
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Reap only once no handler can send a signal to a process id that is free again. */
static void wait_and_reap(pid_t pid, struct child_end *end)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
		;
	block_forwarded(NULL);
	child = 0;
	while (wait4(pid, &end->status, 0, &end->usage) < 0 && errno == EINTR)
		;
}

int child_run(const char *path, char *const argv[], int (*prepare)(void *context), void *context,
	      struct child_end *end)
{
	struct signal_state old;
	double start;
	int error;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return errno;
	take_signals(&old);
	start = seconds_now();
	pid = fork();
	if (pid < 0) {
		error = errno;
		restore_signals(&old);
		close(fds[0]);
		close(fds[1]);
		return error;
	}
	if (pid == 0) {
		restore_signals(&old);
		/* execvp, for the shell scripts that have no #! */
		if (!prepare(context))
			execvp(path, argv);
		report_error(fds[1]);
	}
	child = pid;
	sigprocmask(SIG_SETMASK, &old.mask, NULL);
	close(fds[1]);
	error = read_error(fds[0]);
	close(fds[0]);
	wait_and_reap(pid, end);
	end->wall_seconds = seconds_now() - start;
	return error;
}

void child_end_like(int status)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t set;
	int sig;

	if (WIFEXITED(status))
		exit(WEXITSTATUS(status));
	sig = WTERMSIG(status);
	/* the limit is for core files, the flag for a handler that core_pattern pipes to */
	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_DUMPABLE, 0);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	exit(128 + sig);
}
