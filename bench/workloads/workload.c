/* SPDX-License-Identifier: MIT */
/* Runs one workload: arguments, threads, and the line at the end. workload.h says what one is. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "workload.h"

extern const struct workload *const __start_bench_workloads[];
extern const struct workload *const __stop_bench_workloads[];

enum { MAX_SEED = 1000000000, MAX_PERCENT = 100000 }; /* arbitrary */

/* [const after main has read its arguments] */
struct worker *workers;
unsigned int nr_threads;
static const struct workload *workload;
static size_t seed = 1, percent = 100;

static pthread_barrier_t meeting;
/* [const while workers run] */
static void (*their_work)(struct worker *self);

_Noreturn void workload_fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", workload->name, what);
	/* other threads still run, and must not see the end of the program */
	_exit(1);
}

/* A mistake in the arguments. */
static _Noreturn __attribute__((format(printf, 1, 2))) void refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("workload: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

static _Noreturn void usage(void)
{
	fputs("usage: workload --list | NAME [-t THREADS] [-s SEED] [-n PERCENT] [KEY=VALUE...]\n",
	      stderr);
	exit(2);
}

size_t workload_scaled(size_t amount)
{
	size_t scaled = amount * percent / 100;

	return scaled ? scaled : 1;
}

size_t workload_share(size_t amount)
{
	size_t share = workload_scaled(amount) / nr_threads;

	return share ? share : 1;
}

void *workload_alloc(size_t size)
{
	void *memory = malloc(size);

	if (!memory)
		workload_fail("malloc gives nothing");
	return memory;
}

void workers_meet(void)
{
	int error = pthread_barrier_wait(&meeting);

	if (error && error != PTHREAD_BARRIER_SERIAL_THREAD)
		workload_fail("pthread_barrier_wait");
}

static void *worker_main(void *arg)
{
	their_work(arg);
	return NULL;
}

void workers_run(void (*work)(struct worker *self))
{
	pthread_t threads[WORKLOAD_MAX_THREADS];

	their_work = work;
	for (unsigned int i = 0; i < nr_threads; i++)
		if (pthread_create(&threads[i], NULL, worker_main, &workers[i]))
			workload_fail("pthread_create");
	for (unsigned int i = 0; i < nr_threads; i++)
		if (pthread_join(threads[i], NULL))
			workload_fail("pthread_join");
}

static void run_workload(struct worker *self)
{
	if (workload->run)
		workload->run(self);
	else if (workload->alone && nr_threads == 1)
		workload->work(self);
	else
		workers_run(workload->work);
}

static void list(void)
{
	for (const struct workload *const *w = __start_bench_workloads; w < __stop_bench_workloads;
	     w++) {
		printf("%-14s -t %-4u %s\n", (*w)->name, (*w)->threads, (*w)->about);
		for (const struct workload_value *v = (*w)->values; v && v->name; v++)
			printf("\t%s=%zu\t%s\n", v->name, *v->value, v->about);
	}
}

/* A decimal number, K or M behind it for 2^10 or 2^20 times as much. */
static size_t number(const char *what, const char *text, size_t min, size_t max)
{
	unsigned long long value, unit = 1;
	char *end;

	errno = 0;
	value = strtoull(text ? text : "", &end, 10);
	if (text && *end == 'K')
		unit = 1 << 10;
	else if (text && *end == 'M')
		unit = 1 << 20;
	if (unit > 1)
		end++;
	if (!text || *text < '0' || *text > '9' || *end || errno || value > max / unit ||
	    value * unit < min)
		refuse("%s: %s is no number from %zu to %zu", what, text ? text : "nothing", min,
		       max);
	return value * unit;
}

static void take_value(const char *text)
{
	const char *equals = strchr(text, '=');

	if (!equals)
		usage();
	for (const struct workload_value *v = workload->values; v && v->name; v++) {
		if (strlen(v->name) != (size_t)(equals - text) ||
		    strncmp(v->name, text, strlen(v->name)))
			continue;
		*v->value = number(v->name, equals + 1, v->min, v->max);
		return;
	}
	refuse("%s has no %.*s", workload->name, (int)(equals - text), text);
}

static void take_arguments(char **argv)
{
	unsigned int multiple;
	size_t max_threads;

	for (const struct workload *const *w = __start_bench_workloads; w < __stop_bench_workloads;
	     w++)
		if (!strcmp((*w)->name, argv[1]))
			workload = *w;
	if (!workload && argv[1][0] == '-')
		usage();
	if (!workload)
		refuse("there is no %s; --list says what there is", argv[1]);
	multiple = workload->multiple ? workload->multiple : 1;
	max_threads = workload->max_threads ? workload->max_threads : WORKLOAD_MAX_THREADS;
	nr_threads = workload->threads;
	for (char **arg = argv + 2; *arg; arg++) {
		if (!strcmp(*arg, "-t"))
			nr_threads = (unsigned int)number("-t", *++arg, multiple, max_threads);
		else if (!strcmp(*arg, "-s"))
			seed = number("-s", *++arg, 0, MAX_SEED);
		else if (!strcmp(*arg, "-n"))
			percent = number("-n", *++arg, 1, MAX_PERCENT);
		else
			take_value(*arg);
	}
	if (nr_threads % multiple)
		refuse("-t: %u is not a multiple of %u, as %s wants", nr_threads, multiple,
		       workload->name);
	for (const struct workload_value *v = workload->values; v && v->name; v++)
		if (!strcmp(v->name, "min") && v[1].name && !strcmp(v[1].name, "max") &&
		    *v[0].value > *v[1].value)
			refuse("max=%zu is below min=%zu", *v[1].value, *v[0].value);
}

/* splitmix64's mixing, Steele 2014: the streams of two indexes or seeds have nothing in common. */
static void init_worker(struct worker *worker, unsigned int index)
{
	uint64_t x = (seed << 16) + index + 1;

	x *= 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	x ^= x >> 31;
	*worker = (struct worker){ .random = x ? x : 1, .index = index };
}

int main(int argc, char **argv)
{
	/* the main thread's comes after those of the threads */
	struct worker *self, *total;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		list();
		return 0;
	}
	if (argc < 2)
		usage();
	take_arguments(argv);

	workers = aligned_alloc(_Alignof(struct worker), (nr_threads + 1) * sizeof(*workers));
	if (!workers)
		workload_fail("malloc gives nothing");
	for (unsigned int i = 0; i <= nr_threads; i++)
		init_worker(&workers[i], i);
	self = total = &workers[nr_threads];
	if (pthread_barrier_init(&meeting, NULL, nr_threads))
		workload_fail("pthread_barrier_init");

	run_workload(self);

	for (unsigned int i = 0; i < nr_threads; i++) {
		total->nr_new += workers[i].nr_new;
		total->nr_dropped += workers[i].nr_dropped;
		total->checksum += workers[i].checksum;
	}
	if (total->nr_new != total->nr_dropped)
		workload_fail("some blocks were not freed");
	printf("%s: %llu operations, checksum %016llx\n", workload->name,
	       (unsigned long long)total->nr_dropped, (unsigned long long)total->checksum);
	pthread_barrier_destroy(&meeting);
	free(workers);
	return fflush(stdout) ? 1 : 0;
}
