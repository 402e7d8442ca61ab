/* SPDX-License-Identifier: MIT */
/* Nodes that numa=fake=N makes: slots take turns, and pages go back to where they came from. */
#include <pthread.h>

#include "../own_slot.h"
#include "arena.h"
#include "base/option.h"
#include "buddy/page_alloc.h"
#include "malloc/heap.h"
#include "slab/slot.h"

#define NR_THREADS 8
#define NR_BLOCKS  500

static void *blocks[NR_THREADS][NR_BLOCKS];
static unsigned int nids[NR_THREADS];
static pthread_barrier_t barrier;

static struct zone *zone_of(unsigned int nid)
{
	return &node_data[nid].zones[ZONE_NORMAL];
}

static const struct zone *zone_around(const void *ptr)
{
	return addr_to_section(ptr)->zone;
}

/* Allocate on one's own node, wait until all have, free what the neighbour allocated. */
static void *trade(void *arg)
{
	unsigned int self = (unsigned int)(uintptr_t)arg;
	unsigned int other = (self + 1) % NR_THREADS;

	take_own_slot();
	for (int i = 0; i < NR_BLOCKS; i++)
		blocks[self][i] = heap_malloc(i % 10 ? 500 : 50000);
	nids[self] = this_slot->nid;
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < NR_BLOCKS; i++)
		heap_free(blocks[other][i]);
	pthread_barrier_wait(&barrier);
	return NULL;
}

START_TEST(threads_trade_between_nodes)
{
	unsigned int nodes = _i ? 4 : 2;
	unsigned int users[MAX_NUMNODES] = { 0 };
	pthread_t threads[NR_THREADS];

	ck_assert_int_eq(options_parse(_i ? "numa=fake=4" : "numa=fake=2", "test"), 0);
	ck_assert_uint_eq(nr_nodes(), nodes);
	pthread_barrier_init(&barrier, NULL, NR_THREADS);
	for (uintptr_t i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, trade, (void *)i);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < NR_THREADS; i++) {
		users[nids[i]]++;
		for (int j = 0; j < NR_BLOCKS; j++)
			ck_assert_uint_eq(zone_around(blocks[i][j])->nid, nids[i]);
	}
	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		ck_assert_uint_eq(users[nid], nid < nodes ? NR_THREADS / nodes : 0);
		ck_assert_int_eq(zone_of(nid)->managed_pages > 0, nid < nodes);
	}
	assert_heap_sound();
	heap_trim();
	assert_heap_sound();
	/* every page is back in its own zone */
	for (unsigned int nid = 0; nid < nodes; nid++)
		ck_assert_uint_eq(zone_of(nid)->nr_free_pages, zone_of(nid)->managed_pages);
}
END_TEST

START_TEST(pages_by_node)
{
	struct page *pages[4];

	ck_assert_int_eq(options_parse("numa=fake=4", "test"), 0);
	for (unsigned int nid = 0; nid < 4; nid++) {
		pages[nid] = page_alloc(nid, __GFP_MOVABLE, 2, NULL);
		ck_assert_uint_eq(page_zone(pages[nid])->nid, nid);
		/* no two zones in one section */
		for (unsigned int other = 0; other < nid; other++)
			ck_assert_ptr_ne(page_section(pages[nid]), page_section(pages[other]));
	}
	assert_heap_sound();
	for (unsigned int nid = 0; nid < 4; nid++) {
		page_free(pages[nid], 2, MIGRATE_MOVABLE, NULL, 0);
		ck_assert_uint_eq(zone_of(nid)->nr_free_pages, zone_of(nid)->managed_pages);
	}
	assert_heap_sound();
}
END_TEST

START_TEST(one_node_without_the_option)
{
	ck_assert_uint_eq(nr_nodes(), 1);
	ck_assert_uint_eq(page_zone(page_alloc(0, __GFP_MOVABLE, 0, NULL))->nid, 0);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/numa");

	tcase_add_loop_test(tc, threads_trade_between_nodes, 0, 2);
	tcase_add_test(tc, pages_by_node);
	tcase_add_test(tc, one_node_without_the_option);
	return test_run(tc);
}
