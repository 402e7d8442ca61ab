/* SPDX-License-Identifier: MIT */
#include "model/world.h"

#include <pthread.h>
#include <string.h>

#include "base/bits.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "malloc/huge.h"
#include "malloc/info.h"
#include "malloc/large.h"

#define BLOCKS_PER_WORKER 3000
#define MAILBOX_BLOCKS 256

/* What one worker may hold, so that eight of them fit a small machine. */
#define WORKER_BYTES (SANITIZED ? MIB(16) : MIB(32))
/* One worker at a time has a block over half a section. */
#define HUGE_MAX (MAX_LARGE_BYTES + MIB(16))

struct worker {
	struct rng rng;
	size_t bytes; /* usable bytes of what is in the table, huge blocks apart */
	struct block blocks[BLOCKS_PER_WORKER];
};

static struct worker workers[MAX_WORKERS];
static unsigned int nr_workers;
static enum mix world_mix;

static pthread_mutex_t mailbox_lock = PTHREAD_MUTEX_INITIALIZER;
static struct block mailbox[MAILBOX_BLOCKS]; /* [mailbox_lock] */
static unsigned int nr_mail;		     /* [mailbox_lock] */

static bool is_huge(size_t bytes)
{
	return bytes > MAX_LARGE_BYTES;
}

/* An edge of a class, or a neighbour of it. */
static size_t class_size(struct rng *rng)
{
	size_t edge = tag_size[TAG_FIRST_CACHE + rng_below(rng, NR_SIZE_CLASSES)];

	return edge - 1 + rng_below(rng, 3);
}

static size_t small_size(struct rng *rng)
{
	return rng_below(rng, (size_t)2 << rng_below(rng, 9));
}

static size_t large_size(struct rng *rng)
{
	if (!rng_below(rng, 400))
		return MAX_LARGE_BYTES - PAGE_SIZE + rng_below(rng, HUGE_MAX - MAX_LARGE_BYTES);
	return MAX_SLAB_BYTES + rng_below(rng, KIB(64) << rng_below(rng, 6));
}

static size_t draw_size(struct rng *rng)
{
	size_t dice = rng_below(rng, 100);

	switch (world_mix) {
	case MIX_SMALL:
		return dice < 97 ? small_size(rng) : class_size(rng);
	case MIX_CLASSES:
		return class_size(rng);
	case MIX_LARGE:
		return large_size(rng);
	case MIX_ALL:
		break;
	}
	return dice < 60 ? small_size(rng) : dice < 95 ? class_size(rng) : large_size(rng);
}

static size_t draw_align(struct rng *rng)
{
	/* mostly those that are asked for in practice; now and then up to 4 MiB */
	return (size_t)16 << rng_below(rng, rng_below(rng, 50) ? 9 : 19);
}

static void count(struct worker *w, const struct block *block, size_t sign)
{
	if (!is_huge(block->usable))
		w->bytes += sign * block->usable;
}

static void give_birth(struct worker *w, struct block *block)
{
	size_t size = draw_size(&w->rng);
	size_t align = 16;

	if (w->bytes + size > WORKER_BYTES && !is_huge(size))
		size = small_size(&w->rng);
	switch (rng_below(&w->rng, 8)) {
	case 0:
	case 1:
		block_born(block, heap_calloc(1, size), size, align, true);
		break;
	case 2:
		align = draw_align(&w->rng);
		block_born(block, heap_aligned(align, size), size, align, false);
		break;
	default:
		block_born(block, heap_malloc(size), size, align, false);
		break;
	}
	count(w, block, 1);
}

static void resize(struct worker *w, struct block *block)
{
	size_t size = rng_below(&w->rng, 3) ? draw_size(&w->rng) :
					      block->size + rng_below(&w->rng, block->size + 64);

	if (w->bytes + size > WORKER_BYTES || is_huge(size))
		size = block->size / 2;
	/* a huge block grows and shrinks as one, at times */
	if (is_huge(block->usable) && rng_below(&w->rng, 2))
		size = MAX_LARGE_BYTES + 1 + rng_below(&w->rng, HUGE_MAX - MAX_LARGE_BYTES);
	count(w, block, (size_t)-1);
	block_realloc(block, size);
	if (block->ptr)
		count(w, block, 1);
}

static void hand_over(struct worker *w, struct block *block)
{
	pthread_mutex_lock(&mailbox_lock);
	if (nr_mail < MAILBOX_BLOCKS) {
		mailbox[nr_mail++] = *block;
		count(w, block, (size_t)-1);
		block->ptr = NULL;
	}
	pthread_mutex_unlock(&mailbox_lock);
}

static void receive(struct worker *w, struct block *block)
{
	pthread_mutex_lock(&mailbox_lock);
	if (nr_mail) {
		/* any of them, so that old ones leave too */
		struct block *mail = &mailbox[rng_below(&w->rng, nr_mail)];

		*block = *mail;
		*mail = mailbox[--nr_mail];
		count(w, block, 1);
	}
	pthread_mutex_unlock(&mailbox_lock);
}

static void let_go(struct worker *w, struct block *block)
{
	count(w, block, (size_t)-1);
	block_free(block);
}

static void step(struct worker *w)
{
	struct block *block = &w->blocks[rng_below(&w->rng, BLOCKS_PER_WORKER)];
	size_t dice = rng_below(&w->rng, 100);

	if (!block->ptr && dice < 20)
		receive(w, block);
	else if (!block->ptr)
		give_birth(w, block);
	else if (dice < 20)
		hand_over(w, block);
	else if (dice < 45 && !(is_huge(block->usable) && dice < 40))
		resize(w, block);
	else if (dice < 50)
		block_move(block);
	else
		let_go(w, block);
}

/* Many at once, in order or against it: sheaves run full and empty. */
static void burst(struct worker *w)
{
	size_t first = rng_below(&w->rng, BLOCKS_PER_WORKER);
	size_t nr = rng_below(&w->rng, 400);
	bool free_them = rng_below(&w->rng, 2);

	for (size_t i = 0; i < nr; i++) {
		struct block *block = &w->blocks[(first + i) % BLOCKS_PER_WORKER];

		if (block->ptr && free_them)
			let_go(w, block);
		else if (!block->ptr && !free_them)
			give_birth(w, block);
	}
}

void world_work(unsigned int worker, unsigned long steps)
{
	struct worker *w = &workers[worker];

	for (unsigned long i = 0; i < steps; i++) {
		step(w);
		if (!rng_below(&w->rng, 2000))
			burst(w);
	}
}

void world_start(unsigned int nr, enum mix mix, uint64_t seed)
{
	memset(workers, 0, sizeof(workers));
	nr_mail = 0;
	nr_workers = nr;
	world_mix = mix;
	for (unsigned int i = 0; i < nr; i++)
		workers[i].rng.state = seed + i * 0x5851f42d4c957f2du;
}

static int by_address(const void *a, const void *b)
{
	const struct block *x = *(const struct block *const *)a;
	const struct block *y = *(const struct block *const *)b;

	return x->ptr < y->ptr ? -1 : x->ptr > y->ptr;
}

/* All blocks that are live, sorted. Return: how many. */
static size_t collect(struct block **all)
{
	size_t nr = 0;

	for (unsigned int i = 0; i < nr_workers; i++) {
		for (unsigned int j = 0; j < BLOCKS_PER_WORKER; j++) {
			if (workers[i].blocks[j].ptr)
				all[nr++] = &workers[i].blocks[j];
		}
	}
	for (unsigned int i = 0; i < nr_mail; i++)
		all[nr++] = &mailbox[i];
	qsort(all, nr, sizeof(*all), by_address);
	return nr;
}

static void compare_figures(size_t blocks, size_t bytes)
{
	struct heap_figures f;
	size_t heap_bytes, heap_blocks;

	heap_figures(&f);
	heap_bytes = f.slab_live_bytes + f.large_bytes + f.huge_bytes;
	heap_blocks = f.slab_live_objects + f.large_blocks + f.huge_blocks;
	if (heap_bytes != bytes || heap_blocks != blocks)
		model_fail("%zu blocks of %zu bytes are live, the heap says %zu of %zu", blocks,
			   bytes, heap_blocks, heap_bytes);
}

void world_audit(void)
{
	static struct block *all[MAX_WORKERS * BLOCKS_PER_WORKER + MAILBOX_BLOCKS];
	size_t nr = collect(all);
	size_t bytes = 0;
	unsigned long faults;

	for (size_t i = 0; i < nr; i++) {
		block_check(all[i]);
		bytes += all[i]->usable;
		if (i && all[i - 1]->ptr + all[i - 1]->usable > all[i]->ptr)
			model_fail("%p of %zu bytes and %p overlap", (void *)all[i - 1]->ptr,
				   all[i - 1]->usable, (void *)all[i]->ptr);
	}
	faults = heap_validate(NULL);
	if (faults)
		model_fail("heap_validate() found %lu faults", faults);
	compare_figures(nr, bytes);
}

void world_end(void)
{
	for (unsigned int i = 0; i < nr_workers; i++) {
		for (unsigned int j = 0; j < BLOCKS_PER_WORKER; j++) {
			if (workers[i].blocks[j].ptr)
				block_free(&workers[i].blocks[j]);
		}
	}
	while (nr_mail)
		block_free(&mailbox[--nr_mail]);
	nr_workers = 0;
	world_audit();
	heap_trim();
	world_audit();
}
