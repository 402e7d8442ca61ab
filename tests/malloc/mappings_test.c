/* SPDX-License-Identifier: MIT */
/*
 * The kernel allows a process 65530 mappings (vm.max_map_count). A heap has some for each section and none for a block,
 * whatever its blocks are like and in whichever order they are freed.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../testing.h"
#include "base/option.h"
#include "malloc/heap.h"
#include "os/info.h"
#include "page/section.h"

#define NR_BLOCKS 1000000U

/* What a section may have: its struct, what is committed, what is only reserved. */
#define PER_SECTION 3

/* And two for each row of pageblocks that asked for huge pages, of which there are eight at most. */
#define PER_SECTION_THP (PER_SECTION + 16)

/* Metadata, and what libc maps meanwhile. Arbitrary; measured: 16 altogether with 7 sections. */
#define BESIDE 8

uint64_t __wrap_os_thread_cpu_ns(void);

/* No huge page is dear, so all ask that may. */
uint64_t __wrap_os_thread_cpu_ns(void)
{
	return 0;
}

static void *blocks[NR_BLOCKS];
static uint64_t rng;

static unsigned int nr_mappings(void)
{
	static char text[1 << 16];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	unsigned int nr = 0;
	ssize_t len;

	ck_assert_int_ge(fd, 0);
	while ((len = read(fd, text, sizeof(text) - 1)) > 0) {
		text[len] = '\0';
		nr += count_char(text, '\n');
	}
	close(fd);
	ck_assert_uint_gt(nr, 0);
	return nr;
}

/* Mostly small, and of the others some of each length: 400 MiB altogether. */
static size_t mixed_size(void)
{
	unsigned int kind = random_below(&rng, 1000);

	if (kind < 900)
		return 1 + random_below(&rng, 200);
	if (kind < 995)
		return 1 + random_below(&rng, 2000);
	return 1 + random_below(&rng, kind == 999 ? 200000 : 40000);
}

static void check_mappings(unsigned int before, const char *when)
{
	unsigned int per_section = options.thp == THP_AUTO ? PER_SECTION_THP : PER_SECTION;
	unsigned int nr = nr_mappings() - before;

	ck_assert_msg(nr <= BESIDE + per_section * section_count(), "%s: %u mappings, %zu sections",
		      when, nr, section_count());
}

static void shuffle(void)
{
	for (unsigned int i = NR_BLOCKS - 1; i; i--) {
		unsigned int j = random_below(&rng, i + 1);
		void *block = blocks[i];

		blocks[i] = blocks[j];
		blocks[j] = block;
	}
}

static void take(unsigned int from)
{
	for (unsigned int i = from; i < NR_BLOCKS; i++) {
		size_t size = mixed_size();

		blocks[i] = heap_malloc(size);
		ck_assert_ptr_nonnull(blocks[i]);
		memset(blocks[i], 1, size);
	}
}

START_TEST(bounded_by_sections)
{
	unsigned int before;

	options.thp = _i & 2 ? THP_NEVER : THP_AUTO;
	/* what the table of blocks is in is there before */
	memset(blocks, 0xff, sizeof(blocks));
	before = nr_mappings();
	/* everything that can go back does, in pieces as small as may be */
	if (_i & 1) {
		options.dirty_min_kib = 0;
		options.dirty_percent = 0;
	}
	take(0);
	check_mappings(before, "a million blocks");
	shuffle();
	for (unsigned int i = NR_BLOCKS / 2; i < NR_BLOCKS; i++)
		heap_free(blocks[i]);
	heap_trim();
	check_mappings(before, "half of them freed");
	take(NR_BLOCKS / 2);
	check_mappings(before, "others in their place");
	shuffle();
	for (unsigned int i = 0; i < NR_BLOCKS; i++)
		heap_free(blocks[i]);
	heap_trim();
	check_mappings(before, "all freed");
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("malloc/mappings");

	rng = test_seed();
	tcase_add_loop_test(tc, bounded_by_sections, 0, 4);
	return test_run(tc);
}
