/* SPDX-License-Identifier: MIT */
/*
 * A program whose heap is known: it takes what its argument says, says "ready" and waits for the
 *end of its input.
 *
 *	holder amounts DIR	objects, large blocks and a huge one; DIR gets its own reports
 *	holder use|retain|fragment	a heap of that kind
 *	holder hollow		slabs in use at their ends
 *	holder churn		threads that go on and on
 *	holder grow		a thread that leaks 500 bytes at a time, 2 MB a second at most
 *	holder rest		one that takes 60 blocks of these and frees them, again and again
 *	holder nothing
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NR_OBJECTS 50000
#define NR_LARGE   10
#define LARGE	   ((size_t)1 << 20)
#define HUGE_BLOCK ((size_t)64 << 20)

static void *objects[1 << 20];
static void *kept[NR_LARGE + 2];

static void *take(size_t size, size_t written)
{
	void *block = malloc(size);

	if (!block)
		exit(99);
	memset(block, 1, written);
	return block;
}

static void take_objects(int nr, size_t size)
{
	for (int i = 0; i < nr; i++)
		objects[i] = take(size, size);
}

/* Of each @of objects one stays: the one with this number. */
static void free_all_but(int number, int nr, int of)
{
	for (int i = 0; i < nr; i++) {
		if (i % of != number)
			free(objects[i]);
	}
}

static void take_amounts(void)
{
	take_objects(NR_OBJECTS, 100);
	free_all_but(0, NR_OBJECTS, 2);
	for (int i = 1; i <= NR_LARGE; i++)
		kept[i] = take(LARGE, LARGE / 2);
	kept[NR_LARGE + 1] = take(HUGE_BLOCK, HUGE_BLOCK / 4);
}

/* What the library itself says of this heap. */
static void write_reports(const char *dir)
{
	static const char *const names[] = { "slabinfo", "buddyinfo", "pagetypeinfo",
					     "extfrag_index", "unusable_index" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char function[64], path[4096];
		int (*report)(int fd);
		int fd;

		snprintf(function, sizeof(function), "slabuddy_%s_fd", names[i]);
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		report = (int (*)(int))dlsym(RTLD_DEFAULT, function);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (!report || fd < 0 || report(fd))
			exit(99);
		close(fd);
	}
}

static void *churn(void *number)
{
	unsigned int seed = (unsigned int)(size_t)number;
	void *blocks[1000] = { NULL };

	for (;;) {
		int i = rand_r(&seed) % 1000;
		int kind = rand_r(&seed) % 1000;

		free(blocks[i]);
		blocks[i] = malloc(kind ? (size_t)(rand_r(&seed) % 50000) : HUGE_BLOCK);
	}
	return NULL;
}

static void start_churn(void)
{
	for (size_t i = 0; i < 2; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, churn, (void *)i))
			exit(99);
	}
}

static void nap(long ns)
{
	const struct timespec time = { .tv_nsec = ns };

	nanosleep(&time, NULL);
}

static void *grow(void *unused)
{
	(void)unused;
	for (;;) {
		for (int i = 0; i < 20; i++)
			kept[0] = take(500, 500);
		nap(5000000);
	}
	return NULL;
}

static void *rest(void *unused)
{
	void *blocks[60];

	(void)unused;
	for (;;) {
		for (size_t i = 0; i < 60; i++)
			blocks[i] = take(500, 500);
		nap(5000000);
		for (size_t i = 0; i < 60; i++)
			free(blocks[i]);
		nap(5000000);
	}
	return NULL;
}

static void start(void *(*work)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, work, NULL))
		exit(99);
}

static void take_what(const char *what)
{
	if (!strcmp(what, "amounts"))
		take_amounts();
	if (!strcmp(what, "use"))
		take_objects(100000, 500);
	if (!strcmp(what, "retain")) {
		take_objects(100, LARGE);
		free_all_but(0, 100, 100);
	}
	if (!strcmp(what, "fragment")) {
		take_objects(200000, 500);
		free_all_but(0, 200000, 16);
	}
	if (!strcmp(what, "hollow")) {
		take_objects(200000, 500);
		free_all_but(12, 200000, 16);
	}
	if (!strcmp(what, "churn"))
		start_churn();
	if (!strcmp(what, "grow"))
		start(grow);
	if (!strcmp(what, "rest"))
		start(rest);
}

int main(int argc, char **argv)
{
	char byte;

	/* a test that fails must end */
	alarm(120);
	kept[0] = take(40, 40);
	take_what(argc > 1 ? argv[1] : "");
	if (argc > 2)
		write_reports(argv[2]);
	if (write(1, "ready\n", 6) != 6)
		return 99;
	while (read(0, &byte, 1) > 0)
		;
	_exit(0);
}
