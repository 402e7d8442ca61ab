/* SPDX-License-Identifier: MIT */
/*
 * Zones whose memory is special, nodes that are real, and who stands in for whom. The machine has one node
 * and any amount of memory, so the calls that would tell otherwise are ours.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../own_slot.h"
#include "arena.h"
#include "buddy/page_alloc.h"
#include "os/info.h"
#include "os/mem.h"

#define GIB4 ((uintptr_t)1 << 32)

void *__real_os_reserve(void *hint, size_t bytes, size_t align);
void *__wrap_os_reserve(void *hint, size_t bytes, size_t align);
int __real_os_commit(void *addr, size_t bytes);
int __wrap_os_commit(void *addr, size_t bytes);
int __real_os_lock(void *addr, size_t bytes);
int __wrap_os_lock(void *addr, size_t bytes);
void *__real_os_reserve_below(uintptr_t limit, size_t bytes);
void *__wrap_os_reserve_below(uintptr_t limit, size_t bytes);
int __wrap_os_prefer_node(void *addr, size_t bytes, unsigned int node);
unsigned int __wrap_os_allowed_nodes(unsigned int *nodes, unsigned int max);
unsigned int __wrap_os_current_node(void);

static bool refusing;
static unsigned int lock_refusals;
static size_t most_below = SIZE_MAX;

static struct {
	unsigned int nr;
	unsigned int nodes[16];
	unsigned int here;
	int result;
	unsigned int nr_bound;
	struct {
		uintptr_t addr;
		size_t bytes;
		unsigned int node;
	} bound[16];
} machine = { .nr = 1 };

void *__wrap_os_reserve(void *hint, size_t bytes, size_t align)
{
	return refusing ? NULL : __real_os_reserve(hint, bytes, align);
}

int __wrap_os_commit(void *addr, size_t bytes)
{
	return refusing ? -12 : __real_os_commit(addr, bytes);
}

void *__wrap_os_reserve_below(uintptr_t limit, size_t bytes)
{
	return bytes <= most_below ? __real_os_reserve_below(limit, bytes) : NULL;
}

int __wrap_os_lock(void *addr, size_t bytes)
{
	if (!lock_refusals)
		return __real_os_lock(addr, bytes);
	lock_refusals--;
	return -12;
}

int __wrap_os_prefer_node(void *addr, size_t bytes, unsigned int node)
{
	unsigned int i = machine.nr_bound++;

	machine.bound[i].addr = (uintptr_t)addr;
	machine.bound[i].bytes = bytes;
	machine.bound[i].node = node;
	return machine.result;
}

unsigned int __wrap_os_allowed_nodes(unsigned int *nodes, unsigned int max)
{
	memcpy(nodes, machine.nodes, MIN(max, machine.nr) * sizeof(*nodes));
	return machine.nr;
}

unsigned int __wrap_os_current_node(void)
{
	return machine.here;
}

static struct zone *zone_of(unsigned int nid, enum zone_type type)
{
	return &node_data[nid].zones[type];
}

static void free_block_of(struct page *page)
{
	zone_free_run(page, page->nr_pages);
}

START_TEST(dma32_lies_low)
{
	struct page *pages[NR_PAGE_ORDERS];

	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		char *start;

		pages[order] = page_alloc(0, __GFP_DMA32, order, NULL);
		ck_assert_ptr_nonnull(pages[order]);
		ck_assert_ptr_eq(page_zone(pages[order]), zone_of(0, ZONE_DMA32));
		start = page_start(pages[order]);
		ck_assert_uint_le((uintptr_t)start + (PAGE_SIZE << order), GIB4);
		ck_assert(IS_ALIGNED((uintptr_t)start, PAGE_SIZE << order));
		*start = 1;
		start[(PAGE_SIZE << order) - 1] = 1;
	}
	ck_assert_uint_eq(zone->managed_pages, 0);
	assert_heap_sound();
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++)
		page_free(pages[order], order, MIGRATE_UNMOVABLE, NULL, 0);
	ck_assert_uint_eq(zone_of(0, ZONE_DMA32)->nr_free_pages,
			  zone_of(0, ZONE_DMA32)->managed_pages);
	assert_heap_sound();
}
END_TEST

/* Two nodes share what there is below 4 GiB, window by window. */
START_TEST(dma32_of_two_nodes)
{
	ck_assert_int_eq(options_parse("numa=fake=2", "test"), 0);
	for (unsigned int i = 0; i < 6; i++) {
		struct page *page = page_alloc(i % 2, __GFP_DMA32, MAX_PAGE_ORDER, NULL);

		ck_assert_ptr_nonnull(page);
		ck_assert_ptr_eq(page_zone(page), zone_of(i % 2, ZONE_DMA32));
		ck_assert_uint_lt((uintptr_t)page_start(page), GIB4);
	}
	assert_heap_sound();
}
END_TEST

/* The highest place below 4 GiB lies in a window of which another zone has a part: it is passed by. */
START_TEST(dma32_past_a_shared_window)
{
	struct page *first, *second;

	ck_assert_int_eq(options_parse("numa=fake=2", "test"), 0);
	most_below = MIB(1);
	first = page_alloc(0, __GFP_DMA32, 0, NULL);
	second = page_alloc(1, __GFP_DMA32 | __GFP_THISNODE, 0, NULL);
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_nonnull(second);
	ck_assert_uint_eq(page_zone(second)->nid, 1);
	ck_assert_ptr_ne(page_section(first), page_section(second));
	assert_heap_sound();
}
END_TEST

static size_t locked_kib(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[200];
	size_t kib = 0;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "VmLck:", 6))
			kib = strtoul(line + 6, NULL, 10);
	}
	fclose(file);
	return kib;
}

START_TEST(dma_is_locked)
{
	size_t before = locked_kib();
	struct page *page = page_alloc(0, __GFP_DMA, 0, NULL);
	struct zone *dma = zone_of(0, ZONE_DMA);
	unsigned long managed;

	ck_assert_ptr_nonnull(page);
	ck_assert_ptr_eq(page_zone(page), dma);
	managed = dma->managed_pages;
	ck_assert_uint_eq((locked_kib() - before) * 1024, managed * PAGE_SIZE);
	/* not more than a small limit bears */
	ck_assert_uint_le(managed * PAGE_SIZE, KIB(256));
	ck_assert_uint_eq(os_resident_bytes(page_start(page), managed * PAGE_SIZE),
			  managed * PAGE_SIZE);
	memset(page_start(page), 1, PAGE_SIZE);
	free_block_of(page);
	/* free, and there still */
	ck_assert_int_eq(options_parse("dirty_min=0 dirty_percent=0", "test"), 0);
	ck_assert_uint_eq(page_purge_all(), 0);
	free_block_of(page_alloc(0, __GFP_DMA, 3, NULL));
	ck_assert(!dma->purge_refused);
	ck_assert_uint_eq(dma->events.purge_failed, 0);
	ck_assert_uint_eq((locked_kib() - before) * 1024, managed * PAGE_SIZE);
	assert_heap_sound();
}
END_TEST

#define LOCK_LIMIT (MIB(1) + KIB(68))

/* As a user who may lock a little. */
static void limit_locks(size_t bytes)
{
	const struct rlimit limit = { bytes, bytes };

	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	if (!geteuid())
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
}

static unsigned int take_all(gfp_t gfp, unsigned int order, struct page **pages, unsigned int max)
{
	unsigned int nr = 0;

	while (nr < max && (pages[nr] = page_alloc(0, gfp, order, NULL)))
		nr++;
	return nr;
}

START_TEST(dma_ends_at_the_limit)
{
	static struct page *pages[1000];
	unsigned int nr, again;

	limit_locks(LOCK_LIMIT);
	nr = take_all(__GFP_DMA, 0, pages, ARRAY_SIZE(pages));
	/* all that the limit allows, down to the last OS page */
	ck_assert_uint_eq(nr, ALIGN_DOWN(LOCK_LIMIT, os_page_size()) / PAGE_SIZE);
	ck_assert_uint_eq(locked_kib() * 1024, nr * PAGE_SIZE);
	assert_heap_sound();
	ck_assert_ptr_null(page_alloc(0, __GFP_DMA, 0, NULL));
	/* others do not notice */
	ck_assert_ptr_nonnull(page_alloc(0, 0, 0, NULL));
	for (unsigned int i = 0; i < nr; i++)
		free_block_of(pages[i]);
	again = take_all(__GFP_DMA, 0, pages, ARRAY_SIZE(pages));
	ck_assert_uint_eq(again, nr);
	for (unsigned int i = 0; i < nr; i++)
		free_block_of(pages[i]);
	/* more than there can be, then what there is */
	ck_assert_ptr_null(page_alloc(0, __GFP_DMA, 10, NULL));
	ck_assert_uint_ge(take_all(__GFP_DMA, 3, pages, ARRAY_SIZE(pages)), nr / 8 - 4);
	assert_heap_sound();
}
END_TEST

/* Whichever step fails, the next request finds everything in place. */
START_TEST(locks_refused_in_turn)
{
	for (unsigned int refusals = 1; refusals <= 4; refusals++) {
		struct page *page;

		lock_refusals = refusals;
		page = page_alloc(0, __GFP_DMA, 9, NULL);
		ck_assert_int_eq(page != NULL, refusals <= 2);
		lock_refusals = 0;
		assert_heap_sound();
		if (!page)
			page = page_alloc(0, __GFP_DMA, 9, NULL);
		ck_assert_ptr_nonnull(page);
		ck_assert(all_zero(page_start(page), PAGE_SIZE << 9));
	}
	ck_assert_uint_eq(locked_kib() * 1024, zone_of(0, ZONE_DMA)->managed_pages * PAGE_SIZE);
	assert_heap_sound();
}
END_TEST

/* The OS gives no more: what lies free in the scarcer zones will do, and they do not grow for it. */
START_TEST(scarce_zones_stand_in)
{
	static struct page *pages[2000];
	struct zone *dma32 = zone_of(0, ZONE_DMA32);
	struct zone *dma = zone_of(0, ZONE_DMA);
	struct page *low = page_alloc(0, __GFP_DMA32, 0, NULL);
	struct page *locked = page_alloc(0, __GFP_DMA, 0, NULL);
	unsigned long free_low = dma32->nr_free_pages, free_locked = dma->nr_free_pages;
	unsigned int nr;

	ck_assert_ptr_nonnull(low);
	ck_assert_ptr_nonnull(locked);
	refusing = true;
	nr = take_all(0, 0, pages, ARRAY_SIZE(pages));
	ck_assert_uint_eq(nr, free_low + free_locked);
	for (unsigned int i = 0; i < nr; i++)
		ck_assert_ptr_eq(page_zone(pages[i]), i < free_low ? dma32 : dma);
	ck_assert_uint_eq(dma32->events.miss, free_low);
	ck_assert_uint_eq(dma->events.miss, free_locked);
	ck_assert_uint_eq(zone->events.foreign, nr);
	ck_assert_uint_eq(dma32->managed_pages, free_low + 1);

	/* but not the other way round */
	free_block_of(pages[0]);
	ck_assert_ptr_null(page_alloc(0, __GFP_DMA, 0, NULL));
	refusing = false;
	free_block_of(page_alloc(0, 0, 9, NULL));
	refusing = true;
	free_block_of(locked);
	ck_assert_ptr_eq(page_zone(page_alloc(0, __GFP_DMA32, 0, NULL)), dma32);
	ck_assert_ptr_null(page_alloc(0, __GFP_DMA32, 0, NULL));
	assert_heap_sound();
}
END_TEST

START_TEST(scarce_pages_are_not_kept)
{
	struct pcp pcp = { 0 };
	struct page *page = page_alloc(0, __GFP_DMA32, 0, &pcp);

	ck_assert_ptr_eq(page_zone(page), zone_of(0, ZONE_DMA32));
	ck_assert_uint_eq(pcp.nr_pages, 0);
	page_free(page, 0, MIGRATE_UNMOVABLE, &pcp, 0);
	ck_assert_uint_eq(pcp.nr_pages, 0);
	/* nor taken from what is kept for anybody */
	pcp_free(&pcp, zone, page_alloc(0, 0, 0, NULL), 0, MIGRATE_UNMOVABLE);
	page = page_alloc(0, __GFP_DMA32, 0, &pcp);
	ck_assert_ptr_eq(page_zone(page), zone_of(0, ZONE_DMA32));
}
END_TEST

START_TEST(this_node_and_no_other)
{
	struct page *page;

	ck_assert_int_eq(options_parse("numa=fake=2", "test"), 0);
	free_block_of(page_alloc(1, 0, 0, NULL));
	refusing = true;
	ck_assert_ptr_null(page_alloc(0, __GFP_THISNODE, 0, NULL));
	page = page_alloc(1, __GFP_THISNODE, 0, NULL);
	ck_assert_uint_eq(page_zone(page)->nid, 1);
	ck_assert_uint_eq(zone_of(1, ZONE_NORMAL)->events.miss, 0);
	page = page_alloc(0, 0, 0, NULL);
	ck_assert_uint_eq(page_zone(page)->nid, 1);
	ck_assert_uint_eq(zone_of(1, ZONE_NORMAL)->events.miss, 1);
	ck_assert_uint_eq(zone_of(0, ZONE_NORMAL)->events.foreign, 1);
	assert_heap_sound();
}
END_TEST

static void three_nodes(void)
{
	machine.nr = 3;
	machine.nodes[0] = 0;
	machine.nodes[1] = 2;
	machine.nodes[2] = 5;
}

START_TEST(sections_are_bound)
{
	three_nodes();
	machine.result = _i ? -1 : 0; /* refused, as in some containers: no matter */
	ck_assert_uint_eq(nr_nodes(), 3);
	for (unsigned int nid = 0; nid < 3; nid++) {
		struct page *page = page_alloc(nid, 0, 0, NULL);

		ck_assert_uint_eq(page_zone(page)->nid, nid);
		ck_assert_uint_eq(machine.nr_bound, nid + 1);
		ck_assert_uint_eq(machine.bound[nid].node, machine.nodes[nid]);
		ck_assert_uint_eq(machine.bound[nid].addr, page_section(page)->base);
		ck_assert_uint_eq(machine.bound[nid].bytes, SECTION_BYTES);
		/* more of the same section needs no call */
		page_alloc(nid, 0, 11, NULL);
		ck_assert_uint_eq(machine.nr_bound, nid + 1);
	}
	page_alloc(1, __GFP_DMA32, 0, NULL);
	ck_assert_uint_eq(machine.bound[3].node, 2);
	ck_assert_uint_lt(machine.bound[3].addr, GIB4);
	assert_heap_sound();
}
END_TEST

static void *nid_of_my_slot(void *unused)
{
	(void)unused;
	take_own_slot();
	return (void *)(uintptr_t)this_slot->nid;
}

static unsigned int nid_of_thread_on(unsigned int os_node)
{
	pthread_t thread;
	void *nid;

	machine.here = os_node;
	pthread_create(&thread, NULL, nid_of_my_slot, NULL);
	pthread_join(thread, &nid);
	return (unsigned int)(uintptr_t)nid;
}

START_TEST(slots_know_their_node)
{
	three_nodes();
	/* the second round finds the free slots of the first */
	for (int round = 0; round < 2; round++) {
		ck_assert_uint_eq(nid_of_thread_on(5), 2);
		ck_assert_uint_eq(nid_of_thread_on(0), 0);
		ck_assert_uint_eq(nid_of_thread_on(2), 1);
		/* processors without memory of their own, or not allowed to us */
		ck_assert_uint_eq(nid_of_thread_on(7), 0);
	}
}
END_TEST

START_TEST(off_means_one)
{
	three_nodes();
	machine.here = 5;
	ck_assert_int_eq(options_parse("numa=off", "test"), 0);
	ck_assert_uint_eq(nr_nodes(), 1);
	ck_assert_uint_eq(nid_of_thread_on(5), 0);
	ck_assert_ptr_nonnull(page_alloc(0, 0, 0, NULL));
	ck_assert_uint_eq(machine.nr_bound, 0);
}
END_TEST

START_TEST(one_node_binds_nothing)
{
	machine.nodes[0] = 3;
	ck_assert_uint_eq(nr_nodes(), 1);
	ck_assert_ptr_nonnull(page_alloc(0, 0, 0, NULL));
	ck_assert_uint_eq(machine.nr_bound, 0);
}
END_TEST

START_TEST(fake_nodes_bind_nothing)
{
	three_nodes();
	ck_assert_int_eq(options_parse("numa=fake=4", "test"), 0);
	ck_assert_uint_eq(nr_nodes(), 4);
	for (unsigned int nid = 0; nid < 4; nid++)
		ck_assert_uint_eq(page_zone(page_alloc(nid, 0, 0, NULL))->nid, nid);
	ck_assert_uint_eq(machine.nr_bound, 0);
}
END_TEST

START_TEST(more_nodes_than_there_is_room_for)
{
	machine.nr = 12;
	for (unsigned int i = 0; i < 12; i++)
		machine.nodes[i] = i;
	ck_assert_uint_eq(nr_nodes(), MAX_NUMNODES);
	ck_assert_uint_eq(nid_of_thread_on(7), 7);
	ck_assert_uint_eq(nid_of_thread_on(9), 0);
}
END_TEST

/* A kernel without NUMA, or a filter that forbids the question. */
START_TEST(no_answer_means_one)
{
	machine.nr = 0;
	ck_assert_uint_eq(nr_nodes(), 1);
	ck_assert_ptr_nonnull(page_alloc(0, 0, 0, NULL));
	ck_assert_uint_eq(machine.nr_bound, 0);
}
END_TEST

START_TEST(longer_than_any_block)
{
	size_t nr = (size_t)_i * PAGES_PER_SECTION / 4 + 3;
	unsigned int nr_dirty;
	struct page *page;

	if (nr > PAGES_PER_SECTION)
		nr = PAGES_PER_SECTION;
	page = page_alloc_contig(0, __GFP_MOVABLE, nr, &nr_dirty);
	ck_assert_ptr_nonnull(page);
	ck_assert_uint_eq(page->nr_pages, nr);
	ck_assert_uint_eq(nr_dirty, 0);
	memset(page_start(page), 1, nr * PAGE_SIZE);
	assert_heap_sound();
	free_block_of(page);
	ck_assert_uint_eq(zone->nr_free_pages, zone->managed_pages);
	assert_heap_sound();
	ck_assert_ptr_null(page_alloc_contig(0, 0, PAGES_PER_SECTION + 1, &nr_dirty));
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/zones");

	tcase_add_test(tc, dma32_lies_low);
	tcase_add_test(tc, dma32_of_two_nodes);
	tcase_add_test(tc, dma32_past_a_shared_window);
	tcase_add_test(tc, dma_is_locked);
	tcase_add_test(tc, dma_ends_at_the_limit);
	tcase_add_test(tc, locks_refused_in_turn);
	tcase_add_test(tc, scarce_zones_stand_in);
	tcase_add_test(tc, scarce_pages_are_not_kept);
	tcase_add_test(tc, this_node_and_no_other);
	tcase_add_loop_test(tc, sections_are_bound, 0, 2);
	tcase_add_test(tc, slots_know_their_node);
	tcase_add_test(tc, off_means_one);
	tcase_add_test(tc, one_node_binds_nothing);
	tcase_add_test(tc, fake_nodes_bind_nothing);
	tcase_add_test(tc, more_nodes_than_there_is_room_for);
	tcase_add_test(tc, no_answer_means_one);
	tcase_add_loop_test(tc, longer_than_any_block, 0, 5);
	return test_run(tc);
}
