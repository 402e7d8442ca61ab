/* SPDX-License-Identifier: MIT */
/*
 * Runs a command and writes what it cost as one JSON object.
 *
 * The driver is not its parent itself because Linux counts the memory of the process that forks
 * into the child's peak: a child of a 30 MiB interpreter has a ru_maxrss of 30 MiB at least. This
 * program keeps that floor below 2 MiB.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile pid_t child;
static volatile sig_atomic_t timed_out;

/* The command is a process group of its own, so that its children go too. */
static void stop_child(int signo)
{
	if (signo == SIGALRM)
		timed_out = 1;
	if (child > 0)
		kill(-child, SIGKILL);
	else
		_exit(1);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void handle_signals(void)
{
	static const int signals[] = { SIGALRM, SIGHUP, SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = stop_child };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], &action, NULL))
			die("sigaction");
	/* Whoever kills the driver ends the command as well. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM))
		die("prctl");
}

static void report(FILE *file, double wall, int status, const struct rusage *use)
{
	fprintf(file,
		"{\"wall_s\": %.6f, \"user_s\": %.6f, \"system_s\": %.6f, \"peak_kib\": %ld, "
		"\"minor_faults\": %ld, \"major_faults\": %ld, \"voluntary_switches\": %ld, "
		"\"involuntary_switches\": %ld, \"exit\": %d, \"signal\": %d, \"timeout\": %s}\n",
		wall, seconds(use->ru_utime), seconds(use->ru_stime), use->ru_maxrss,
		use->ru_minflt, use->ru_majflt, use->ru_nvcsw, use->ru_nivcsw,
		WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		WIFSIGNALED(status) ? WTERMSIG(status) : 0, timed_out ? "true" : "false");
}

int main(int argc, char **argv)
{
	struct rusage use;
	siginfo_t info;
	double began, wall;
	FILE *file;
	int status;

	if (argc < 4 || atoi(argv[2]) <= 0) {
		fputs("usage: measure FIGURES-FILE TIMEOUT-SECONDS COMMAND [ARGS...]\n", stderr);
		return 125;
	}
	file = fopen(argv[1], "we");
	if (!file)
		die(argv[1]);
	handle_signals();

	began = now();
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		setpgid(0, 0);
		/* A command may run this program too: one that is killed takes its own along. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[3], argv + 3);
		fprintf(stderr, "measure: %s: %s\n", argv[3], strerror(errno));
		_exit(127);
	}
	/* Both sides do it: whichever comes first, the group is there. */
	setpgid(child, child);
	alarm((unsigned int)atoi(argv[2]));
	/* Left a zombie at first, so that its number, and so its group's, stays taken. */
	while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT))
		if (errno != EINTR)
			die("waitid");
	wall = now() - began;
	alarm(0);
	kill(-child, SIGKILL);
	while (wait4(child, &status, 0, &use) < 0)
		if (errno != EINTR)
			die("wait4");
	report(file, wall, status, &use);
	return fclose(file) ? 125 : 0;
}
