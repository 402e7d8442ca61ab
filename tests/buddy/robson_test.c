/* SPDX-License-Identifier: MIT */
/*
 * Robson's bound. For programs whose blocks are powers of two up to n, and never more than M in
 *all,
 *
 *	N = M (1 + log2(n) / 2) - n + 1
 *
 * units of memory suffice for the best allocator, and some program needs as much from any (Robson
 * 1971, 1974). That the buddy is the best allocator is not claimed and not proved here: it does not
 * choose addresses as the proof's allocator does, and a program made against it might need more.
 * What is tested: the proof's worst-case program is served within N pages, rounded up to whole
 * blocks of n since the buddy cannot use a part of one, when not one page more can be had, and not
 * within n pages less. Random programs of the same n and M, which are far from the worst case, are
 * served too.
 */
#include <errno.h>

#include "arena.h"
#include "os/mem.h"

void *__real_os_reserve(void *hint, size_t bytes, size_t align);
void *__wrap_os_reserve(void *hint, size_t bytes, size_t align);
int __real_os_commit(void *addr, size_t bytes);
int __wrap_os_commit(void *addr, size_t bytes);

static bool no_more;

void *__wrap_os_reserve(void *hint, size_t bytes, size_t align)
{
	return no_more ? NULL : __real_os_reserve(hint, bytes, align);
}

int __wrap_os_commit(void *addr, size_t bytes)
{
	return no_more ? -ENOMEM : __real_os_commit(addr, bytes);
}

static const struct bound {
	unsigned int live;    /* M */
	unsigned int largest; /* n, a power of two */
} bounds[] = {
	{ 128, 2 }, { 128, 8 }, { 128, 32 }, { 256, 16 }, { 256, 32 }, { 200, 16 }, { 512, 4 },
};

static unsigned int robson_pages(const struct bound *b)
{
	unsigned int exact = b->live + b->live * ilog2(b->largest) / 2 - b->largest + 1;

	return ALIGN_UP(exact, b->largest);
}

/* The blocks that the program holds. */
static struct page *blocks[1024];
static unsigned int nr_blocks, nr_live;

static bool take(unsigned int order)
{
	struct page *page = take_block(order);

	if (!page)
		return false;
	blocks[nr_blocks++] = page;
	nr_live += 1U << order;
	return true;
}

static void give(unsigned int i)
{
	unsigned int nr = blocks[i]->nr_pages;

	nr_live -= nr;
	give_pages(blocks[i], nr);
	blocks[i] = blocks[--nr_blocks];
}

static void start(unsigned int nr_pages)
{
	arena_of(nr_pages);
	no_more = true;
}

/* Whether a block holds a page whose number is @offset modulo @window. */
static bool covers(const struct page *page, unsigned int offset, unsigned int window)
{
	unsigned int pfn = page_pfn(page);
	unsigned int next = ALIGN_DOWN(pfn, window) + offset;

	if (next < pfn)
		next += window;
	return next < pfn + page->nr_pages;
}

/* How much room the blocks that cover @offset would spoil for blocks of @window pages. */
static unsigned int spoilt(unsigned int offset, unsigned int window)
{
	unsigned int room = 0;

	for (unsigned int i = 0; i < nr_blocks; i++) {
		if (covers(blocks[i], offset, window))
			room += window - MIN(window, blocks[i]->nr_pages);
	}
	return room;
}

/*
 * The program of the proof: blocks of 1, 2, 4 ... n pages in turn. Before each doubling it frees
 * all but the blocks that cover one chosen offset of a window, so that one small block keeps every
 * window from being used by a larger one. Return: whether all that it asked for was given.
 */
static bool worst_case(const struct bound *b)
{
	unsigned int offset = 0;

	while (nr_live < b->live) {
		if (!take(0))
			return false;
	}
	for (unsigned int order = 1; 1U << order <= b->largest; order++) {
		unsigned int window = 1U << order;
		unsigned int other = offset + window / 2;

		if (spoilt(other, window) > spoilt(offset, window))
			offset = other;
		for (unsigned int i = nr_blocks; i-- > 0;) {
			if (!covers(blocks[i], offset, window))
				give(i);
		}
		while (nr_live + window <= b->live) {
			if (!take(order))
				return false;
		}
	}
	return true;
}

START_TEST(worst_case_program)
{
	start(robson_pages(&bounds[_i]));
	ck_assert(worst_case(&bounds[_i]));
	assert_heap_sound();
}
END_TEST

/* Else the program would be no worst case, and the test above would show nothing. */
START_TEST(one_block_less_is_too_little)
{
	start(robson_pages(&bounds[_i]) - bounds[_i].largest);
	ck_assert(!worst_case(&bounds[_i]));
	assert_heap_sound();
}
END_TEST

START_TEST(random_programs)
{
	const struct bound *b = &bounds[_i];
	uint64_t seed = test_seed();

	start(robson_pages(b));
	for (int step = 0; step < 20000; step++) {
		unsigned int order = random_below(&seed, ilog2(b->largest) + 1);

		if (nr_live + (1U << order) <= b->live)
			ck_assert_msg(take(order), "order %u refused with %u of %u pages live",
				      order, nr_live, robson_pages(b));
		else
			give(random_below(&seed, nr_blocks));
		/* from time to time most of it goes, at random: holes everywhere */
		if (step % 1000 == 999) {
			while (nr_live > b->live / 4)
				give(random_below(&seed, nr_blocks));
		}
	}
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("buddy/robson");

	tcase_add_loop_test(tc, worst_case_program, 0, ARRAY_SIZE(bounds));
	tcase_add_loop_test(tc, one_block_less_is_too_little, 0, ARRAY_SIZE(bounds));
	tcase_add_loop_test(tc, random_programs, 0, ARRAY_SIZE(bounds));
	return test_run(tc);
}
