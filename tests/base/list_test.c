/* SPDX-License-Identifier: MIT */
#include "base/list.h"

#include "../testing.h"

struct item {
	int number;
	struct list_head list;
};

/* The numbers on @head in order, as decimal digits; also holds every link against its inverse. */
static long digits(struct list_head *head)
{
	struct list_head *pos;
	long n = 0;

	list_for_each (pos, head) {
		ck_assert_ptr_eq(pos->next->prev, pos);
		ck_assert_ptr_eq(pos->prev->next, pos);
		n = n * 10 + list_entry(pos, struct item, list)->number;
	}
	return n;
}

START_TEST(zero_is_an_empty_list)
{
	struct list_head zero = { NULL, NULL };

	ck_assert(list_empty(&zero));
	ck_assert_int_eq(digits(&zero), 0);
	list_head_init(&zero);
	ck_assert(list_empty(&zero));
	ck_assert_int_eq(digits(&zero), 0);
}
END_TEST

START_TEST(add_at_both_ends)
{
	struct item items[4] = {
		{ .number = 1 }, { .number = 2 }, { .number = 3 }, { .number = 4 }
	};
	struct list_head head;

	list_head_init(&head);
	list_add(&items[1].list, &head);
	list_add(&items[0].list, &head);
	list_add_tail(&items[2].list, &head);
	list_add_tail(&items[3].list, &head);
	ck_assert_int_eq(digits(&head), 1234);
	ck_assert_ptr_eq(list_first_entry(&head, struct item, list), &items[0]);
}
END_TEST

START_TEST(delete_leaves_the_node_unlinked)
{
	struct item items[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
	struct list_head head;

	list_head_init(&head);
	for (int i = 0; i < 3; i++)
		list_add_tail(&items[i].list, &head);
	list_del(&items[1].list);
	ck_assert_int_eq(digits(&head), 13);
	ck_assert_ptr_null(items[1].list.next);
	ck_assert_ptr_null(items[1].list.prev);
	list_del(&items[0].list);
	list_del(&items[2].list);
	ck_assert(list_empty(&head));
}
END_TEST

int main(void)
{
	TCase *tc = test_case("base/list");

	tcase_add_test(tc, zero_is_an_empty_list);
	tcase_add_test(tc, add_at_both_ends);
	tcase_add_test(tc, delete_leaves_the_node_unlinked);
	return test_run(tc);
}
