/* SPDX-License-Identifier: MIT */
/*
 * The promise: what a process keeps when its load has stopped, without another call and without a thread, is at
 * most 1.2 times what is live, and 16 MiB. Held after each of the loads named on the command line, one after the
 * other in this process:
 *
 *	settled SEED LOAD...
 *
 * The loads free whole pages: what small objects here and there pin is no matter of giving back. The first free that
 * could break the promise keeps it, so there is nothing to wait for.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

#define MOST_KEPT MIB(16)

/* all arbitrary: enough to be far above what is kept in any case, little enough for a small machine */
#define LOAD_BYTES MIB(192)
#define MODEST_BYTES MIB(24)
#define MAX_BLOCKS (1UL << 20)
#define NR_THREADS 64
#define NR_PHASES  12
#define NR_STEPS   20000

struct block {
	void *ptr;
	size_t bytes;
};

static struct block blocks[MAX_BLOCKS];
static size_t nr_blocks;
static size_t live;
static uint64_t seed;

static size_t random_below(uint64_t *state, size_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (size_t)(*state % n);
}

/* Sizes whose logarithm is evenly spread. */
static size_t random_size(uint64_t *state, size_t least, unsigned int doublings)
{
	size_t base = least << random_below(state, doublings);

	return base + random_below(state, base);
}

static void *touched(size_t bytes)
{
	void *ptr = malloc(bytes);

	if (!ptr) {
		perror("malloc");
		exit(1);
	}
	memset(ptr, 0x5a, bytes);
	return ptr;
}

static void add_block(size_t bytes)
{
	blocks[nr_blocks++] = (struct block){ touched(bytes), bytes };
	live += bytes;
}

/* The last block takes the place of the one that goes. */
static void free_block(size_t i)
{
	free(blocks[i].ptr);
	live -= blocks[i].bytes;
	blocks[i] = blocks[--nr_blocks];
}

static void free_all(void)
{
	while (nr_blocks)
		free_block(random_below(&seed, nr_blocks));
}

static void fill(size_t least, unsigned int doublings)
{
	while (live < LOAD_BYTES && nr_blocks < MAX_BLOCKS)
		add_block(random_size(&seed, least, doublings));
}

static void grow_and_free_all(void)
{
	fill(KIB(4), 8);
	free_all();
}

/* What stays is live until the next load. */
static void free_nine_of_ten(void)
{
	size_t left;

	fill(KIB(4), 8);
	left = nr_blocks / 10;
	while (nr_blocks > left)
		free_block(random_below(&seed, nr_blocks));
}

static void small_objects(void)
{
	fill(16, 7);
	free_all();
}

/* All sizes at once, and never much: use does not fall far. */
static void modest(void)
{
	while (live < MODEST_BYTES)
		add_block(random_size(&seed, 16, 16));
	free_all();
}

/* Each phase has another size class, and leaves nothing. */
static void phases(void)
{
	for (int phase = 0; phase < NR_PHASES; phase++) {
		fill((size_t)16 << phase, 1);
		free_all();
	}
}

/* Replaced at random for a while, then freed down to a quarter: pieces of all sizes next to one another. */
static void churn(void)
{
	size_t left;

	fill(KIB(4), 8);
	for (int step = 0; step < NR_STEPS; step++) {
		free_block(random_below(&seed, nr_blocks));
		while (live < LOAD_BYTES)
			add_block(random_size(&seed, KIB(4), 8));
	}
	left = nr_blocks / 4;
	while (nr_blocks > left)
		free_block(random_below(&seed, nr_blocks));
}

/* Blocks that outgrow one kind of memory after the other, and shrink again. */
static void resize(void)
{
	for (int i = 0; i < 64; i++)
		add_block(KIB(1));
	for (size_t bytes = KIB(2); bytes <= MIB(2); bytes *= 2) {
		for (size_t i = 0; i < nr_blocks; i++) {
			void *ptr = realloc(blocks[i].ptr, bytes);

			if (!ptr) {
				perror("realloc");
				exit(1);
			}
			memset(ptr, 0x5a, bytes);
			blocks[i].ptr = ptr;
		}
	}
	for (size_t i = 0; i < nr_blocks; i++) {
		void *ptr = realloc(blocks[i].ptr, KIB(4));

		if (ptr)
			blocks[i].ptr = ptr;
		live += KIB(4) - blocks[i].bytes;
		blocks[i].bytes = KIB(4);
	}
}

/* Threads that are there, with their stacks, before anything is measured. */
static struct thread {
	pthread_t id;
	uint64_t seed;
	void *mine[512];
	size_t nr;
} threads[NR_THREADS];
static int nr_threads;
static sem_t are_there, may_begin, are_done, may_end;

/* 4 MiB of all sizes. */
static void fill_thread(struct thread *self)
{
	for (size_t bytes = 0, sum = 0; sum < MIB(4) && self->nr < 512; sum += bytes) {
		bytes = random_size(&self->seed, 64, 12);
		self->mine[self->nr++] = touched(bytes);
	}
}

static void empty_thread(struct thread *self)
{
	while (self->nr)
		free(self->mine[--self->nr]);
}

static void use_stack(void)
{
	char stack[KIB(64)];

	memset(stack, 0x5a, sizeof(stack));
	__asm__ volatile("" : : "r"(stack) : "memory");
}

static void *sleep_after(void (*work)(struct thread *self), struct thread *self)
{
	use_stack();
	sem_post(&are_there);
	sem_wait(&may_begin);
	work(self);
	sem_post(&are_done);
	sem_wait(&may_end);
	return NULL;
}

static void fill_and_empty(struct thread *self)
{
	fill_thread(self);
	empty_thread(self);
}

static void *sleeper(void *arg)
{
	return sleep_after(fill_and_empty, arg);
}

static void *owner(void *arg)
{
	return sleep_after(fill_thread, arg);
}

static void start_threads(void *(*run)(void *arg))
{
	while (nr_threads < NR_THREADS) {
		struct thread *thread = &threads[nr_threads];

		thread->seed = random_below(&seed, 1UL << 30) | 1;
		if (pthread_create(&thread->id, NULL, run, thread))
			break;
		nr_threads++;
	}
	for (int i = 0; i < nr_threads; i++)
		sem_wait(&are_there);
}

static void end_threads(void)
{
	for (int i = 0; i < nr_threads; i++)
		sem_post(&may_end);
	while (nr_threads)
		pthread_join(threads[--nr_threads].id, NULL);
}

static void start_sleepers(void)
{
	start_threads(sleeper);
}

static void start_owners(void)
{
	start_threads(owner);
}

static void run_threads(void)
{
	for (int i = 0; i < nr_threads; i++)
		sem_post(&may_begin);
	for (int i = 0; i < nr_threads; i++)
		sem_wait(&are_done);
}

/* Who has allocated sleeps while another thread frees. */
static void free_for_owners(void)
{
	run_threads();
	for (int i = 0; i < nr_threads; i++)
		empty_thread(&threads[i]);
}

/* From smaps_rollup: the counters behind statm are off by some pages for each processor. */
static size_t resident_bytes(void)
{
	char text[4096];
	int fd = open("/proc/self/smaps_rollup", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *rss;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	rss = strstr(text, "Rss:");
	if (!rss) {
		puts("no /proc/self/smaps_rollup");
		exit(77);
	}
	return KIB(strtoul(rss + 4, NULL, 10));
}

static const struct load {
	const char *name;
	void (*run)(void);
	void (*start)(void); /* threads, whose stacks do not count; NULL: there are none */
} loads[] = {
	{ .name = "grow", .run = grow_and_free_all },
	{ .name = "nine-of-ten", .run = free_nine_of_ten },
	{ .name = "small", .run = small_objects },
	{ .name = "modest", .run = modest },
	{ .name = "phases", .run = phases },
	{ .name = "churn", .run = churn },
	{ .name = "resize", .run = resize },
	{ .name = "sleepers", .run = run_threads, .start = start_sleepers },
	{ .name = "owners", .run = free_for_owners, .start = start_owners },
};

static const struct load *find_load(const char *name)
{
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		if (!strcmp(loads[i].name, name))
			return &loads[i];
	}
	printf("no load is called %s\n", name);
	exit(1);
}

/* Return: whether the promise was kept. */
static int run(const struct load *load, size_t at_start)
{
	size_t kept, most, stacks = 0;

	free_all();
	if (load->start) {
		stacks = resident_bytes();
		load->start();
		stacks = resident_bytes() - stacks;
	}
	load->run();
	kept = resident_bytes() - stacks;
	kept -= kept < at_start ? kept : at_start;
	most = live + live / 5 + MOST_KEPT;
	if (kept > most || getenv("SETTLED_TELL"))
		printf("%s: %zu KiB live, %zu KiB kept, at most %zu\n", load->name, live >> 10,
		       kept >> 10, most >> 10);
	end_threads();
	return kept <= most;
}

int main(int argc, char **argv)
{
	size_t at_start;
	int kept = 1;

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) | 1 : 1;
	/* the test's own memory is there from the start */
	memset(blocks, 1, sizeof(blocks));
	memset(threads, 0, sizeof(threads));
	sem_init(&are_there, 0, 0);
	sem_init(&may_begin, 0, 0);
	sem_init(&are_done, 0, 0);
	sem_init(&may_end, 0, 0);
	at_start = resident_bytes();
	for (int i = 2; i < argc; i++)
		kept &= run(find_load(argv[i]), at_start);
	if (kept)
		puts("good");
	return !kept;
}
