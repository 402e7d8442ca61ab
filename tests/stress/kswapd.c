/* SPDX-License-Identifier: MIT */
/*
 * A program with the thread that gives back what lies idle. What it does is said by its argument; it prints "good"
 * when that went well.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR 64
#define BYTES (128 << 10)

static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long all, resident = 0;

	if (!file || fscanf(file, "%ld %ld", &all, &resident) != 2)
		perror("statm");
	if (file)
		fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static int count_files(void)
{
	DIR *files = opendir("/proc/self/fd");
	int nr = 0;

	while (readdir(files))
		nr++;
	closedir(files);
	return nr;
}

/* Whether there is a thread of that name; and how many threads in all. */
static int find_thread(int *nr)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	int found = 0;

	*nr = 0;
	while ((entry = readdir(tasks))) {
		char path[300], name[32] = "";
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		++*nr;
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (file && fgets(name, sizeof(name), file))
			found |= !strcmp(name, "slabuddy/kswapd\n");
		if (file)
			fclose(file);
	}
	closedir(tasks);
	return found;
}

/* 8 MiB, all in use at once and then free. Return: what was resident in between. */
static long use_memory(void)
{
	void *p[NR];
	long most;

	for (int i = 0; i < NR; i++) {
		p[i] = malloc(BYTES);
		memset(p[i], 1, BYTES);
	}
	most = resident_kib();
	for (int i = 0; i < NR; i++)
		free(p[i]);
	return most;
}

/* Everything goes back without a call, and the program's files are its own. */
static void idle(void)
{
	int files = count_files(), nr;
	long most = use_memory();

	while (resident_kib() > most - 7 * 1024)
		usleep(10000);
	if (!find_thread(&nr) || nr != 2)
		printf("%d threads\n", nr);
	else if (count_files() != files)
		printf("%d files, not %d\n", count_files(), files);
	else
		puts("good");
}

static void off(void)
{
	int nr;

	use_memory();
	usleep(300000);
	puts(find_thread(&nr) || nr != 1 ? "there is a thread" : "good");
}

static void *print_later(void *arg)
{
	usleep(200000);
	puts("good");
	return arg;
}

/* The process ends with the last thread of its own. */
static void thread_exit(void)
{
	pthread_t thread;

	use_memory();
	pthread_create(&thread, NULL, print_later, NULL);
	pthread_exit(NULL);
}

static void alone_exit(void)
{
	use_memory();
	puts("good");
	pthread_exit(NULL);
}

static void at_once(void)
{
	use_memory();
	puts("good");
	fflush(stdout);
	_exit(0);
}

/* What comes after the program's own destructors finds the heap alive. */
static void late(void)
{
	use_memory();
	puts("good");
}

static void exec(const char *self)
{
	use_memory();
	execl(self, self, "idle", NULL);
	perror("execl");
}

static void children(void)
{
	for (int i = 0; i < 3; i++) {
		pid_t pid;
		int status;

		use_memory();
		pid = fork();
		if (!pid) {
			long most = use_memory();

			while (resident_kib() > most - 7 * 1024)
				usleep(10000);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status) {
			printf("child: %x\n", (unsigned int)status);
			return;
		}
	}
	puts("good");
}

/* The child of a vfork() has our memory and is gone soon: a thread of its own would go with it. */
static void vforks(void)
{
	pid_t pid = vfork();
	long most;
	int nr;

	if (!pid) {
		use_memory();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	most = use_memory();
	while (resident_kib() > most - 7 * 1024)
		usleep(10000);
	puts(find_thread(&nr) && nr == 2 ? "good" : "the thread is not where it should be");
}

/* A daemon closes all its files, and takes the numbers for others. */
static void closes_all(void)
{
	int out = fcntl(1, F_DUPFD, 100), fd;
	long most;
	FILE *file;

	use_memory();
	usleep(20000);
	for (fd = 0; fd < 100; fd++)
		close(fd);
	for (fd = 0; fd < 20; fd++)
		open("/dev/null", O_RDWR);
	most = use_memory();
	while (resident_kib() > most - 7 * 1024)
		usleep(10000);
	file = fdopen(out, "w");
	fputs("good\n", file);
	fclose(file);
}

/* Whoever reads our output sees its end when the program has closed it, thread or not. */
static void closes_output(void)
{
	use_memory();
	usleep(50000);
	puts("good");
	fclose(stdout);
	close(2);
	sleep(300);
}

/* The thread finds that an object was freed twice, and says so. */
static void *free_twice(void *arg)
{
	enum { NR_SMALL = 8 };
	void **p[NR_SMALL];

	for (int i = 0; i < NR_SMALL; i++)
		p[i] = malloc(200);
	for (int i = 0; i < NR_SMALL; i++)
		free(p[i]);
	/* the mark of a free object goes, so that only its slab can tell */
	memset(p[3], 0, 200);
	free(p[3]);
	return arg;
}

static void twice(void)
{
	pthread_t thread;

	/* this thread has a slot of its own, and the other one's is nobody's then */
	use_memory();
	pthread_create(&thread, NULL, free_twice, NULL);
	pthread_join(thread, NULL);
	use_memory();
	sleep(300);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "idle"))
		idle();
	else if (!strcmp(what, "off"))
		off();
	else if (!strcmp(what, "thread_exit"))
		thread_exit();
	else if (!strcmp(what, "alone_exit"))
		alone_exit();
	else if (!strcmp(what, "at_once"))
		at_once();
	else if (!strcmp(what, "late"))
		late();
	else if (!strcmp(what, "exec"))
		exec(argv[0]);
	else if (!strcmp(what, "children"))
		children();
	else if (!strcmp(what, "vforks"))
		vforks();
	else if (!strcmp(what, "closes_all"))
		closes_all();
	else if (!strcmp(what, "closes_output"))
		closes_output();
	else if (!strcmp(what, "twice"))
		twice();
	return 0;
}
