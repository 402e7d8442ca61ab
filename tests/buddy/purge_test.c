/* SPDX-License-Identifier: MIT */
/* What is known of the contents of free pages, and giving them back. */
#include "buddy/purge.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arena.h"
#include "base/option.h"
#include "buddy/page_alloc.h"
#include "buddy/wmark.h"
#include "os/info.h"
#include "os/mem.h"

int __real_os_discard(void *addr, size_t bytes);
int __wrap_os_discard(void *addr, size_t bytes);

static int refusal; /* 0: none */
static unsigned int nr_discards;

int __wrap_os_discard(void *addr, size_t bytes)
{
	nr_discards++;
	return refusal ? refusal : __real_os_discard(addr, bytes);
}

static void dirty_all(struct page *page)
{
	memset(page_start(page), 0xff, page->nr_pages * PAGE_SIZE);
}

/* Take a run, and say how many of its pages may not read as zero. */
static unsigned int dirty_of(size_t nr_pages, struct page **page)
{
	unsigned int nr_dirty = 12345;

	*page = zone_alloc_run(zone, nr_pages, 0, MIGRATE_MOVABLE, &nr_dirty);
	ck_assert_ptr_nonnull(*page);
	return nr_dirty;
}

START_TEST(fresh_pages_are_clean)
{
	struct page *page;

	for (unsigned int n = 1; n < 200; n += 13) {
		ck_assert_uint_eq(dirty_of(n, &page), 0);
		ck_assert(all_zero(page_start(page), n * PAGE_SIZE));
	}
	ck_assert_uint_eq(zone->nr_dirty, 0);
}
END_TEST

START_TEST(freed_pages_are_dirty_until_purged)
{
	struct page *page;

	ck_assert_uint_eq(dirty_of(100, &page), 0);
	dirty_all(page);
	give_pages(page, 100);
	ck_assert_uint_eq(zone->nr_dirty, 100);
	assert_heap_sound();
	/* the same pages come first, and are known for what they are */
	ck_assert_uint_eq(dirty_of(40, &page), 40);
	ck_assert_uint_eq(zone->nr_dirty, 60);
	give_pages(page, 40);
	ck_assert_uint_eq(dirty_of(120, &page), 100);
	give_pages(page, 120);
	ck_assert_uint_eq(zone->nr_dirty, 120);

	ck_assert_uint_eq(page_purge_all(), 120);
	ck_assert_uint_eq(zone->nr_dirty, 0);
	ck_assert_uint_eq(zone->nr_isolated, 0);
	ck_assert_uint_eq(zone->events.purged, 120);
	assert_heap_sound();
	ck_assert_uint_eq(dirty_of(120, &page), 0);
	ck_assert(all_zero(page_start(page), 120 * PAGE_SIZE));
}
END_TEST

/* The map of a run's dirty pages is right, page by page. */
START_TEST(copy_of_the_map)
{
	uint64_t map[PAGEBLOCK_PAGES / BITS_PER_WORD + 1];
	struct page *page;

	arena_one_pageblock();
	page_purge_all();
	page = take_pages(PAGEBLOCK_PAGES);
	for (unsigned int i = 0; i < PAGEBLOCK_PAGES; i++)
		*((char *)page_start(page) + i * PAGE_SIZE) = 1;
	zone_shorten_run(page, 100); /* 100 to 511 are dirty */
	ck_assert_uint_eq(zone->nr_dirty, PAGEBLOCK_PAGES - 100);
	ck_assert(zone_extend_run(page, 300));
	memset(map, 0xff, sizeof(map));
	zone_copy_dirty(page, 300, map);
	for (unsigned int i = 0; i < 300; i++)
		ck_assert_uint_eq(bitmap_test(map, i), i >= 100);
	ck_assert_uint_eq(bitmap_count_range(map, 300, 20), 0);
}
END_TEST

START_TEST(clean_runs_read_zero)
{
	uint64_t seed = test_seed();
	static struct page *pages[64];

	options.dirty_min_kib = 1024;
	for (int step = 0; step < 10000; step++) {
		unsigned int i = random_below(&seed, ARRAY_SIZE(pages));
		unsigned int n = 1 + random_below(&seed, 50);

		if (pages[i]) {
			give_pages(pages[i], pages[i]->nr_pages);
			pages[i] = NULL;
		} else {
			uint64_t map[1];

			if (!dirty_of(n, &pages[i]))
				ck_assert(all_zero(page_start(pages[i]), n * PAGE_SIZE));
			zone_copy_dirty(pages[i], n, map);
			for (unsigned int p = 0; p < n; p++)
				ck_assert(bitmap_test(map, p) ||
					  all_zero(page_start(pages[i] + p), PAGE_SIZE));
			dirty_all(pages[i]);
		}
		if (step % 1000 == 0)
			assert_heap_sound();
	}
	ck_assert_uint_gt(zone->events.purged, 0);
	assert_heap_sound();
}
END_TEST

/* Never more free dirty pages than the watermark says, and no more than needed goes. */
START_TEST(watermarks)
{
	struct page *pages[64];

	options.dirty_min_kib = 1024; /* 256 pages */
	options.dirty_percent = 0;
	for (int i = 0; i < 64; i++) {
		pages[i] = take_pages(16);
		dirty_all(pages[i]);
	}
	ck_assert_uint_eq(high_wmark_pages(zone), 256);
	ck_assert_uint_eq(low_wmark_pages(zone), 192);
	for (int i = 0; i < 64; i++) {
		give_pages(pages[i], 16);
		ck_assert_uint_le(zone->nr_dirty, 256);
	}
	ck_assert_uint_gt(zone->events.purged, 0);
	assert_heap_sound();
}
END_TEST

START_TEST(watermark_follows_use)
{
	struct page *page = take_block(10);
	unsigned long before;

	options.dirty_min_kib = 32 * 4 * 100;
	options.dirty_percent = 0;
	ck_assert_uint_eq(high_wmark_pages(zone), 3200);
	ck_assert_uint_eq(low_wmark_pages(zone), 3100);
	options.dirty_min_kib = 0;
	ck_assert_uint_eq(low_wmark_pages(zone), 0);
	options.dirty_percent = 10;
	before = high_wmark_pages(zone);
	ck_assert_uint_eq(before, 1024 / 100 * 10);
	ck_assert_ptr_nonnull(take_block(10));
	ck_assert_uint_eq(high_wmark_pages(zone), 2048 / 100 * 10);
	give_block(page, 10);
	ck_assert_uint_le(zone->nr_dirty, high_wmark_pages(zone));
}
END_TEST

START_TEST(purge_can_be_off)
{
	struct page *page = take_block(10);

	options.purge = 0;
	options.dirty_min_kib = 0;
	options.dirty_percent = 0;
	dirty_all(page);
	give_block(page, 10);
	ck_assert_uint_eq(zone->nr_dirty, 1024);
	ck_assert_uint_eq(nr_discards, 0);
	/* but whoever asks for it gets it */
	ck_assert_uint_eq(page_purge_all(), 1024);
}
END_TEST

START_TEST(keep_some)
{
	struct page *pages[32], *gaps[32];

	for (int i = 0; i < 32; i++) {
		pages[i] = take_pages(4);
		gaps[i] = take_pages(4);
	}
	for (int i = 0; i < 32; i++)
		give_pages(pages[i], 4);
	ck_assert_uint_eq(zone->nr_dirty, 128);
	ck_assert_uint_eq(zone_purge(zone, 50), 80);
	ck_assert_uint_eq(zone->nr_dirty, 48);
	ck_assert_uint_eq(zone_purge(zone, 48), 0);
	for (int i = 0; i < 32; i++)
		give_pages(gaps[i], 4);
	assert_heap_sound();
}
END_TEST

/* Runs in turn, so that what one frees has no free neighbours. */
static void take_with_gaps(struct page **pages, unsigned int nr, size_t nr_pages)
{
	for (unsigned int i = 0; i < nr; i++) {
		pages[i] = take_pages(nr_pages);
		take_pages(nr_pages);
	}
}

static unsigned int dirty_pages(const struct page *page, unsigned int nr)
{
	return bitmap_count_range(page_section(page)->dirty, page_pfn(page), nr);
}

/* What has been free the longest goes first, whatever is large. */
START_TEST(oldest_first)
{
	struct page *pages[6];

	take_with_gaps(pages, 6, 64);
	for (int i = 0; i < 6; i++)
		give_pages(pages[5 - i], 64);
	ck_assert_uint_eq(zone_purge(zone, 4 * 64), 2 * 64);
	for (unsigned int i = 0; i < 6; i++)
		ck_assert_uint_eq(dirty_pages(pages[i], 64), i < 4 ? 64 : 0);
	/* used again, the oldest is the youngest */
	ck_assert_ptr_eq(take_pages(64), pages[0]);
	zone_extend_run(pages[0], 64);
	give_pages(pages[0], 64);
	ck_assert_uint_eq(zone_purge(zone, 64), 3 * 64);
	ck_assert_uint_eq(dirty_pages(pages[0], 64), 64);
	assert_heap_sound();
}
END_TEST

/* Bytes of struct pages that lie in OS pages of their own, but for the first and the last of @nr, and how many of
 * them are resident. */
static size_t tail_bytes(struct page *page, unsigned int nr, size_t *resident)
{
	char *from = (char *)ALIGN_UP((uintptr_t)(page + 1), os_page_size());
	char *to = (char *)ALIGN_DOWN((uintptr_t)(page + nr - 1), os_page_size());

	*resident = os_resident_bytes(from, (size_t)(to - from));
	return (size_t)(to - from);
}

/* The struct pages of a block that goes go too, and are there again when they are needed. */
START_TEST(struct_pages_go_with_their_block)
{
	struct page *pages[PAGEBLOCK_PAGES];
	size_t bytes, resident;

	arena_one_pageblock();
	for (int round = 0; round < 2; round++) {
		struct page *block;

		for (unsigned int i = 0; i < PAGEBLOCK_PAGES; i++) {
			pages[i] = take_block(0);
			*(char *)page_start(pages[i]) = 1;
		}
		block = pages[0] - page_pfn(pages[0]) % PAGEBLOCK_PAGES;
		bytes = tail_bytes(block, PAGEBLOCK_PAGES, &resident);
		ck_assert_uint_gt(bytes, PAGEBLOCK_PAGES * sizeof(*block) / 2);
		ck_assert_uint_eq(resident, bytes);
		for (unsigned int i = 0; i < PAGEBLOCK_PAGES; i++)
			give_block(pages[i], 0);
		page_purge_all();
		tail_bytes(block, PAGEBLOCK_PAGES, &resident);
		ck_assert_uint_eq(resident, 0);
		assert_heap_sound();
	}
}
END_TEST

/* Of a large block no more goes than is too much. */
START_TEST(a_part_of_a_block)
{
	const unsigned int order = MIN(11, MAX_PAGE_ORDER);
	const unsigned int nr = 1U << order;
	struct page *page = take_block(order);

	options.purge = 0;
	give_block(page, order);
	ck_assert_uint_eq(zone_purge(zone, nr / 4 * 3 - nr / 64), nr / 2);
	ck_assert_uint_eq(dirty_pages(page, nr / 2), nr / 2);
	assert_heap_sound();
	ck_assert_uint_eq(zone_purge(zone, nr / 2 - 24), 64);
	ck_assert_uint_eq(zone->nr_dirty, nr / 2 - 64);
	assert_heap_sound();
}
END_TEST

/* Give 300 pages back while nothing may stay and the OS refuses: each refusal is counted, and nothing is lost. */
static void give_refused(struct page *page, int error)
{
	unsigned int tried = nr_discards;

	options.dirty_min_kib = 0;
	options.dirty_percent = 0;
	fill_bytes(page_start(page), 300 * PAGE_SIZE, 3);
	refusal = error;
	give_pages(page, 300);
	ck_assert_uint_gt(zone->events.purge_failed, 0);
	ck_assert_uint_eq(zone->events.purge_failed, nr_discards - tried);
	ck_assert_uint_eq(zone->nr_dirty, 300);
	ck_assert_uint_eq(zone->nr_isolated, 0);
	assert_heap_sound();
}

/* Memory that is locked cannot go: one refusal is enough, until somebody asks again. */
START_TEST(refused)
{
	struct page *page = take_pages(300);
	unsigned int tried;

	give_refused(page, -EINVAL);
	ck_assert(zone->purge_refused);

	tried = nr_discards;
	give_pages(take_pages(10), 10);
	ck_assert_uint_eq(nr_discards, tried);

	refusal = 0;
	ck_assert_uint_eq(page_purge_all(), 300);
	ck_assert_uint_eq(zone->nr_dirty, 0);
	assert_heap_sound();
}
END_TEST

/* Blocks that go by one call are as clean as others, and one that is refused stays as it was. */
START_TEST(batches)
{
	struct page *pages[6];

	options.purge = PURGE_BATCH;
	take_with_gaps(pages, 6, 64);
	for (int i = 0; i < 6; i++) {
		fill_bytes(page_start(pages[i]), 64 * PAGE_SIZE, 3);
		give_pages(pages[i], 64);
	}
	/* of five that are the oldest, so that they are one batch */
	ck_assert_uint_eq(zone_purge(zone, 64), 5 * 64);
	for (int i = 0; i < 5; i++) {
		ck_assert_uint_eq(dirty_pages(pages[i], 64), 0);
		ck_assert(all_zero(page_start(pages[i]), 64 * PAGE_SIZE));
	}
	/* what the kernel does not do together is done one by one */
	ck_assert(nr_discards == 0 || nr_discards == 5);
	assert_heap_sound();
	ck_assert_uint_eq(page_purge_all(), 64);
}
END_TEST

START_TEST(batch_with_a_locked_block)
{
	struct page *pages[6];
	char *addr;

	options.purge = PURGE_BATCH;
	take_with_gaps(pages, 6, 64);
	for (int i = 0; i < 6; i++) {
		fill_bytes(page_start(pages[i]), 64 * PAGE_SIZE, 3);
		give_pages(pages[i], 64);
	}
	addr = page_start(pages[2]);
	/* not by mlock(), which sanitizers make a no-op; refused, it leaves nothing to test */
	if (!syscall(SYS_mlock, addr, PAGE_SIZE)) {
		ck_assert_uint_eq(page_purge_all(), 5 * 64);
		ck_assert_uint_eq(dirty_pages(pages[2], 64), 64);
		ck_assert_uint_eq(zone->events.purge_failed, 1);
		ck_assert(zone->purge_refused);
		syscall(SYS_munlock, addr, PAGE_SIZE);
	}
	assert_heap_sound();
}
END_TEST

/* The OS is short of something: counted, not tried again at once, and tried again later. */
static void refused_for_now(int error)
{
	struct page *page = take_pages(300);
	struct page *other = take_pages(300);
	struct page *last = take_pages(10);
	unsigned long failed;
	unsigned int tried;

	fill_bytes(page_start(other), 300 * PAGE_SIZE, 3);
	give_refused(page, error);
	failed = zone->events.purge_failed;
	ck_assert(!zone->purge_refused);

	tried = nr_discards;
	give_pages(take_pages(10), 10);
	ck_assert_uint_eq(nr_discards, tried);

	/* nobody asks: as much again is enough */
	refusal = 0;
	give_pages(other, 300);
	give_pages(last, 10);
	ck_assert_uint_eq(zone->nr_dirty, 0);
	ck_assert_uint_eq(zone->events.purge_failed, failed);
	assert_heap_sound();
}

START_TEST(refused_by_a_busy_os)
{
	refused_for_now(-EAGAIN);
}
END_TEST

START_TEST(refused_by_an_os_without_memory)
{
	refused_for_now(-ENOMEM);
}
END_TEST

START_TEST(resident_memory_falls)
{
	struct page *page = take_block(10);
	void *addr = page_start(page);

	dirty_all(page);
	options.purge = 0;
	ck_assert_uint_eq(os_resident_bytes(addr, MIB(4)), MIB(4));
	give_block(page, 10);
	page_purge_all();
	ck_assert_uint_eq(os_resident_bytes(addr, MIB(4)), 0);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/purge");

	tcase_add_test(tc, fresh_pages_are_clean);
	tcase_add_test(tc, freed_pages_are_dirty_until_purged);
	tcase_add_test(tc, copy_of_the_map);
	tcase_add_test(tc, clean_runs_read_zero);
	tcase_add_test(tc, watermarks);
	tcase_add_test(tc, watermark_follows_use);
	tcase_add_test(tc, purge_can_be_off);
	tcase_add_test(tc, keep_some);
	tcase_add_test(tc, oldest_first);
	tcase_add_test(tc, struct_pages_go_with_their_block);
	tcase_add_test(tc, a_part_of_a_block);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, batches);
	tcase_add_test(tc, batch_with_a_locked_block);
	tcase_add_test(tc, refused_by_a_busy_os);
	tcase_add_test(tc, refused_by_an_os_without_memory);
	tcase_add_test(tc, resident_memory_falls);
	return test_run(tc);
}
