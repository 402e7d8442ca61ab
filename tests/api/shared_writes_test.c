/* SPDX-License-Identifier: MIT */
/*
 * Threads that go on as before write nothing that another one reads: no line of memory goes to and fro. All of
 * the allocator's memory, but what is the two threads' own, is compared before and after. That does not show
 * what is added and taken off again, so variables and sections cannot be written at all meanwhile.
 */
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <slabuddy/gfp.h>
#include <slabuddy/slab.h>

#include "../own_slot.h"
#include "../testing.h"
#include "base/option.h"
#include "malloc/heap.h"
#include "os/mem.h"
#include "page/section.h"

/* ---- All memory of the allocator's ---- */

struct area {
	char *start;
	size_t bytes;
	char *copy;
	bool whole; /* nothing in it is a thread's own */
};

#define MAX_AREAS 1024
static struct area *areas; /* not in the program's data, which is an area itself */
static unsigned int nr_areas;

static void *map(size_t bytes)
{
	void *fresh = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(fresh, MAP_FAILED);
	return fresh;
}

static void add_area(void *start, size_t bytes, bool whole)
{
	if (!areas)
		areas = map(MAX_AREAS * sizeof(*areas));
	ck_assert_uint_lt(nr_areas, MAX_AREAS);
	areas[nr_areas++] = (struct area){ start, bytes, NULL, whole };
}

/* Metadata: what slots, caches, sheaves and the like are cut out of. */
void *__real_os_map(size_t bytes, size_t align);
void *__wrap_os_map(size_t bytes, size_t align);

void *__wrap_os_map(size_t bytes, size_t align)
{
	void *start = __real_os_map(bytes, align);

	if (start)
		add_area(start, bytes, false);
	return start;
}

/* The variables of the allocator, which is linked into this program. */
static int add_data(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type == PT_LOAD && (part->p_flags & PF_W))
			add_area((char *)info->dlpi_addr + part->p_vaddr, part->p_memsz,
				 true);
	}
	return 1; /* no more than the first object, which is the program */
}

static void add_sections(void)
{
	for (struct section *section = section_next(NULL); section; section = section_next(section))
		add_area(section, sizeof(*section), true);
}

static void copy_all(void)
{
	for (unsigned int i = 0; i < nr_areas; i++) {
		areas[i].copy = areas[i].copy ? areas[i].copy : map(areas[i].bytes);
		memcpy(areas[i].copy, areas[i].start, areas[i].bytes);
	}
}

/* Who writes there from now on is killed. */
static void protect(int protection)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (unsigned int i = 0; i < nr_areas; i++) {
		uintptr_t start = ALIGN_UP((uintptr_t)areas[i].start, page);
		uintptr_t end = ALIGN_DOWN((uintptr_t)areas[i].start + areas[i].bytes, page);

		if (areas[i].whole && mprotect((void *)start, end - start, protection))
			abort();
	}
}

/* What lies there may have changed. */
static void forgive(const void *start, size_t bytes)
{
	for (unsigned int i = 0; start && i < nr_areas; i++) {
		size_t offset = (size_t)((const char *)start - areas[i].start);

		if (offset < areas[i].bytes)
			memcpy(areas[i].copy + offset, start, bytes);
	}
}

static void forgive_slot(const struct slot *slot)
{
	forgive(slot, sizeof(*slot));
	forgive(slot->page_sheaves, sizeof(*slot->page_sheaves));
	for (unsigned int tag = 0; tag < NR_CLASS_TAGS; tag++) {
		if (slot->sheaves[tag].main)
			forgive(slot->sheaves[tag].main, slot->sheaves[tag].main->bytes);
	}
	for (unsigned int group = 0; group < NR_GROUPS; group++) {
		if (!slot->group[group])
			continue;
		forgive(slot->group[group], sizeof(*slot->group[group]));
		for (unsigned int i = 0; i < CACHES_PER_GROUP; i++) {
			const struct sheaf *main = slot->group[group]->sheaves[i].main;

			if (main)
				forgive(main, main->bytes);
		}
	}
}

static unsigned int count_changes(void)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < nr_areas; i++) {
		for (size_t at = 0; at + 8 <= areas[i].bytes; at += 8) {
			if (memcmp(areas[i].copy + at, areas[i].start + at, 8) && nr++ < 20)
				fprintf(stderr, "written: %p, %zu bytes into an area of %zu\n",
					(void *)(areas[i].start + at), at, areas[i].bytes);
		}
	}
	return nr;
}

/* ---- Threads that go on as before ---- */

#define NR_WORKERS 2
#define ROUNDS 200000
#define BATCH 16

struct work {
	void (*turn)(struct work *work);
	bool unprotected;
	struct kmem_cache *cache;
	struct slot *slot[NR_WORKERS];
	unsigned int nr_workers; /* [atomic] that have begun */
	pthread_barrier_t barrier;
};

static void objects(struct work *work)
{
	static const size_t sizes[] = { 1, 16, 40, 64, 200, 512, 1024, 3000, 8192 };
	void *batch[BATCH];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		heap_free(heap_malloc(sizes[i]));
	kmem_cache_free(work->cache, kmem_cache_alloc(work->cache, GFP_KERNEL));
	for (int i = 0; i < BATCH; i++)
		batch[i] = heap_malloc(64);
	for (int i = 0; i < BATCH; i++)
		heap_free(batch[i]);
}

/* Each writes the struct page of its block, which nobody else looks at. */
static void pages(struct work *work)
{
	(void)work;
	heap_free(heap_malloc(KIB(64)));
	heap_free(heap_malloc(KIB(200)));
	free_page(__get_free_page(GFP_KERNEL));
	free_pages(__get_free_pages(GFP_KERNEL, 2), 2);
}

static void *go_on(void *arg)
{
	struct work *work = arg;
	unsigned int number = __atomic_fetch_add(&work->nr_workers, 1, __ATOMIC_RELAXED);

	take_own_slot();
	work->slot[number] = this_slot;
	for (int i = 0; i < ROUNDS; i++)
		work->turn(work);
	pthread_barrier_wait(&work->barrier); /* as always */
	pthread_barrier_wait(&work->barrier); /* copied */
	for (int i = 0; i < ROUNDS; i++)
		work->turn(work);
	pthread_barrier_wait(&work->barrier); /* done */
	pthread_barrier_wait(&work->barrier); /* compared */
	return NULL;
}

/* @work: on the stack, which is no area. Return: how many words were written that should not be. */
static unsigned int changes(struct work *work)
{
	pthread_t threads[NR_WORKERS];
	unsigned int nr;

	take_own_slot();
	work->cache = kmem_cache_create("inode", 300, NULL, SLAB_NO_MERGE);
	ck_assert_int_eq(pthread_barrier_init(&work->barrier, NULL, NR_WORKERS + 1), 0);
	for (int i = 0; i < NR_WORKERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, go_on, work), 0);
	pthread_barrier_wait(&work->barrier);
	dl_iterate_phdr(add_data, NULL);
	if (work->turn != pages)
		add_sections();
	/* twice, since the first time changes the areas' own words, and calls what was never called before */
	copy_all();
	protect(PROT_READ | PROT_WRITE);
	copy_all();
	if (!work->unprotected)
		protect(PROT_READ);
	pthread_barrier_wait(&work->barrier);
	pthread_barrier_wait(&work->barrier);
	if (!work->unprotected)
		protect(PROT_READ | PROT_WRITE);
	for (int i = 0; i < NR_WORKERS; i++)
		forgive_slot(work->slot[i]);
	nr = count_changes();
	pthread_barrier_wait(&work->barrier);
	for (int i = 0; i < NR_WORKERS; i++)
		pthread_join(threads[i], NULL);
	return nr;
}

START_TEST(objects_write_nothing_shared)
{
	struct work work = { .turn = objects };

	ck_assert_uint_eq(changes(&work), 0);
}
END_TEST

START_TEST(pages_write_nothing_shared)
{
	struct work work = { .turn = pages };

	ck_assert_uint_eq(changes(&work), 0);
}
END_TEST

/* ---- Threads of which none goes on as before ---- */

/* What each fast or slow path reads. The tables of sizes are constant. */
static const void *const read_by_all[] = {
	&lock_world_frozen,
	&slab_booted,
	&page_slow_gfp,
	&options,
};

/* Take all locks and change all lists that there are. */
static void *upset(void *arg)
{
	void *blocks[100];

	take_own_slot();
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		blocks[i] = heap_malloc(i < 90 ? i * 300 : i < 99 ? i * KIB(10) : MIB(33));
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		heap_free(blocks[i]);
	kmem_cache_destroy(kmem_cache_create("short", 300, NULL, SLAB_NO_MERGE));
	free_pages(__get_free_pages(GFP_KERNEL, 9), 9);
	heap_trim();
	return arg;
}

static void upset_in_threads(void)
{
	for (int i = 0; i < 20; i++) {
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL, upset, NULL), 0);
		pthread_join(thread, NULL);
	}
}

START_TEST(what_all_read_is_not_beside_what_is_written)
{
	const void *line = (const void *)ALIGN_DOWN((uintptr_t)read_by_all[_i], CACHE_LINE_BYTES);
	char before[CACHE_LINE_BYTES];

	upset_in_threads();
	memcpy(before, line, sizeof(before));
	upset_in_threads();
	ck_assert_mem_eq(line, before, sizeof(before));
}
END_TEST

/* ---- The tests themselves ---- */

static unsigned long shared_word;

static void write_shared(struct work *work)
{
	objects(work);
	WRITE_ONCE(shared_word, shared_word + 1);
}

static void use_the_shared_slot(struct work *work)
{
	objects(work);
	lock_acquire(&slot_shared.lock, LOCK_SLOT);
	lock_release(&slot_shared.lock, LOCK_SLOT);
}

static void make_slabs(struct work *work)
{
	objects(work);
	heap_malloc(32);
}

/* The comparison sees what it is there for. */
START_TEST(shared_writes_are_found)
{
	static void (*const turns[])(struct work *work) = { write_shared, use_the_shared_slot,
							    make_slabs };
	struct work work = { .turn = turns[_i], .unprotected = true };

	stderr_capture();
	ck_assert_uint_gt(changes(&work), 0);
	ck_assert_ptr_nonnull(strstr(stderr_captured(), "written: "));
}
END_TEST

static void add_and_take_off(struct work *work)
{
	objects(work);
	__atomic_fetch_add(&shared_word, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&shared_word, 1, __ATOMIC_RELAXED);
}

START_TEST(shared_writes_are_caught)
{
	struct work work = { .turn = add_and_take_off };

	changes(&work);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("api/shared_writes");

	tcase_add_test(tc, objects_write_nothing_shared);
	tcase_add_test(tc, pages_write_nothing_shared);
	tcase_add_loop_test(tc, what_all_read_is_not_beside_what_is_written, 0,
			    ARRAY_SIZE(read_by_all));
	tcase_add_loop_test(tc, shared_writes_are_found, 0, 3);
	tcase_add_test_raise_signal(tc, shared_writes_are_caught, SIGSEGV);
	return test_run(tc);
}
