/* SPDX-License-Identifier: MIT */
#include "base/slab_debug.h"

#include <string.h>

/* From *@text to the next of @stops or the end. Return: how many characters. */
static size_t span(const char *text, const char *end, const char *stops)
{
	const char *p = text;

	while (p < end && !strchr(stops, *p))
		p++;
	return (size_t)(p - text);
}

static bool letter_flag(char letter, unsigned int *flag)
{
	static const struct {
		char letter;
		unsigned int flag;
	} letters[] = {
		{ 'F', SLAB_DEBUG_F }, { 'Z', SLAB_DEBUG_Z }, { 'P', SLAB_DEBUG_P },
		{ 'U', SLAB_DEBUG_U }, { 'T', SLAB_DEBUG_T }, { 'A', SLAB_DEBUG_A },
		{ 'O', SLAB_DEBUG_O },
	};

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
		if ((letter & ~0x20) == letters[i].letter) {
			*flag = letters[i].flag;
			return true;
		}
	}
	return false;
}

/* The letters of one part. Return: false when there is one that means nothing. */
static bool parse_letters(const char *text, size_t len, unsigned int *flags)
{
	*flags = 0;
	if (!len)
		*flags = SLAB_DEBUG_DEFAULT;
	if (len == 1 && *text == '-')
		return true;
	for (size_t i = 0; i < len; i++) {
		unsigned int flag;

		if (!letter_flag(text[i], &flag))
			return false;
		*flags |= flag;
	}
	return true;
}

bool slab_debug_is_valid(const char *text, size_t len)
{
	const char *end = text + len;

	for (;;) {
		size_t part = span(text, end, ";");
		size_t letters = span(text, text + part, ",");
		unsigned int flags;

		if (!parse_letters(text, letters, &flags))
			return false;
		for (const char *name = text + letters; name < text + part;) {
			size_t name_len = span(++name, text + part, ",");

			if (!name_len)
				return false;
			name += name_len;
		}
		text += part;
		if (text == end)
			return true;
		text++;
	}
}

/* Whether @name is one that @len characters of @pattern stand for. */
static bool matches(const char *pattern, size_t len, const char *name)
{
	const char *end = pattern + len;
	const char *star = NULL, *resume = NULL;

	while (*name) {
		if (pattern < end && *pattern == '*') {
			star = pattern++;
			resume = name;
		} else if (pattern < end && *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			/* the last star takes one character more */
			pattern = star + 1;
			name = ++resume;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

static bool part_names(const char *text, const char *end, const char *name)
{
	while (text < end) {
		size_t len = span(++text, end, ",");

		if (matches(text, len, name))
			return true;
		text += len;
	}
	return false;
}

unsigned int slab_debug_flags(const char *value, const char *name)
{
	const char *end = value + strlen(value);
	unsigned int others = 0, higher = 0;
	unsigned int named = 0;
	bool found = false;

	for (const char *part = value;; part++) {
		size_t len = span(part, end, ";");
		size_t letters = span(part, part + len, ",");
		unsigned int flags;

		parse_letters(part, letters, &flags);
		higher |= flags & SLAB_DEBUG_O;
		if (letters == len) {
			others = flags;
		} else if (!found && part_names(part + letters, part + len, name)) {
			found = true;
			named = flags;
		}
		part += len;
		if (part == end)
			break;
	}
	return (found ? named : others) | higher;
}
