/* SPDX-License-Identifier: MIT */
/*
 * slabuddy run PROGRAM [ARGS...]: run PROGRAM with the library preloaded, and say at its end, in
 * three lines on stderr, how it ended and what it took.
 */
#include "tools/run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/child.h"
#include "tools/format.h"
#include "tools/preload.h"
#include "tools/program.h"
#include "tools/report.h"
#include "tools/say.h"
#include "tools/scratch.h"

/* Exit statuses that are this command's own, as for env(1) and nohup(1). */
#define EXIT_USAGE	    2
#define EXIT_OWN_FAILURE    125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127

struct run {
	char **argv;
	char *path;
	enum preload_obstacle obstacle;
	const char *library;
	struct scratch scratch;
};

/* In the child. */
static int set_environment(void *context)
{
	const struct run *run = context;

	/* the dynamic linker of another processor would complain about our library */
	if (run->obstacle == PRELOAD_FOREIGN)
		return 0;
	return preload_environment(run->library, run->scratch.report, getpid());
}

static void print_end(const char *name, const struct child_end *end)
{
	const struct rusage *usage = &end->usage;
	double user = (double)usage->ru_utime.tv_sec + (double)usage->ru_utime.tv_usec / 1e6;
	double system = (double)usage->ru_stime.tv_sec + (double)usage->ru_stime.tv_usec / 1e6;
	char how[64];

	if (WIFEXITED(end->status)) {
		snprintf(how, sizeof(how), "exit status %d", WEXITSTATUS(end->status));
	} else {
		const char *abbreviation = sigabbrev_np(WTERMSIG(end->status));
		const char *core = WCOREDUMP(end->status) ? " (core dumped)" : "";

		if (abbreviation)
			snprintf(how, sizeof(how), "killed by SIG%s%s", abbreviation, core);
		else
			snprintf(how, sizeof(how), "killed by signal %d%s", WTERMSIG(end->status),
				 core);
	}
	say("%s: %s; %.2f s wall, %.2f s user, %.2f s system", name, how, end->wall_seconds, user,
	    system);
}

static void print_memory(const struct rusage *usage)
{
	say("peak RSS %s; %ld minor and %ld major page faults",
	    format_size((uint64_t)usage->ru_maxrss * 1024).text, usage->ru_minflt,
	    usage->ru_majflt);
}

static const char *why_no_report(const struct run *run)
{
	switch (run->obstacle) {
	case PRELOAD_STATIC:
		return "statically linked programs cannot be preloaded; it used its own malloc";
	case PRELOAD_PRIVILEGED:
		return "set-user-ID programs and the like cannot be preloaded; it used its own malloc";
	case PRELOAD_FOREIGN:
		return "it is made for another processor, so it was not preloaded";
	case PRELOAD_WORKS:
		break;
	}
	if (!run->scratch.dir)
		return "there was no temporary directory for a report";
	return "the program ended without running its exit handlers";
}

static void print_heap(const struct run *run)
{
	struct heap_report report;

	if (!run->scratch.dir || !report_read(run->scratch.report, &report)) {
		say("heap at exit: unknown: %s", why_no_report(run));
		return;
	}
	say("heap at exit: live %s in %" PRIu64 " objects (large %s, huge %s); "
	    "cached %s; free in slabs %s; free pages %s dirty, %s clean; metadata %s",
	    format_size(report.live_bytes).text, report.live_objects,
	    format_size(report.large_bytes).text, format_size(report.huge_bytes).text,
	    format_size(report.cached_bytes).text, format_size(report.slab_free_bytes).text,
	    format_size(report.free_dirty_bytes).text, format_size(report.free_clean_bytes).text,
	    format_size(report.metadata_bytes).text);
}

static int cannot_run(const char *name, int error)
{
	say("cannot run %s: %s", name, strerror(error));
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* Make sure that run->library can be named in LD_PRELOAD. Return: 0, or -1 after a line. */
static int make_library_plain(struct run *run)
{
	if (path_is_plain(run->library))
		return 0;
	if (scratch_link(&run->scratch, run->library)) {
		say("%s: LD_PRELOAD cannot hold this path, and a link to it cannot be made: %s",
		    run->library, strerror(errno));
		return -1;
	}
	run->library = run->scratch.link;
	return 0;
}

static int run_program(struct run *run)
{
	struct child_end end;
	int error;

	if (make_library_plain(run)) {
		scratch_remove(&run->scratch);
		return EXIT_OWN_FAILURE;
	}
	error = child_run(run->path, run->argv, set_environment, run, &end);
	if (error) {
		scratch_remove(&run->scratch);
		return cannot_run(run->argv[0], error);
	}
	print_end(run->argv[0], &end);
	print_memory(&end.usage);
	print_heap(run);
	scratch_remove(&run->scratch);
	child_end_like(end.status);
}

int run_main(int argc, char **argv)
{
	struct run run = { .argv = argv + 1 };

	if (argc > 1 && !strcmp(argv[1], "--"))
		run.argv++;
	else if (argc > 1 && argv[1][0] == '-') {
		say("run: unknown option %s", argv[1]);
		return EXIT_USAGE;
	}
	if (!run.argv[0]) {
		say("usage: slabuddy run PROGRAM [ARGS...]");
		return EXIT_USAGE;
	}
	run.path = program_find(run.argv[0]);
	if (!run.path)
		return cannot_run(run.argv[0], errno);
	run.obstacle = program_obstacle(run.path);
	run.library = preload_find();
	if (!run.library)
		return EXIT_OWN_FAILURE;
	/* without a directory the program still runs; the third line says why it is empty */
	scratch_make(&run.scratch);
	return run_program(&run);
}
