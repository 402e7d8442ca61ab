/* SPDX-License-Identifier: MIT */
/*
 * Many threads, which each allocate and free a moderate amount. Our own: what a thread costs an
 * allocator at its beginning and end, and what it keeps for threads that do nothing.
 *
 * threads-brief: they come one after the other, or -t at a time, and end.
 *
 * threads-idle: all are there at once, and when one is done it sleeps until all are.
 */
#include "workload.h"

static size_t generations = 3000, brief_bytes = 256 << 10;
static size_t idle_turns = 8, idle_bytes = 2 << 20;
static size_t min_bytes = 16, max_bytes = 1000;

/* Blocks of so many bytes altogether, all there at once, and freed. */
static void use(struct worker *self, size_t bytes)
{
	size_t nr = 0, room = bytes / min_bytes + 1;
	void **blocks = workload_alloc(room * sizeof(*blocks));

	while (bytes >= max_bytes) {
		size_t size = pick_between(&self->random, min_bytes, max_bytes);

		blocks[nr++] = block_new(self, size);
		bytes -= size;
	}
	for (size_t i = 0; i < nr; i++)
		block_drop(self, blocks[i]);
	free(blocks);
}

static void work_brief(struct worker *self)
{
	use(self, brief_bytes);
}

static void run_brief(struct worker *self)
{
	size_t nr = workload_share(generations);

	(void)self;
	for (size_t i = 0; i < nr; i++)
		workers_run(work_brief);
}

static void work_idle(struct worker *self)
{
	size_t nr = workload_scaled(idle_turns);

	for (size_t i = 0; i < nr; i++)
		use(self, idle_bytes);
	workers_meet();
}

static const struct workload_value brief_values[] = {
	{ "threads", &generations, 1, 10000000, "altogether" },
	{ "bytes", &brief_bytes, 1, 1 << 30, "that each has at once" },
	{ "min", &min_bytes, BLOCK_MIN, 1 << 20, "bytes of a block" },
	{ "max", &max_bytes, BLOCK_MIN, 1 << 20, "bytes of a block" },
	{ 0 },
};

static const struct workload_value idle_values[] = {
	{ "turns", &idle_turns, 1, 1000000, "of each thread" },
	{ "bytes", &idle_bytes, 1, 1 << 30, "that each has at once" },
	{ "min", &min_bytes, BLOCK_MIN, 1 << 20, "bytes of a block" },
	{ "max", &max_bytes, BLOCK_MIN, 1 << 20, "bytes of a block" },
	{ 0 },
};

static const struct workload brief = {
	.name = "threads-brief",
	.about = "threads that come, allocate, free and end",
	.threads = 1,
	.values = brief_values,
	.run = run_brief,
};
WORKLOAD(brief);

static const struct workload idle = {
	.name = "threads-idle",
	.about = "threads that allocate, free, and then sleep until all are done",
	.threads = 200,
	.values = idle_values,
	.work = work_idle,
};
WORKLOAD(idle);
