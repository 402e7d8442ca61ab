/* SPDX-License-Identifier: MIT */
#include "page/section.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "../testing.h"
#include "buddy/run.h"
#include "buddy/zone.h"
#include "os/info.h"

static struct zone *zone;

static void setup(void)
{
	zone = &node_data[0].zones[ZONE_NORMAL];
}

START_TEST(addresses_of_others)
{
	static int data;
	int local;
	void *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *allocated = malloc(100);

	ck_assert_ptr_nonnull(zone_alloc_run(zone, 1, 0, MIGRATE_MOVABLE, NULL));
	ck_assert_ptr_null(addr_to_section(NULL));
	ck_assert_ptr_null(addr_to_section((void *)1));
	ck_assert_ptr_null(addr_to_section(&local));
	ck_assert_ptr_null(addr_to_section(&data));
	ck_assert_ptr_null(addr_to_section((void *)(uintptr_t)getenv));
	ck_assert_ptr_null(addr_to_section(mapped));
	ck_assert_ptr_null(addr_to_section(allocated));
	free(allocated);
}
END_TEST

/* No pointer, whatever its bits, may lead outside of the table. */
START_TEST(addresses_of_nobody)
{
	for (unsigned int shift = ADDRESS_BITS; shift < 64; shift++) {
		uintptr_t bit = (uintptr_t)1 << shift;

		ck_assert_ptr_null(addr_to_section((void *)bit));
		ck_assert_ptr_null(addr_to_section((void *)(bit | 0x7f0012345678)));
		ck_assert_ptr_null(addr_to_section((void *)(-bit)));
	}
	ck_assert_ptr_null(addr_to_section((void *)UINTPTR_MAX));
	ck_assert_ptr_null(addr_to_section((void *)(((uintptr_t)1 << ADDRESS_BITS) - 1)));
}
END_TEST

START_TEST(reserve_makes_a_section)
{
	struct page_range range = section_reserve(zone, NULL, 0);
	struct section *section = range.section;
	char *base;

	ck_assert_ptr_nonnull(section);
	ck_assert_uint_eq(range.pfn, 0);
	ck_assert_uint_eq(range.nr_pages, PAGES_PER_SECTION);
	ck_assert(IS_ALIGNED(section->base, SECTION_BYTES));
	ck_assert(IS_ALIGNED((uintptr_t)section, SECTION_META_ALIGN));
	ck_assert_ptr_eq(section->zone, zone);
	ck_assert_uint_eq(section_count(), 1);
	ck_assert_uint_ge(section_meta_bytes(), sizeof(struct section));

	base = (char *)section->base;
	ck_assert_ptr_eq(addr_to_section(base), section);
	ck_assert_ptr_eq(addr_to_section(base + SECTION_BYTES - 1), section);
	ck_assert_ptr_null(addr_to_section(base - 1));
	ck_assert_ptr_null(addr_to_section(base + SECTION_BYTES));
	/* there is nothing behind it yet, and nothing says otherwise */
	ck_assert(!os_copy_from_self(&range, base, 1));
	ck_assert_uint_eq(section_tag(section, 0), TAG_NONE);
}
END_TEST

START_TEST(page_and_address_round_trip)
{
	struct section *section = section_reserve(zone, NULL, 0).section;

	for (unsigned int pfn = 0; pfn < PAGES_PER_SECTION; pfn++) {
		struct page *page = section_page(section, pfn);
		char *addr = page_start(page);

		ck_assert_uint_eq((uintptr_t)addr, section->base + pfn * PAGE_SIZE);
		ck_assert_ptr_eq(page_section(page), section);
		ck_assert_uint_eq(page_pfn(page), pfn);
		ck_assert_uint_eq(addr_to_pfn(addr), pfn);
		ck_assert_uint_eq(addr_to_pfn(addr + PAGE_SIZE - 1), pfn);
	}
}
END_TEST

START_TEST(tags)
{
	struct section *section = section_reserve(zone, NULL, 0).section;

	page_set_tags(section_page(section, 10), 5, 77);
	page_set_tags(section_page(section, PAGES_PER_SECTION - 1), 1, 78);
	for (unsigned int pfn = 0; pfn < PAGES_PER_SECTION; pfn++) {
		unsigned int expected = pfn >= 10 && pfn < 15 ? 77 : TAG_NONE;

		if (pfn == PAGES_PER_SECTION - 1)
			expected = 78;
		ck_assert_uint_eq(section_tag(section, pfn), expected);
	}
}
END_TEST

static void count_section(struct section *section, void *arg)
{
	unsigned int *nr = arg;

	ck_assert_ptr_eq(addr_to_section((void *)section->base), section);
	(*nr)++;
}

START_TEST(several_sections)
{
	struct section *sections[4];
	unsigned int nr = 0;

	for (int i = 0; i < 4; i++) {
		sections[i] = section_reserve(zone, NULL, MAX_PAGE_ORDER).section;
		for (int j = 0; j < i; j++)
			ck_assert_ptr_ne(sections[i], sections[j]);
	}
	section_for_each(count_section, &nr);
	ck_assert_uint_eq(nr, 4);
	ck_assert_uint_eq(section_count(), 4);
}
END_TEST

START_TEST(orders_of_sizes)
{
	static const struct {
		size_t bytes;
		size_t pages;
		unsigned int order;
	} table[] = {
		{ 0, 0, 0 },
		{ 1, 1, 0 },
		{ 4096, 1, 0 },
		{ 4097, 2, 1 },
		{ 3 * 4096, 3, 2 },
		{ 4 * 4096, 4, 2 },
		{ 28 * 1024, 7, 3 }, /* the text-book's 28 KiB */
		{ SECTION_BYTES, PAGES_PER_SECTION, SECTION_SHIFT - PAGE_SHIFT },
		{ SIZE_MAX, (size_t)1 << 52, 52 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		ck_assert_uint_eq(bytes_to_pages(table[i].bytes), table[i].pages);
		ck_assert_uint_eq(pages_to_order(table[i].pages), table[i].order);
	}
	for (size_t n = 1; n <= 5000; n++) {
		ck_assert_uint_ge((size_t)1 << pages_to_order(n), n);
		ck_assert_uint_lt(((size_t)1 << pages_to_order(n)) / 2, n);
	}
}
END_TEST

int main(void)
{
	TCase *tc = test_case("page/section");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, addresses_of_others);
	tcase_add_test(tc, addresses_of_nobody);
	tcase_add_test(tc, reserve_makes_a_section);
	tcase_add_test(tc, page_and_address_round_trip);
	tcase_add_test(tc, tags);
	tcase_add_test(tc, several_sections);
	tcase_add_test(tc, orders_of_sizes);
	return test_run(tc);
}
