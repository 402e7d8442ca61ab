/* SPDX-License-Identifier: MIT */
/* Rows stay in order and where they are, however many there are; and all memory comes back. */
#include "page/rows.h"

#include "../testing.h"
#include "page/meta.h"

struct row {
	unsigned long number;
	char rest[92];
};

#define NR_ROWS 3000

static void check_row(const void *row, void *arg)
{
	unsigned long *next = arg;

	ck_assert_uint_eq(((const struct row *)row)->number, (*next)++);
}

START_TEST(rows_in_order)
{
	struct rows rows = { .row_bytes = sizeof(struct row) };
	size_t used = meta_used_bytes();
	unsigned long next;
	struct row *first;

	ck_assert_ptr_null(rows_add(&rows));
	for (int round = 0; round < 3; round++) {
		first = NULL;
		for (unsigned long i = 0; i < NR_ROWS; i++) {
			struct row *row;

			/* one by one, and all at once */
			ck_assert(rows_reserve(&rows, round ? NR_ROWS : i + 1));
			row = rows_add(&rows);
			ck_assert(all_zero(row, sizeof(*row)));
			fill_bytes(row, sizeof(*row), i);
			row->number = i;
			first = first ? first : row;
			ck_assert_uint_eq(rows.nr, i + 1);
		}
		ck_assert_ptr_eq(rows_at(&rows, 0), first);
		for (unsigned long i = 0; i < NR_ROWS; i += 7)
			ck_assert_uint_eq(((struct row *)rows_at(&rows, i))->number, i);
		next = 0;
		rows_for_each(&rows, check_row, &next);
		ck_assert_uint_eq(next, NR_ROWS);
		rows_clear(&rows);
		next = 0;
		rows_for_each(&rows, check_row, &next);
		ck_assert_uint_eq(next, 0);
		ck_assert_uint_ge(rows.room, NR_ROWS);
	}
	rows_free(&rows);
	ck_assert_uint_eq(meta_used_bytes(), used);
	ck_assert_ptr_null(rows_add(&rows));
}
END_TEST

/* No more rows than there is room for, and exactly as many. */
START_TEST(room)
{
	struct rows rows = { .row_bytes = sizeof(struct row) };
	size_t nr = 0;

	ck_assert(rows_reserve(&rows, 1));
	ck_assert_uint_ge(rows.room, 1);
	while (rows_add(&rows))
		nr++;
	ck_assert_uint_eq(nr, rows.room);
	ck_assert_uint_eq(rows.nr, rows.room);
	ck_assert(rows_reserve(&rows, nr + 1));
	ck_assert_ptr_nonnull(rows_add(&rows));
	rows_free(&rows);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("rows");

	tcase_add_test(tc, rows_in_order);
	tcase_add_test(tc, room);
	return test_run(tc);
}
