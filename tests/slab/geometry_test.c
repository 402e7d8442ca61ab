/* SPDX-License-Identifier: MIT */
#include "slab/geometry.h"

#include <stdio.h>
#include <unistd.h>

#include "../testing.h"
#include "page/page.h"

START_TEST(min_objects_by_cpus)
{
	/* 4 * (fls(cpus) + 1) */
	static const unsigned int table[][2] = {
		{ 1, 8 },  { 2, 12 },  { 3, 12 },  { 4, 16 },
		{ 8, 20 }, { 15, 20 }, { 16, 24 }, { 256, 40 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		ck_assert_uint_eq(slab_min_objects(table[i][0]), table[i][1]);
}
END_TEST

/* By hand, for 16 objects (4 to 7 processors): the orders that such a kernel shows for kmalloc. */
START_TEST(orders_for_four_cpus)
{
	static const struct {
		size_t size;
		int order;
	} table[] = {
		{ 16, 0 },
		{ 96, 0 },
		{ 192, 0 },
		{ 256, 0 },
		{ 512, 1 },
		{ 1024, 2 },
		{ 2048, 3 },
		{ 4096, 3 },
		{ 8192, 3 },
		{ 16384, 3 },
		{ 32768, 3 },
		{ 32769, 4 },
		{ 65536, 4 },
		{ 65537, 5 },
		/* 5 in 32 KiB waste more than 1/16, more than 1/8 is not allowed before: 6144 * 5 =
		   30720 */
		{ 6144, 3 },
		/* 704 * 16 = 11264 needs order 2, which wastes 16384 % 704 = 192 */
		{ 704, 2 },
		/* the rule prefers order 3 (32768 % 1100 = 868) to order 3's only rival, none */
		{ 1100, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		ck_assert_msg(slab_order(table[i].size, 16, SLAB_MAX_ORDER) == table[i].order,
			      "size %zu: order %d", table[i].size,
			      slab_order(table[i].size, 16, SLAB_MAX_ORDER));
	ck_assert_int_eq(slab_order(PAGE_SIZE << MAX_PAGE_ORDER, 16, SLAB_MAX_ORDER),
			 MAX_PAGE_ORDER);
	ck_assert_int_lt(slab_order((PAGE_SIZE << MAX_PAGE_ORDER) + 1, 16, SLAB_MAX_ORDER), 0);
}
END_TEST

/* What the rule promises, held against every order it could have chosen. */
static void check_rule(size_t size, unsigned int min_objects, unsigned int max_order)
{
	unsigned int order = (unsigned int)slab_order(size, min_objects, max_order);
	size_t bytes = PAGE_SIZE << order;
	size_t most = MAX((PAGE_SIZE << SLAB_MAX_ORDER) / size, 1);
	size_t wanted = MIN(min_objects, most);
	unsigned int fraction = 16;

	if (size > PAGE_SIZE << SLAB_MAX_ORDER && order > max_order)
		return; /* the order of one object */
	ck_assert_uint_ge(bytes / size, wanted);
	ck_assert_uint_le(order, max_order);
	while (bytes % size > bytes / fraction)
		fraction /= 2;
	ck_assert_uint_gt(fraction, 1);
	for (unsigned int other = 0; other <= max_order; other++) {
		size_t room = PAGE_SIZE << other;

		if (room / size < wanted)
			continue;
		/* neither a smaller one as good as this, nor any that is better */
		ck_assert(other >= order || room % size > room / fraction);
		if (fraction < 16)
			ck_assert(room % size > room / (fraction * 2));
	}
}

START_TEST(rule_for_every_size)
{
	for (size_t size = 16; size <= KIB(36); size += 8) {
		for (unsigned int min_objects = 8; min_objects <= 40; min_objects += 4) {
			check_rule(size, min_objects, SLAB_MAX_ORDER);
			check_rule(size, min_objects, 5);
		}
	}
}
END_TEST

/*
 * The running kernel's caches. Its objsize is what lies from one object to the next, so the rule
 * must give its objperslab and pagesperslab for every row, but for these, which are printed and
 * left out: caches that were made before the kernel knew how many processors it has (the first of
 * all, when the machine had one), and those of an order set by hand. So nearly all, not all, must
 * match.
 */
START_TEST(running_kernel)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	FILE *file = fopen("/proc/slabinfo", "r");
	unsigned int match = 0, rows = 0;
	char line[1000];

	if (!file || PAGE_SIZE != (size_t)sysconf(_SC_PAGESIZE)) {
		printf("/proc/slabinfo is not readable, or is of a kernel with larger pages\n");
		if (file)
			fclose(file);
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		unsigned long active, all;
		unsigned int size, objects, pages;
		char name[100];
		int order;

		if (sscanf(line, "%99s %lu %lu %u %u %u", name, &active, &all, &size, &objects,
			   &pages) != 6)
			continue;
		rows++;
		order = slab_order(size, slab_min_objects((unsigned int)cpus), SLAB_MAX_ORDER);
		if (order >= 0 && 1U << order == pages && (PAGE_SIZE << order) / size == objects)
			match++;
		else
			printf("%s: objsize %u, kernel: %u in %u pages, here: order %d\n", name,
			       size, objects, pages, order);
	}
	fclose(file);
	printf("%u of %u caches of the running kernel match (%ld processors)\n", match, rows, cpus);
	ck_assert_uint_ge(rows, 20);
	ck_assert_uint_ge(match, rows / 10 * 9);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("slab/geometry");

	tcase_add_test(tc, min_objects_by_cpus);
	tcase_add_test(tc, orders_for_four_cpus);
	tcase_add_test(tc, rule_for_every_size);
	tcase_add_test(tc, running_kernel);
	return test_run(tc);
}
