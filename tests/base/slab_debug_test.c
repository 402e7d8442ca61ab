/* SPDX-License-Identifier: MIT */
#include "base/slab_debug.h"

#include <stdio.h>
#include <string.h>

#include <slabuddy/slab.h>

#include "../testing.h"
#include "base/option.h"

START_TEST(letters_are_the_public_flags)
{
	ck_assert_uint_eq(SLAB_DEBUG_F, SLAB_CONSISTENCY_CHECKS);
	ck_assert_uint_eq(SLAB_DEBUG_Z, SLAB_RED_ZONE);
	ck_assert_uint_eq(SLAB_DEBUG_P, SLAB_POISON);
	ck_assert_uint_eq(SLAB_DEBUG_U, SLAB_STORE_USER);
	ck_assert_uint_eq(SLAB_DEBUG_T, SLAB_TRACE);
	ck_assert_uint_eq(SLAB_DEBUG_A, SLAB_FAILSLAB);
}
END_TEST

#define FZPU SLAB_DEBUG_DEFAULT
#define F SLAB_DEBUG_F
#define Z SLAB_DEBUG_Z
#define P SLAB_DEBUG_P
#define U SLAB_DEBUG_U
#define T SLAB_DEBUG_T
#define A SLAB_DEBUG_A
#define O SLAB_DEBUG_O

START_TEST(flags_by_name)
{
	static const struct {
		const char *value;
		const char *name;
		unsigned int flags;
	} rows[] = {
		{ "", "dentry", FZPU },
		{ "-", "dentry", 0 },
		{ "F", "dentry", F },
		{ "fzputa", "dentry", FZPU | T | A },
		{ "FZPUTAO", "dentry", FZPU | T | A | O },
		{ "FF", "dentry", F },
		/* names */
		{ "F,dentry", "dentry", F },
		{ "F,dentry", "dentry2", 0 },
		{ "F,dentry", "dentr", 0 },
		{ "F,dentry", "", 0 },
		{ "F,inode,dentry", "inode", F },
		{ "F,inode,dentry", "dentry", F },
		{ ",dentry", "dentry", FZPU },
		{ ",dentry", "inode", 0 },
		{ "-,dentry", "dentry", 0 },
		/* wildcards */
		{ "Z,kmalloc-*", "kmalloc-16", Z },
		{ "Z,kmalloc-*", "kmalloc-", Z },
		{ "Z,kmalloc-*", "kmalloc", 0 },
		{ "Z,*", "anything", Z },
		{ "Z,*", "", Z },
		{ "Z,*-16", "kmalloc-16", Z },
		{ "Z,*-16", "kmalloc-160", 0 },
		{ "Z,k*c-*6", "kmalloc-16", Z },
		{ "Z,k*c-*6", "kmalloc-96", Z },
		{ "Z,k*c-*6", "kmalloc-64", 0 },
		{ "Z,**", "x", Z },
		{ "Z,a*b*c", "abbbxcbc", Z },
		{ "Z,a*b*c", "abbbxcb", 0 },
		/* several parts: all others, and the first that names it */
		{ "F;Z,dentry", "dentry", Z },
		{ "F;Z,dentry", "inode", F },
		{ "Z,dentry;F", "dentry", Z },
		{ "Z,dentry;F", "inode", F },
		{ "Z,dent*;P,dentry", "dentry", Z },
		{ "P,dentry;Z,dent*", "dentry", P },
		{ "FZ;-,dentry", "dentry", 0 },
		{ "FZ;-,dentry", "inode", F | Z },
		{ "F;U", "inode", U },
		{ "F;", "inode", FZPU },
		{ ";,dentry", "dentry", FZPU },
		/* O concerns all, wherever it stands */
		{ "O;Z,dentry", "dentry", Z | O },
		{ "ZO,dentry", "inode", O },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_msg(slab_debug_is_valid(rows[i].value, strlen(rows[i].value)), "%s",
			      rows[i].value);
		ck_assert_msg(slab_debug_flags(rows[i].value, rows[i].name) == rows[i].flags,
			      "slab_debug=%s gives %s %#x", rows[i].value, rows[i].name,
			      slab_debug_flags(rows[i].value, rows[i].name));
	}
}
END_TEST

START_TEST(what_it_cannot_be)
{
	static const char *const bad[] = {
		"X", "FX", "F-", "--", "dentry", "F,", "F,,dentry", "F,dentry,", "F;X", "F;Z,", "1",
		"F Z", "f@",
	};
	char item[80], expected[120];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_msg(!slab_debug_is_valid(bad[i], strlen(bad[i])), "%s", bad[i]);
		if (strchr(bad[i], ' '))
			continue;
		snprintf(item, sizeof(item), "slab_debug=%s", bad[i]);
		snprintf(expected, sizeof(expected), "slabuddy: test: bad value in \"%s\": ", item);
		stderr_capture();
		ck_assert_int_eq(options_parse(item, "test"), 1);
		ck_assert_ptr_nonnull(strstr(stderr_captured(), expected));
		ck_assert_uint_eq(options.slab_debugged, 0);
	}
	/* only what the length covers counts */
	ck_assert(slab_debug_is_valid("FX", 1));
}
END_TEST

START_TEST(as_an_option)
{
	char item[OPTION_STRING_BYTES + 20] = "slab_debug=F,";

	ck_assert_uint_eq(options.slab_debugged, 0);
	ck_assert_int_eq(options_parse("slab_debug=Z,a*;F,b sheaf=8", "test"), 0);
	ck_assert_uint_eq(options.slab_debugged, 1);
	ck_assert_str_eq(options.slab_debug, "Z,a*;F,b");
	ck_assert_int_eq(options_parse("slab_debug", "test"), 0);
	ck_assert_uint_eq(options.slab_debugged, 1);
	ck_assert_str_eq(options.slab_debug, "");
	/* too long: what was there stays */
	memset(item + strlen(item), 'n', OPTION_STRING_BYTES);
	stderr_capture();
	ck_assert_int_eq(options_parse(item, "test"), 1);
	ck_assert_uint_eq(count_char(stderr_captured(), '\n'), 1);
	ck_assert_str_eq(options.slab_debug, "");
}
END_TEST

int main(void)
{
	TCase *tc = test_case("slab_debug");

	tcase_add_test(tc, letters_are_the_public_flags);
	tcase_add_test(tc, flags_by_name);
	tcase_add_test(tc, what_it_cannot_be);
	tcase_add_test(tc, as_an_option);
	return test_run(tc);
}
