/* SPDX-License-Identifier: MIT */
/*
 * slabuddy COMMAND [ARGS...]
 */
#include <stdio.h>
#include <string.h>

#include <slabuddy/version.h>

#include "base/compiler.h"
#include "tools/info.h"
#include "tools/proc.h"
#include "tools/run.h"
#include "tools/say.h"

static const struct command {
	const char *name;
	const char *args;
	const char *help;
	int (*main)(int argc, char **argv);
} commands[] = {
	{ "run", "PROGRAM [ARGS...]", "run PROGRAM on slabuddy's malloc; a summary at its end",
	  run_main },
	{ "info", "[--json] [--interval SECONDS] PID|CORE",
	  "where each page of a heap is, and whether it grows", info_main },
	{ "slabinfo", "PID|CORE", "its caches, as in the kernel's /proc/slabinfo", slabinfo_main },
	{ "buddyinfo", "PID|CORE", "its free blocks, as in /proc/buddyinfo", buddyinfo_main },
	{ "pagetypeinfo", "PID|CORE", "the same by migrate type, as in /proc/pagetypeinfo",
	  pagetypeinfo_main },
	{ "extfrag_index", "PID|CORE", "how fragmented its free pages are, as in debugfs",
	  extfrag_index_main },
	{ "unusable_index", "PID|CORE", "the part of them too small for each order, as in debugfs",
	  unusable_index_main },
};

static void print_help(void)
{
	puts("usage: slabuddy COMMAND [ARGS...]\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %s %s\n\t%s\n", commands[i].name, commands[i].args, commands[i].help);
	puts("  --help\n\tthis text\n  --version\n\tthe version");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		say("no command given; slabuddy --help lists them");
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		print_help();
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("slabuddy " SLABUDDY_VERSION_STRING);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	say("unknown command %s; slabuddy --help lists them", argv[1]);
	return 2;
}
