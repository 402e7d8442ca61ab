/* SPDX-License-Identifier: MIT */
#include "base/option.h"

#include <stdio.h>
#include <string.h>

#include "../testing.h"

/* Every key of a number: a good value, the bounds, and what lies beyond them. */
static const struct number {
	const char *key;
	unsigned long *value;
	unsigned long good;
	unsigned long max;
} numbers[] = {
	{ "dirty_min", &options.dirty_min_kib, 123, 1UL << 40 },
	{ "dirty_percent", &options.dirty_percent, 7, 1000 },
	{ "exit_report_pid", &options.exit_report_pid, 4711, 1UL << 31 },
	{ "memory_limit", &options.memory_limit, 99999999, 1UL << 50 },
	{ "sheaf", &options.sheaf_kib, 99, 1024 },
};

/* Every key of a choice. */
static const struct choice {
	const char *key;
	unsigned long *value;
	const char *words[2];
} choices[] = {
	{ "audit", &options.audit, { "off", "exit" } },
	{ "bad_free", &options.bad_free, { "abort", "warn" } },
	{ "kswapd", &options.kswapd, { "off", "on" } },
	{ "purge", &options.purge, { "off", "on" } },
};

static unsigned long accept(const char *item, unsigned long *value)
{
	stderr_capture();
	ck_assert_int_eq(options_parse(item, "test"), 0);
	ck_assert_str_eq(stderr_captured(), "");
	return *value;
}

/* Refused, with one line that names the source and the item and says what would be right. */
static void refuse(const char *item)
{
	struct options before = options;
	char expected[300];
	const char *text;

	snprintf(expected, sizeof(expected), "slabuddy: test: bad value in \"%s\": ", item);
	stderr_capture();
	ck_assert_int_eq(options_parse(item, "test"), 1);
	text = stderr_captured();
	ck_assert_msg(!strncmp(text, expected, strlen(expected)), "%s", text);
	ck_assert_uint_gt(strlen(text), strlen(expected) + 10);
	ck_assert_uint_eq(count_char(text, '\n'), 1);
	ck_assert_int_eq(memcmp(&before, &options, sizeof(options)), 0);
}

START_TEST(numbers_and_their_bounds)
{
	static const char *const bad[] = { "",	  "-1",	 "+1",
					   "1x",  "x",	 "0x10",
					   "1.5", "1,2", "99999999999999999999999999" };
	const struct number *n = &numbers[_i];
	char item[100];

	snprintf(item, sizeof(item), "%s=%lu", n->key, n->good);
	ck_assert_uint_eq(accept(item, n->value), n->good);
	snprintf(item, sizeof(item), "%s=0", n->key);
	ck_assert_uint_eq(accept(item, n->value), 0);
	snprintf(item, sizeof(item), "%s=%lu", n->key, n->max);
	ck_assert_uint_eq(accept(item, n->value), n->max);
	snprintf(item, sizeof(item), "%s=%lu", n->key, n->max + 1);
	refuse(item);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(item, sizeof(item), "%s=%s", n->key, bad[i]);
		refuse(item);
	}
	refuse(n->key);
}
END_TEST

START_TEST(purge_has_a_third_word)
{
	ck_assert_uint_eq(accept("purge=batch", &options.purge), PURGE_BATCH);
	refuse("purge=batches");
}
END_TEST

START_TEST(choices_and_their_words)
{
	static const char *const bad[] = { "", "maybe", "1", "ON", "offf", "of" };
	const struct choice *c = &choices[_i];
	char item[100];

	for (unsigned long i = 0; i < 4; i++) {
		snprintf(item, sizeof(item), "%s=%s", c->key, c->words[i % 2]);
		ck_assert_uint_eq(accept(item, c->value), i % 2);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(item, sizeof(item), "%s=%s", c->key, bad[i]);
		refuse(item);
	}
	refuse(c->key);
}
END_TEST

START_TEST(words_alone)
{
	ck_assert_uint_eq(accept("slab_nomerge", &options.slab_merge), 0);
	ck_assert_uint_eq(accept("slab_merge", &options.slab_merge), 1);
	refuse("slab_nomerge=1");
	refuse("slab_merge=");
	/* and a key that takes a value wants one */
	refuse("purge");
}
END_TEST

START_TEST(decay)
{
	ck_assert_uint_eq(options.dirty_decay_ms, 10000);
	ck_assert_uint_eq(accept("dirty_decay_ms=100", &options.dirty_decay_ms), 100);
	ck_assert_uint_eq(accept("dirty_decay_ms=3600000", &options.dirty_decay_ms), 3600000);
	refuse("dirty_decay_ms=99");
	refuse("dirty_decay_ms=3600001");
	refuse("dirty_decay_ms=1s");
	refuse("dirty_decay_ms=");
	refuse("dirty_decay_ms");
}
END_TEST

START_TEST(numa)
{
	ck_assert_uint_eq(options.numa, NUMA_AUTO);
	ck_assert_uint_eq(accept("numa=fake=1", &options.numa), 1);
	ck_assert_uint_eq(accept("numa=fake=8", &options.numa), 8);
	ck_assert_uint_eq(accept("numa=off", &options.numa), 1);
	ck_assert_uint_eq(accept("numa=auto", &options.numa), NUMA_AUTO);
	refuse("numa=fake=0");
	refuse("numa=fake=9");
	refuse("numa=fake=");
	refuse("numa=fake");
	refuse("numa=on");
	refuse("numa=4");
	refuse("numa");
}
END_TEST

START_TEST(huge_pages)
{
	ck_assert_uint_eq(options.thp, THP_AUTO);
	ck_assert_uint_eq(accept("thp=always", &options.thp), THP_ALWAYS);
	ck_assert_uint_eq(accept("thp=never", &options.thp), THP_NEVER);
	ck_assert_uint_eq(accept("thp=auto", &options.thp), THP_AUTO);
	refuse("thp=madvise");
	refuse("thp=");
	refuse("thp");
}
END_TEST

START_TEST(bytes_and_their_units)
{
	static const char *const bad[] = { "K", "4MB", "4MiB", "4T", "4194303", "4095K", "3M", "1",
					   "1048577G", "1125899906842625", "17179869184G",
					   "18014398509481984K", "-4M", "4.5M", "M4", "4KK" };
	char item[100];

	ck_assert_uint_eq(options.memory_limit, 0);
	ck_assert_uint_eq(accept("memory_limit=4194304", &options.memory_limit), 4UL << 20);
	ck_assert_uint_eq(accept("memory_limit=5000K", &options.memory_limit), 5000UL << 10);
	ck_assert_uint_eq(accept("memory_limit=4m", &options.memory_limit), 4UL << 20);
	ck_assert_uint_eq(accept("memory_limit=7G", &options.memory_limit), 7UL << 30);
	ck_assert_uint_eq(accept("memory_limit=1048576G", &options.memory_limit), 1UL << 50);
	ck_assert_uint_eq(accept("memory_limit=0M", &options.memory_limit), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(item, sizeof(item), "memory_limit=%s", bad[i]);
		refuse(item);
	}
}
END_TEST

START_TEST(string_that_fits_and_one_that_does_not)
{
	char item[OPTION_STRING_BYTES + 100] = "exit_report=";
	size_t key = strlen(item);
	const char *text;

	ck_assert_str_eq(options.exit_report, "");
	ck_assert_int_eq(options_parse("exit_report=/tmp/a=b", "test"), 0);
	ck_assert_str_eq(options.exit_report, "/tmp/a=b");
	memset(item + key, 'y', OPTION_STRING_BYTES - 1);
	ck_assert_int_eq(options_parse(item, "test"), 0);
	ck_assert_uint_eq(strlen(options.exit_report), OPTION_STRING_BYTES - 1);
	item[key + OPTION_STRING_BYTES - 1] = 'z';
	stderr_capture();
	ck_assert_int_eq(options_parse(item, "test"), 1);
	text = stderr_captured();
	ck_assert_uint_eq(count_char(text, '\n'), 1);
	ck_assert_uint_eq(strlen(options.exit_report), OPTION_STRING_BYTES - 1);
	ck_assert_int_eq(options.exit_report[OPTION_STRING_BYTES - 2], 'y');
}
END_TEST

START_TEST(very_long_items_cost_one_short_line)
{
	static char text[1 << 20];
	const char *said;

	memset(text, '9', sizeof(text) - 1);
	memcpy(text, "sheaf=", 6);
	stderr_capture();
	ck_assert_int_eq(options_parse(text, "test"), 1);
	memset(text, 'k', 20);
	ck_assert_int_eq(options_parse(text, "test"), 1);
	said = stderr_captured();
	ck_assert_uint_eq(count_char(said, '\n'), 2);
	ck_assert_uint_lt(strlen(said), 1100);
	ck_assert_uint_eq(options.sheaf_kib, 64);
}
END_TEST

START_TEST(unknown_keys)
{
	static const char *const unknown[] = { "nonsense=1", "nonsense", "=1",	   "=",
					       "shea=1",     "sheaff=1", "Sheaf=1" };

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		struct options before = options;
		char expected[100];

		snprintf(expected, sizeof(expected), "slabuddy: test: unknown option \"%s\"\n",
			 unknown[i]);
		stderr_capture();
		ck_assert_int_eq(options_parse(unknown[i], "test"), 1);
		ck_assert_str_eq(stderr_captured(), expected);
		ck_assert_int_eq(memcmp(&before, &options, sizeof(options)), 0);
	}
}
END_TEST

START_TEST(lists_of_items)
{
	ck_assert_int_eq(options_parse(NULL, "test"), 0);
	ck_assert_int_eq(options_parse("", "test"), 0);
	ck_assert_int_eq(options_parse(" \t\n ", "test"), 0);
	ck_assert_int_eq(options_parse("  sheaf=1\tdirty_min=2\n\npurge=off ", "test"), 0);
	ck_assert_uint_eq(options.sheaf_kib, 1);
	ck_assert_uint_eq(options.dirty_min_kib, 2);
	ck_assert_uint_eq(options.purge, 0);
	/* the last of a key's items counts, and a bad one does not stop the others */
	stderr_capture();
	ck_assert_int_eq(options_parse("sheaf=5 bad sheaf=x sheaf=6 worse=1 dirty_min=3", "test"),
			 3);
	ck_assert_uint_eq(count_char(stderr_captured(), '\n'), 3);
	ck_assert_uint_eq(options.sheaf_kib, 6);
	ck_assert_uint_eq(options.dirty_min_kib, 3);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("base/option");

	tcase_add_loop_test(tc, numbers_and_their_bounds, 0, ARRAY_SIZE(numbers));
	tcase_add_test(tc, purge_has_a_third_word);
	tcase_add_loop_test(tc, choices_and_their_words, 0, ARRAY_SIZE(choices));
	tcase_add_test(tc, words_alone);
	tcase_add_test(tc, decay);
	tcase_add_test(tc, numa);
	tcase_add_test(tc, huge_pages);
	tcase_add_test(tc, bytes_and_their_units);
	tcase_add_test(tc, string_that_fits_and_one_that_does_not);
	tcase_add_test(tc, very_long_items_cost_one_short_line);
	tcase_add_test(tc, unknown_keys);
	tcase_add_test(tc, lists_of_items);
	return test_run(tc);
}
