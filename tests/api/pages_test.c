/* SPDX-License-Identifier: MIT */
/* The page API as a program sees it. */
#include <slabuddy/gfp.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../own_slot.h"
#include "../testing.h"
#include "base/option.h"
#include "buddy/page_alloc.h"
#include "malloc/heap.h"
#include "malloc/info.h"
#include "os/mem.h"
#include "slab/slot.h"

static struct zone *zone = &node_data[0].zones[ZONE_NORMAL];

int __real_os_commit(void *addr, size_t bytes);
int __wrap_os_commit(void *addr, size_t bytes);

static bool refusing;

int __wrap_os_commit(void *addr, size_t bytes)
{
	return refusing ? -ENOMEM : __real_os_commit(addr, bytes);
}

/* Pages that somebody outside of the buddy and the slots has. */
static unsigned long pages_out(void)
{
	struct heap_figures f;

	heap_figures(&f);
	return f.page_bytes / PAGE_SIZE;
}

/* Everything is back, down to the last page. */
static void expect_nothing_out(void)
{
	assert_heap_sound();
	ck_assert_uint_eq(pages_out(), 0);
	slot_drain_all();
	assert_heap_sound();
	for (int nid = 0; nid < num_online_nodes(); nid++) {
		for (int type = 0; type < MAX_NR_ZONES; type++) {
			struct zone *z = &node_data[nid].zones[type];

			ck_assert_uint_eq(z->nr_free_pages, z->managed_pages);
		}
	}
}

/* The text books' example. */
START_TEST(a_block_of_each_order)
{
	struct page *pages[NR_PAGE_ORDERS];
	unsigned long out = 0;

	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		char *addr;

		pages[order] = alloc_pages(GFP_KERNEL, order);
		ck_assert_ptr_nonnull(pages[order]);
		addr = page_address(pages[order]);
		ck_assert(IS_ALIGNED((uintptr_t)addr, PAGE_SIZE << order));
		memset(addr, (int)order + 1, PAGE_SIZE << order);
		ck_assert_int_eq(page_count(pages[order]), 1);
		ck_assert_uint_eq(compound_order(pages[order]), order);
		out += 1UL << order;
		ck_assert_uint_eq(pages_out(), out);
	}
	assert_heap_sound();
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		const char *addr = page_address(pages[order]);

		ck_assert_int_eq(addr[0], (int)order + 1);
		ck_assert_int_eq(memcmp(addr, addr + 1, (PAGE_SIZE << order) - 1), 0);
		__free_pages(pages[order], order);
		ck_assert_int_eq(page_count(pages[order]), 0);
	}
	expect_nothing_out();
}
END_TEST

START_TEST(addresses)
{
	for (unsigned int order = 0; order <= 5; order++) {
		unsigned long addr = __get_free_pages(GFP_KERNEL, order);
		struct page *page = virt_to_page((void *)addr);

		ck_assert_uint_ne(addr, 0);
		ck_assert(IS_ALIGNED(addr, PAGE_SIZE << order));
		ck_assert_ptr_eq(page_address(page), (void *)addr);
		memset((void *)addr, 1, PAGE_SIZE << order);
		free_pages(addr, order);
	}
	free_pages(0, 0);
	free_page(__get_free_page(GFP_KERNEL));
	ck_assert_ptr_null(page_address(NULL));
	expect_nothing_out();
}
END_TEST

START_TEST(last_in_first_out)
{
	for (unsigned int order = 0; order <= PCP_MAX_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);
		struct page *other = alloc_pages(GFP_KERNEL, order);

		__free_pages(page, order);
		ck_assert_ptr_eq(alloc_pages(GFP_KERNEL, order), page);
		/* each migrate type has its own */
		__free_pages(page, order);
		ck_assert_ptr_ne(alloc_pages(GFP_KERNEL | __GFP_MOVABLE, order), page);
		ck_assert_ptr_ne(alloc_pages(GFP_KERNEL | __GFP_RECLAIMABLE, order), page);
		ck_assert_ptr_ne(page, other);
	}
	assert_heap_sound();
}
END_TEST

/* The sheaves run empty and full over and over; no page is lost, none is handed out twice. */
START_TEST(random_use)
{
	static struct page *pages[600];
	static unsigned int orders[600];
	uint64_t seed = test_seed();

	for (int step = 0; step < 60000; step++) {
		unsigned int i = random_below(&seed, ARRAY_SIZE(pages));
		uint64_t *words;

		if (pages[i]) {
			words = page_address(pages[i]);
			ck_assert_uint_eq(words[0], i);
			ck_assert_uint_eq(words[(PAGE_SIZE << orders[i]) / 8 - 1], i);
			__free_pages(pages[i], orders[i]);
			pages[i] = NULL;
		} else {
			orders[i] = random_below(&seed, random_below(&seed, 4) ? 4 : 7);
			pages[i] = alloc_pages(GFP_KERNEL | (random_below(&seed, 4) << 3),
					       orders[i]);
			ck_assert_ptr_nonnull(pages[i]);
			words = page_address(pages[i]);
			words[0] = i;
			words[(PAGE_SIZE << orders[i]) / 8 - 1] = i;
		}
		if (step % 5000 == 0)
			assert_heap_sound();
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(pages); i++) {
		if (pages[i])
			__free_pages(pages[i], orders[i]);
	}
	expect_nothing_out();
}
END_TEST

/* ---- Zero ---- */

START_TEST(zeroed)
{
	unsigned int order = (unsigned int)_i;
	size_t bytes = PAGE_SIZE << order;
	struct page *pages[4];
	unsigned long addr;

	take_own_slot();
	/* fresh, dirty from the sheaf, and dirty from the zone; of the fresh ones only the first comes
	 * straight from the zone */
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
			pages[i] = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
			ck_assert_ptr_nonnull(pages[i]);
			ck_assert(all_zero(page_address(pages[i]), bytes));
			memset(page_address(pages[i]), 0xff, bytes);
		}
		for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
			__free_pages(pages[i], order);
		if (round == 1)
			slot_drain_all();
	}
	addr = get_zeroed_page(GFP_KERNEL);
	ck_assert(all_zero((void *)addr, PAGE_SIZE));
	free_page(addr);
	expect_nothing_out();
}
END_TEST

/* A part of the block was written to by somebody else before. */
START_TEST(zeroed_where_it_was_dirty)
{
	unsigned int order = (unsigned int)_i;
	struct page *page = alloc_pages(GFP_KERNEL, order);

	split_page(page, order);
	memset(page_address(page + 1), 0xff, PAGE_SIZE);
	for (unsigned int i = 0; i < 1U << order; i++)
		__free_page(page + i);
	slot_drain_all();
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
	ck_assert(all_zero(page_address(page), PAGE_SIZE << order));
}
END_TEST

/* Clean pages are not touched for it: they have no memory behind them yet. */
START_TEST(zero_costs_nothing_for_clean_pages)
{
	unsigned int order = (unsigned int)_i;
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);

	ck_assert_uint_eq(os_resident_bytes(page_address(page), PAGE_SIZE << order), 0);
	__free_pages(page, order);
	/* pages that went to a sheaf and back without being used are as they were */
	page = alloc_page(GFP_KERNEL);
	slot_drain_all();
	ck_assert_uint_le(zone->nr_dirty, (1UL << order) + 1);
}
END_TEST

/* ---- References ---- */

START_TEST(references)
{
	for (unsigned int order = 0; order <= 6; order += 2) {
		struct page *page = alloc_pages(GFP_KERNEL, order);
		char *addr = page_address(page);

		get_page(page);
		ck_assert_int_eq(page_count(page), 2);
		if (order) {
			/* by way of a tail */
			get_page(nth_page(page, (1UL << order) - 1));
			ck_assert_int_eq(page_count(page), 3);
			ck_assert_int_eq(page_count(nth_page(page, 1)), 3);
			put_page(nth_page(page, 1));
		}
		__free_pages(page, order);
		ck_assert_int_eq(page_count(page), 1);
		memset(addr, 1, PAGE_SIZE << order);
		ck_assert_uint_eq(pages_out(), 1UL << order);
		put_page(page);
		ck_assert_int_eq(page_count(page), 0);
		/* it is as good as any other again */
		ck_assert_ptr_eq(alloc_pages(GFP_KERNEL, order), page);
		ck_assert_int_eq(page_count(page), 1);
		__free_pages(page, order);
	}
	expect_nothing_out();
}
END_TEST

#define NR_THREADS 4
#define NR_ROUNDS 3000

static struct page *shared[NR_ROUNDS];
static pthread_barrier_t barrier;

static void *hold_and_drop(void *arg)
{
	uint64_t seed = (uintptr_t)arg;

	pthread_barrier_wait(&barrier);
	for (int i = 0; i < NR_ROUNDS; i++) {
		struct page *page = shared[i];
		unsigned int order = (unsigned int)i % 6;

		for (unsigned int n = random_below(&seed, 3); n--;) {
			get_page(page);
			put_page(nth_page(page, random_below(&seed, 1U << order)));
		}
		ck_assert_int_ge(page_count(page), 1);
		/* the creator's reference, handed to this thread */
		__free_pages(page, order);
	}
	return NULL;
}

/* Each thread has a reference to each block; the last to drop it frees, whoever that is. */
START_TEST(references_of_threads)
{
	pthread_t threads[NR_THREADS];

	pthread_barrier_init(&barrier, NULL, NR_THREADS);
	for (int i = 0; i < NR_ROUNDS; i++) {
		shared[i] = alloc_pages(GFP_KERNEL, (unsigned int)i % 6);
		for (int n = 1; n < NR_THREADS; n++)
			get_page(shared[i]);
	}
	for (uintptr_t i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, hold_and_drop, (void *)(i + 1));
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < NR_ROUNDS; i++)
		ck_assert_int_eq(page_count(shared[i]), 0);
	expect_nothing_out();
}
END_TEST

/* ---- Bulk ---- */

START_TEST(bulk)
{
	static struct page *pages[1000];
	static struct page *sorted[1000];
	struct page *mine = alloc_page(GFP_KERNEL);

	pages[7] = mine;
	ck_assert_uint_eq(alloc_pages_bulk(GFP_KERNEL | __GFP_ZERO, 0, pages), 0);
	ck_assert_ptr_null(pages[0]);
	ck_assert_uint_eq(alloc_pages_bulk(GFP_KERNEL | __GFP_ZERO, 1000, pages), 1000);
	ck_assert_ptr_eq(pages[7], mine);
	for (unsigned int i = 0; i < 1000; i++) {
		if (pages[i] != mine)
			ck_assert(all_zero(page_address(pages[i]), PAGE_SIZE));
		memset(page_address(pages[i]), 0x55, PAGE_SIZE);
		sorted[i] = pages[i];
	}
	ck_assert_uint_eq(pages_out(), 1000);
	/* a full array is left alone */
	ck_assert_uint_eq(alloc_pages_bulk(GFP_KERNEL, 1000, pages), 1000);
	ck_assert_int_eq(memcmp(pages, sorted, sizeof(pages)), 0);
	/* NULL entries are nothing to free */
	pages[500] = NULL;
	free_pages_bulk(pages, 1000);
	__free_page(sorted[500]);
	expect_nothing_out();
}
END_TEST

START_TEST(bulk_without_memory)
{
	static struct page *pages[30000];
	unsigned long got;

	pages[20001] = alloc_page(GFP_KERNEL);
	stderr_capture();
	refusing = true;
	got = alloc_pages_bulk(GFP_NOWAIT, 30000, pages);
	ck_assert_str_eq(stderr_captured(), "");
	/* what is filled counts from the front on; what comes after the end is untouched */
	ck_assert_uint_ge(got, 400);
	ck_assert_uint_lt(got, 20001);
	ck_assert_ptr_null(pages[got]);
	release_pages(pages, got);
	ck_assert_int_eq(page_count(pages[20001]), 1);
}
END_TEST

/* What a thread keeps for itself serves any of its requests when nothing else is left. */
START_TEST(kept_pages_when_there_is_no_memory)
{
	static struct page *pages[1000];
	unsigned int nr = 0;

	take_own_slot();
	__free_page(alloc_page(GFP_KERNEL));
	refusing = true;
	while ((pages[nr] = alloc_page(GFP_NOWAIT)))
		nr++;
	ck_assert_uint_eq(nr, PAGEBLOCK_PAGES);
	for (unsigned int i = 0; i < nr; i++)
		__free_page(pages[i]);
	ck_assert_uint_lt(zone->nr_free_pages, PAGEBLOCK_PAGES);
	ck_assert_ptr_nonnull(alloc_pages(GFP_NOWAIT, PAGEBLOCK_ORDER));
	assert_heap_sound();
}
END_TEST

/* ---- Runs ---- */

START_TEST(exact)
{
	static const size_t sizes[] = { 1, 4096, 4097, 28 << 10, 100000, 1 << 20, (1 << 20) + 1 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t nr = bytes_to_pages(sizes[i]);
		char *addr = alloc_pages_exact(sizes[i], GFP_KERNEL | __GFP_ZERO);

		ck_assert_ptr_nonnull(addr);
		ck_assert(IS_ALIGNED((uintptr_t)addr, PAGE_SIZE));
		ck_assert(all_zero(addr, nr * PAGE_SIZE));
		ck_assert_uint_eq(pages_out(), nr);
		memset(addr, 0xff, nr * PAGE_SIZE);
		for (size_t n = 0; n < nr; n++) {
			struct page *page = virt_to_page(addr + n * PAGE_SIZE);

			ck_assert_int_eq(page_count(page), 1);
			ck_assert_ptr_eq(compound_head(page), page);
			ck_assert_uint_eq(compound_order(page), 0);
		}
		assert_heap_sound();
		free_pages_exact(addr, sizes[i]);
		ck_assert_uint_eq(pages_out(), 0);
	}
	free_pages_exact(NULL, 4096);
	ck_assert_ptr_null(alloc_pages_exact(0, GFP_KERNEL));
	ck_assert_ptr_nonnull(alloc_pages_exact(PAGE_SIZE << MAX_PAGE_ORDER, GFP_KERNEL));
	assert_heap_sound();
}
END_TEST

/* The pages of a run are single ones: some of them may go first, or be kept. */
START_TEST(exact_in_pieces)
{
	char *addr = alloc_pages_exact(10 * PAGE_SIZE, GFP_KERNEL);
	struct page *page = virt_to_page(addr);

	free_page((unsigned long)addr + 3 * PAGE_SIZE);
	get_page(page + 5);
	free_pages_exact(addr, 3 * PAGE_SIZE);
	free_pages_exact(addr + 4 * PAGE_SIZE, 6 * PAGE_SIZE);
	ck_assert_uint_eq(pages_out(), 1);
	ck_assert_int_eq(page_count(page + 5), 1);
	put_page(page + 5);
	expect_nothing_out();
}
END_TEST

START_TEST(contiguous)
{
	static const unsigned long sizes[] = { 1, 2, 3, 511, 513, 5000, PAGES_PER_SECTION };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned long nr = sizes[i];
		struct page *page = alloc_contig_pages(nr, GFP_KERNEL | __GFP_MOVABLE,
						       NUMA_NO_NODE);

		ck_assert_ptr_nonnull(page);
		memset(page_address(page), 1, nr * PAGE_SIZE);
		ck_assert_uint_eq(page_to_pfn(nth_page(page, nr - 1)), page_to_pfn(page) + nr - 1);
		ck_assert_uint_eq(pages_out(), nr);
		free_contig_range(page_to_pfn(page), nr);
		ck_assert_uint_eq(pages_out(), 0);
	}
	ck_assert_ptr_null(alloc_contig_pages(0, GFP_KERNEL, NUMA_NO_NODE));
	expect_nothing_out();
}
END_TEST

START_TEST(split)
{
	struct page *page = alloc_pages(GFP_KERNEL, 4);

	get_page(page);
	split_page(page, 4);
	ck_assert_int_eq(page_count(page), 2);
	assert_heap_sound();
	for (int i = 1; i < 16; i++) {
		ck_assert_int_eq(page_count(page + i), 1);
		ck_assert_ptr_eq(compound_head(page + i), page + i);
	}
	put_page(page);
	for (int i = 15; i >= 0; i--)
		__free_page(page + i);
	/* they merge: the block is there again */
	expect_nothing_out();
	ck_assert_uint_ge(zone->free_area[PAGEBLOCK_ORDER].nr_free, 1);
}
END_TEST

/* ---- Names of a page ---- */

START_TEST(names)
{
	struct page *page = alloc_pages(GFP_KERNEL, 5);
	char *addr = page_address(page);
	void *object = heap_malloc(100);
	char *large = heap_malloc(300000);
	int local;

	for (unsigned long i = 0; i < 32; i++) {
		struct page *tail = nth_page(page, i);

		ck_assert_ptr_eq(virt_to_page(addr + i * PAGE_SIZE + 77), tail);
		ck_assert_ptr_eq(virt_to_head_page(addr + i * PAGE_SIZE + 77), page);
		ck_assert_ptr_eq(compound_head(tail), page);
		ck_assert_uint_eq(page_to_pfn(tail), ((uintptr_t)addr >> PAGE_SHIFT) + i);
		ck_assert_ptr_eq(pfn_to_page(page_to_pfn(tail)), tail);
		ck_assert_ptr_eq(page_address(tail), addr + i * PAGE_SIZE);
	}
	ck_assert_uint_eq(compound_order(page + 1), 0);
	ck_assert_ptr_null(virt_to_page(&local));
	ck_assert_ptr_null(virt_to_page(NULL));
	ck_assert_ptr_null(virt_to_head_page(&local));
	ck_assert_ptr_null(pfn_to_page(0));
	ck_assert_ptr_null(pfn_to_page(~0UL));
	ck_assert_ptr_null(pfn_to_page(~0UL >> PAGE_SHIFT));

	/* slabs and malloc's blocks have heads too */
	ck_assert_int_eq(page_type(virt_to_head_page(object)), PAGE_SLAB);
	ck_assert_int_eq(page_count(virt_to_page(object)), 1);
	for (size_t at = 0; at < 300000; at += 5000)
		ck_assert_ptr_eq(virt_to_head_page(large + at), virt_to_page(large));
	ck_assert_int_eq(page_count(virt_to_page(large + 150000)), 1);
	heap_free(object);
	heap_free(large);
	ck_assert_int_eq(page_count(virt_to_page(large + 150000)), 0);
	__free_pages(page, 5);
	ck_assert_int_eq(page_count(page + 7), 0);
}
END_TEST

START_TEST(orders_of_sizes)
{
	ck_assert_int_eq(get_order(0), 0);
	ck_assert_int_eq(get_order(1), 0);
	ck_assert_int_eq(get_order(PAGE_SIZE), 0);
	ck_assert_int_eq(get_order(PAGE_SIZE + 1), 1);
	ck_assert_int_eq(get_order(28 << 10), 3);
	ck_assert_int_eq(get_order(~0UL), 51);
}
END_TEST

/* ---- Zones ---- */

START_TEST(zones)
{
	struct page *low = alloc_pages(GFP_KERNEL | GFP_DMA32, 2);
	struct page *locked = virt_to_page((void *)__get_dma_pages(GFP_KERNEL, 1));

	ck_assert_ptr_nonnull(low);
	ck_assert_uint_le((uintptr_t)page_address(low) + 4 * PAGE_SIZE, 1UL << 32);
	ck_assert_ptr_nonnull(locked);
	ck_assert_uint_eq(os_resident_bytes(page_address(locked), 2 * PAGE_SIZE), 2 * PAGE_SIZE);
	ck_assert_ptr_eq(page_zone(locked), &node_data[0].zones[ZONE_DMA]);
	ck_assert_uint_eq(pages_out(), 6);
	/* they go back to where they came from, not to what anybody may have */
	__free_pages(low, 2);
	ck_assert_ptr_ne(alloc_pages(GFP_KERNEL, 2), low);
	__free_pages(locked, 1);
	ck_assert_ptr_ne(alloc_pages(GFP_KERNEL, 1), locked);
	ck_assert_ptr_eq(alloc_pages(GFP_KERNEL | GFP_DMA, 1), locked);
	ck_assert(all_zero(page_address(alloc_pages(GFP_DMA | __GFP_ZERO, 3)), 8 * PAGE_SIZE));
	assert_heap_sound();
}
END_TEST

START_TEST(locked_pages_end)
{
	const struct rlimit limit = { 512 << 10, 512 << 10 };
	static unsigned long pages[200];
	unsigned int nr = 0;

	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	if (!geteuid())
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	stderr_capture();
	while (nr < 200 && (pages[nr] = __get_dma_pages(GFP_NOWAIT, 0)))
		nr++;
	ck_assert_str_eq(stderr_captured(), "");
	ck_assert_uint_eq(nr, (512 << 10) / PAGE_SIZE);
	for (unsigned int i = 0; i < nr; i++)
		free_page(pages[i]);
	expect_nothing_out();
	for (unsigned int i = 0; i < nr; i++)
		ck_assert_uint_ne(__get_dma_pages(GFP_NOWAIT, 0), 0);
	ck_assert_uint_eq(__get_dma_pages(GFP_NOWAIT, 0), 0);
	ck_assert_ptr_nonnull(alloc_page(GFP_KERNEL));
}
END_TEST

START_TEST(figures)
{
	struct page *page;

	ck_assert_int_eq((int)zone_page_state(0, "Normal", ZONE_ITEM_MANAGED), 0);
	page = alloc_pages(GFP_KERNEL, 5);
	memset(page_address(page), 1, PAGE_SIZE);
	ck_assert_int_eq((int)zone_page_state(0, "Normal", ZONE_ITEM_MANAGED), 512);
	ck_assert_int_eq((int)zone_page_state(0, "Normal", ZONE_ITEM_FREE), 480);
	ck_assert_int_eq((int)zone_page_state(0, "Normal", ZONE_ITEM_DIRTY), 0);
	ck_assert_int_eq((int)zone_page_state(0, "Normal", ZONE_ITEM_RESERVED),
			 (int)PAGES_PER_SECTION - 512);
	ck_assert_int_ge((int)zone_page_state(0, "Normal", ZONE_ITEM_WMARK_LOW), 1000);
	ck_assert_int_gt((int)zone_page_state(0, "Normal", ZONE_ITEM_WMARK_HIGH),
			 (int)zone_page_state(0, "Normal", ZONE_ITEM_WMARK_LOW));
	__free_pages(page, 5);
	ck_assert_int_eq((int)zone_page_state(0, "Normal", ZONE_ITEM_FREE), 512);
	ck_assert_int_eq((int)zone_page_state(0, "Normal", ZONE_ITEM_DIRTY), 32);
	ck_assert_int_eq((int)zone_page_state(0, "DMA", ZONE_ITEM_MANAGED), 0);
	ck_assert_int_eq((int)zone_page_state(0, "DMA32", ZONE_ITEM_FREE), 0);
	ck_assert_int_eq((int)zone_page_state(0, "HighMem", ZONE_ITEM_FREE), -1);
	ck_assert_int_eq((int)zone_page_state(0, NULL, ZONE_ITEM_FREE), -1);
	ck_assert_int_eq((int)zone_page_state(1, "Normal", ZONE_ITEM_FREE), -1);
	ck_assert_int_eq((int)zone_page_state(-1, "Normal", ZONE_ITEM_FREE), -1);
	ck_assert_int_eq((int)zone_page_state(0, "Normal", (enum zone_item)99), -1);
}
END_TEST

/* ---- Nodes ---- */

static int fake_nodes(int i)
{
	ck_assert_int_eq(options_parse(i ? "numa=fake=4" : "numa=fake=2", "test"), 0);
	return i ? 4 : 2;
}

START_TEST(pages_of_nodes)
{
	int nodes = fake_nodes(_i);
	struct page *pages[4][7];

	ck_assert_int_eq(num_online_nodes(), nodes);
	take_own_slot();
	ck_assert_int_eq(numa_mem_id(), this_slot->nid);
	ck_assert_int_eq(numa_node_id(), this_slot->nid);
	for (int nid = 0; nid < nodes; nid++) {
		for (unsigned int order = 0; order < 7; order++) {
			pages[nid][order] = alloc_pages_node(nid, GFP_KERNEL | __GFP_THISNODE,
							     order);
			ck_assert_int_eq(page_to_nid(pages[nid][order]), nid);
			ck_assert_int_eq(page_to_nid(pages[nid][order] + (1 << order) - 1), nid);
		}
	}
	ck_assert_int_eq(page_to_nid(alloc_page(GFP_KERNEL)), numa_mem_id());
	ck_assert_int_eq(page_to_nid(alloc_pages_node(NUMA_NO_NODE, GFP_KERNEL, 1)), numa_mem_id());
	ck_assert_ptr_null(alloc_pages_node(nodes, GFP_KERNEL, 0));
	ck_assert_ptr_null(alloc_pages_node(-2, GFP_KERNEL, 0));
	ck_assert_ptr_null(alloc_pages_exact_nid(nodes, PAGE_SIZE, GFP_KERNEL));
	ck_assert_ptr_null(alloc_contig_pages(10, GFP_KERNEL, nodes));
	for (int nid = 0; nid < nodes; nid++) {
		for (unsigned int order = 0; order < 7; order++)
			__free_pages(pages[nid][order], order);
		ck_assert_int_eq(page_to_nid(virt_to_page(alloc_pages_exact_nid(nid, 50000,
									       GFP_KERNEL))),
				 nid);
		ck_assert_int_eq(page_to_nid(alloc_contig_pages(50, GFP_KERNEL, nid)), nid);
	}
	assert_heap_sound();
}
END_TEST

/* Pages freed far from home go home, not into the freeing thread's sheaves. */
START_TEST(pages_go_home)
{
	int nodes = fake_nodes(_i);
	struct page *far = NULL;

	take_own_slot();
	for (int i = 0; i < 200; i++) {
		int nid = i % nodes;
		struct page *page = alloc_pages_node(nid, GFP_KERNEL, 0);

		ck_assert_int_eq(page_to_nid(page), nid);
		if (nid != numa_mem_id())
			far = page;
		__free_page(page);
		ck_assert_int_eq(page_to_nid(alloc_page(GFP_KERNEL)), numa_mem_id());
	}
	ck_assert_ptr_nonnull(far);
	ck_assert_int_eq(page_type(far), PAGE_BUDDY);
	assert_heap_sound();
}
END_TEST

/* ---- Threads and fork ---- */

static struct page *mailbox[64];

/* What one thread allocates another frees. */
static void *trade(void *arg)
{
	uint64_t seed = (uintptr_t)arg;

	for (int i = 0; i < 40000; i++) {
		unsigned int at = random_below(&seed, ARRAY_SIZE(mailbox));
		unsigned int order = at % 5;
		struct page *page = alloc_pages(GFP_KERNEL, order);

		*(uint64_t *)page_address(page) = at;
		page = __atomic_exchange_n(&mailbox[at], page, __ATOMIC_ACQ_REL);
		if (page) {
			ck_assert_uint_eq(*(uint64_t *)page_address(page), at);
			__free_pages(page, order);
		}
	}
	return NULL;
}

START_TEST(threads)
{
	pthread_t all[NR_THREADS];

	for (uintptr_t i = 0; i < NR_THREADS; i++)
		pthread_create(&all[i], NULL, trade, (void *)(i + 1));
	for (int i = 0; i < 20; i++)
		assert_heap_sound();
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(all[i], NULL);
	for (unsigned int at = 0; at < ARRAY_SIZE(mailbox); at++) {
		if (mailbox[at])
			__free_pages(mailbox[at], at % 5);
	}
	expect_nothing_out();
}
END_TEST

static bool stop;

static void *work_until_told(void *arg)
{
	uint64_t seed = (uintptr_t)arg;
	struct page *pages[100] = { NULL };

	take_own_slot();
	while (!READ_ONCE(stop)) {
		unsigned int i = random_below(&seed, ARRAY_SIZE(pages));

		if (pages[i]) {
			__free_pages(pages[i], i % 5);
			pages[i] = NULL;
		} else {
			pages[i] = alloc_pages(GFP_KERNEL, i % 5);
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(pages); i++) {
		if (pages[i])
			__free_pages(pages[i], i % 5);
	}
	return NULL;
}

/* Whatever the others are at, the child has a heap that is whole, and can use what their slots held. */
START_TEST(fork_at_any_point)
{
	pthread_t all[NR_THREADS];
	int status;

	for (uintptr_t i = 0; i < NR_THREADS; i++)
		pthread_create(&all[i], NULL, work_until_told, (void *)(i + 1));
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (!pid) {
			struct page *pages[300];

			if (heap_validate(NULL))
				_exit(1);
			slot_drain_all();
			for (int n = 0; n < 300; n++)
				pages[n] = alloc_pages(GFP_KERNEL, (unsigned int)n % 4);
			for (int n = 0; n < 300; n++)
				__free_pages(pages[n], (unsigned int)n % 4);
			slot_drain_all();
			_exit(heap_validate(NULL) ? 2 : 0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
	}
	WRITE_ONCE(stop, true);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(all[i], NULL);
	expect_nothing_out();
}
END_TEST

/* A thread that is gone leaves its pages to the next one. */
START_TEST(slots_are_handed_on)
{
	pthread_t thread;

	WRITE_ONCE(stop, true);
	for (int i = 0; i < 50; i++) {
		pthread_create(&thread, NULL, work_until_told, (void *)(uintptr_t)i);
		pthread_join(thread, NULL);
	}
	ck_assert_uint_le(zone->managed_pages, PAGEBLOCK_PAGES);
	expect_nothing_out();
}
END_TEST

/* ---- Asked for too much ---- */

START_TEST(orders_that_cannot_be)
{
	static const unsigned int orders[] = { MAX_PAGE_ORDER + 1, 63, 64, -1U };

	stderr_capture();
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		ck_assert_ptr_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, orders[i]));
		ck_assert_ptr_null(alloc_pages(GFP_KERNEL | __GFP_NOFAIL | __GFP_NOWARN, orders[i]));
	}
	ck_assert_ptr_null(alloc_pages_exact((PAGE_SIZE << MAX_PAGE_ORDER) + 1, GFP_NOWAIT));
	ck_assert_ptr_null(alloc_pages_exact(~0UL, GFP_NOWAIT));
	ck_assert_ptr_null(alloc_contig_pages(PAGES_PER_SECTION + 1, GFP_NOWAIT, NUMA_NO_NODE));
	ck_assert_str_eq(stderr_captured(), "");

	stderr_capture();
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		ck_assert_ptr_null(alloc_pages(GFP_KERNEL, orders[i]));
		ck_assert_ptr_null(alloc_pages_node(0, GFP_KERNEL, orders[i]));
		ck_assert_uint_eq(__get_free_pages(GFP_KERNEL, orders[i]), 0);
	}
	/* once is enough */
	ck_assert_uint_eq(count_char(stderr_captured(), '\n'), 1);
	assert_heap_sound();
}
END_TEST

START_TEST(sheaves_switched_off)
{
	unsigned long before;
	struct page *page;

	take_own_slot();
	page = alloc_page(GFP_KERNEL);
	__free_page(page);
	before = zone->events.alloc;
	page_sheaves_enable(false);
	for (int i = 0; i < 10; i++)
		ck_assert_ptr_nonnull(alloc_page(GFP_KERNEL));
	ck_assert_uint_eq(zone->events.alloc, before + 10);
	page_sheaves_enable(true);
	ck_assert_ptr_eq(alloc_page(GFP_KERNEL), page);
	ck_assert_uint_eq(zone->events.alloc, before + 10);
}
END_TEST

/* Programs that use malloc only do not pay. */
START_TEST(nothing_without_use)
{
	take_own_slot();
	heap_free(heap_malloc(100));
	heap_free(heap_malloc(100000));
	ck_assert_ptr_null(this_slot->page_sheaves);
	ck_assert_ptr_null(slot_shared.page_sheaves);
	__free_page(alloc_page(GFP_KERNEL));
	ck_assert_ptr_nonnull(this_slot->page_sheaves);
}
END_TEST

/* Trimming takes what sheaves keep. */
START_TEST(trimmed)
{
	static struct page *pages[200];

	take_own_slot();
	for (int i = 0; i < 200; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		memset(page_address(pages[i]), 1, PAGE_SIZE);
	}
	for (int i = 0; i < 200; i++)
		__free_page(pages[i]);
	heap_trim();
	ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages);
	ck_assert_uint_eq(zone->nr_dirty, 0);
	ck_assert_uint_eq(os_resident_bytes((void *)page_section(pages[0])->base,
					    zone->managed_pages * PAGE_SIZE),
			  0);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("api/pages");

	tcase_add_test(tc, a_block_of_each_order);
	tcase_add_test(tc, addresses);
	tcase_add_test(tc, last_in_first_out);
	tcase_add_test(tc, random_use);
	tcase_add_loop_test(tc, zeroed, 0, 11);
	tcase_add_loop_test(tc, zeroed_where_it_was_dirty, 1, 8);
	tcase_add_loop_test(tc, zero_costs_nothing_for_clean_pages, 0, 11);
	tcase_add_test(tc, references);
	tcase_add_test(tc, references_of_threads);
	tcase_add_test(tc, bulk);
	tcase_add_test(tc, bulk_without_memory);
	tcase_add_test(tc, kept_pages_when_there_is_no_memory);
	tcase_add_test(tc, exact);
	tcase_add_test(tc, exact_in_pieces);
	tcase_add_test(tc, contiguous);
	tcase_add_test(tc, split);
	tcase_add_test(tc, names);
	tcase_add_test(tc, orders_of_sizes);
	tcase_add_test(tc, zones);
	tcase_add_test(tc, locked_pages_end);
	tcase_add_test(tc, figures);
	tcase_add_loop_test(tc, pages_of_nodes, 0, 2);
	tcase_add_loop_test(tc, pages_go_home, 0, 2);
	tcase_add_test(tc, threads);
	tcase_add_test(tc, fork_at_any_point);
	tcase_add_test(tc, slots_are_handed_on);
	tcase_add_test(tc, orders_that_cannot_be);
	tcase_add_test(tc, sheaves_switched_off);
	tcase_add_test(tc, nothing_without_use);
	tcase_add_test(tc, trimmed);
	return test_run(tc);
}
