/* SPDX-License-Identifier: MIT */
/*
 * slabuddy info [--json] [--interval SECONDS] PID|CORE: where each page of a heap is, and whether
 * it grows.
 */
#include "tools/info.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/growth.h"
#include "tools/info_print.h"
#include "tools/say.h"

#define EXIT_USAGE 2

/* A list that changed while it was read is read anew, this often at most. Arbitrary: in a busy
 * process that creates and ends caches all the time no number is enough. */
#define MAX_TRIES 3

/* Of an interval, in seconds: below it, readings take longer than what is between them; the other
 * is eleven days. Arbitrary. */
#define MIN_INTERVAL 0.1
#define MAX_INTERVAL 1000000.0

struct request {
	bool json;
	double interval; /* seconds; 0: one reading */
	const char *target;
};

static struct view *view_all(struct target *target, const struct heap *heap)
{
	struct view *view;

	for (int i = 1;; i++) {
		view = view_new(target, heap);
		view_add_caches(view);
		view_add_zones(view);
		view_add_pages(view);
		view_add_mappings(view, heap);
		if (!target->torn || i == MAX_TRIES)
			return view;
		view_free(view);
	}
}

/* ---- readings before the one that is printed ---- */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec until = { .tv_sec = (time_t)(ns / 1000000000),
				  .tv_nsec = (long)(ns % 1000000000) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static void add_reading(struct growth *growth, struct target *target, const struct heap *heap)
{
	uint64_t ns = now_ns();
	struct view *view = view_all(target, heap);
	struct figures figures;

	figures_make(view, &figures);
	growth_add(growth, view, &figures, ns);
	view_free(view);
}

/* Return: 0; or the exit status, after a line: the process has ended, or become another program. */
static int check_there(const struct target *target, const struct heaps *heaps)
{
	if (heaps_are_there(target, heaps))
		return 0;
	say("%s: %s has ended", target->label, target->name);
	return 1;
}

static int watch(struct target *target, const struct heaps *heaps, double interval,
		 struct growth *growth)
{
	uint64_t begin = now_ns();

	for (unsigned int i = 1; i < GROWTH_READINGS; i++) {
		int status = check_there(target, heaps);

		if (status)
			return status;
		for (unsigned int number = 0; number < heaps->nr; number++)
			add_reading(&growth[number], target, &heaps->heap[number]);
		sleep_until(begin + (uint64_t)(interval * 1e9 / (GROWTH_READINGS - 1) * i));
	}
	return check_there(target, heaps);
}

/* ---- printing ---- */

/* @growth: of the readings before; NULL: there were none. */
static void print_heap(struct target *target, const struct heap *heap, struct growth *growth,
		       bool json, bool first)
{
	uint64_t ns = now_ns();
	struct view *view = view_all(target, heap);
	struct figures figures;

	figures_make(view, &figures);
	if (growth) {
		growth_add(growth, view, &figures, ns);
		growth_finish(growth);
	}
	if (json) {
		printf("%s\n    ", first ? "" : ",");
		info_print_json(view, heap, &figures, growth);
	} else {
		printf("%s%sprocess %d (%s), heap of %s\n\n", first ? "" : "\n",
		       target->core ? "core of " : "", (int)target->pid, target->name, heap->path);
		info_print_text(view, &figures, growth);
	}
	view_free(view);
}

static void print_heaps(struct target *target, const struct heaps *heaps, struct growth *growth,
			bool json)
{
	if (json) {
		printf("{\n  \"pid\": %d,\n  \"command\": ", (int)target->pid);
		json_string(target->name);
		printf(",\n  \"core\": ");
		if (target->core)
			json_string(target->label);
		else
			printf("null");
		printf(",\n  \"heaps\": [");
	}
	for (unsigned int i = 0; i < heaps->nr; i++)
		print_heap(target, &heaps->heap[i], growth ? &growth[i] : NULL, json, i == 0);
	if (json)
		printf("\n  ]\n}\n");
}

static int look(struct target *target, const struct request *request)
{
	struct growth growth[MAX_HEAPS] = { { 0 } };
	struct heaps heaps;
	int status = heaps_find(target, &heaps);

	if (!status && request->interval > 0)
		status = watch(target, &heaps, request->interval, growth);
	if (!status)
		print_heaps(target, &heaps, request->interval > 0 ? growth : NULL, request->json);
	for (unsigned int i = 0; i < MAX_HEAPS; i++)
		growth_end(&growth[i]);
	return status;
}

/* ---- arguments ---- */

static int take_interval(struct request *request, const char *text)
{
	char *end;

	request->interval = strtod(text, &end);
	if (*text >= '0' && *text <= '9' && !*end && request->interval >= MIN_INTERVAL &&
	    request->interval <= MAX_INTERVAL)
		return 0;
	say("info: --interval: %s is no number of seconds from %.1f to %.0f", text, MIN_INTERVAL,
	    MAX_INTERVAL);
	return EXIT_USAGE;
}

static int usage(void)
{
	say("usage: slabuddy info [--json] [--interval SECONDS] PID|CORE");
	return EXIT_USAGE;
}

/* Return: 0, or the exit status after a line. */
static int take_arguments(struct request *request, int argc, char **argv)
{
	int status;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--json")) {
			request->json = true;
		} else if (!strcmp(argv[i], "--interval")) {
			if (++i == argc)
				return usage();
			status = take_interval(request, argv[i]);
			if (status)
				return status;
		} else {
			say("info: unknown option %s", argv[i]);
			return EXIT_USAGE;
		}
	}
	if (argc - i != 1)
		return usage();
	request->target = argv[i];
	return 0;
}

int info_main(int argc, char **argv)
{
	struct request request = { 0 };
	struct target target;
	int status = take_arguments(&request, argc, argv);

	if (status)
		return status;
	status = target_open(&target, request.target);
	if (status)
		return status;
	if (target.core && request.interval > 0) {
		say("info: --interval is for processes: a core file does not change");
		status = EXIT_USAGE;
	} else {
		status = look(&target, &request);
	}
	target_close(&target);
	return status ? status : say_if_unwritten();
}
