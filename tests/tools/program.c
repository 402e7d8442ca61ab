/* SPDX-License-Identifier: MIT */
/*
 * A program that does one thing that a program can do to the process that started it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int number(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

/* Say how a program ended, which a shell does not tell apart: "exit 139" or "signal 11". */
static int tell_end(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(99);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 99;
	if (WIFSIGNALED(status))
		printf("signal %d%s\n", WTERMSIG(status), WCOREDUMP(status) ? " core" : "");
	else
		printf("exit %d\n", WEXITSTATUS(status));
	return 0;
}

/* Wait for one of the signals that are sent on, and name it. */
static int await_signal(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* a test that fails must end */
	alarm(20);
	puts("ready");
	fflush(stdout);
	if (sigwait(&set, &sig))
		return 99;
	printf("SIG%s\n", sigabbrev_np(sig));
	return 0;
}

/* Take memory, touch it and keep it. */
static int hold_mebibytes(int mebibytes)
{
	size_t size = (size_t)mebibytes << 20;
	char *block = malloc(size);

	if (!block)
		return 99;
	memset(block, 1, size);
	printf("%d\n", block[size - 1]);
	return 0;
}

int main(int argc, char **argv)
{
	const char *action = argc > 1 ? argv[1] : "";

	if (!strcmp(action, "args")) {
		for (int i = 2; i < argc; i++)
			printf("[%s]", argv[i]);
		puts("");
		return 0;
	}
	if (!strcmp(action, "await"))
		return await_signal();
	if (argc < 3)
		return 99;
	if (!strcmp(action, "exit"))
		return number(argv[2]);
	if (!strcmp(action, "_exit"))
		_exit(number(argv[2]));
	if (!strcmp(action, "say")) {
		fputs(argv[2], stderr);
		return 0;
	}
	if (!strcmp(action, "raise"))
		return raise(number(argv[2]));
	if (!strcmp(action, "hold"))
		return hold_mebibytes(number(argv[2]));
	if (!strcmp(action, "tell"))
		return tell_end(argv + 2);
	return 99;
}
