/* SPDX-License-Identifier: MIT */
/*
 * What a text tool or an interpreter does with strings: lines are built word by word in buffers
 * that grow by realloc(), split, put into upper case, joined, sorted. Many small strings that do
 * not live long. Our own, after the string programs that B. Zorn and D. Grunwald measured:
 * Empirical Measurements of Six Allocation-intensive C Programs, 1992.
 */
#include <ctype.h>

#include "workload.h"

enum { WORDS = 12, MAX_WORD = 14 }; /* of a line, letters of a word; about what English has */

static size_t texts = 20, lines = 10000;

/* A line of a text, and what it must still say at the end. */
struct line {
	char *string;
	uint64_t sum;
};

/* A string that grows. */
struct buffer {
	char *text;
	size_t length, room;
};

static void append(struct buffer *buffer, const char *text, size_t length)
{
	size_t needed = buffer->length + length + 1;

	if (needed > buffer->room) {
		buffer->room = needed + needed / 2;
		buffer->text = realloc(buffer->text, buffer->room);
		if (!buffer->text)
			workload_fail("realloc gives nothing");
	}
	memcpy(buffer->text + buffer->length, text, length);
	buffer->length += length;
	buffer->text[buffer->length] = '\0';
}

static char *copy(struct worker *self, const char *text, size_t length)
{
	char *string = workload_alloc(length + 1);

	memcpy(string, text, length);
	string[length] = '\0';
	self->nr_new++;
	return string;
}

/* FNV-1a: Fowler, Noll, Vo 1991. */
static uint64_t sum_of(const char *string)
{
	uint64_t sum = 0xcbf29ce484222325ULL;

	for (const char *letter = string; *letter; letter++)
		sum = (sum ^ (unsigned char)*letter) * 0x100000001b3ULL;
	return sum;
}

static void drop_string(struct worker *self, char *string)
{
	self->checksum += sum_of(string);
	self->nr_dropped++;
	free(string);
}

static char *new_line(struct worker *self)
{
	size_t nr_words = pick_between(&self->random, 1, 2 * WORDS);
	struct buffer line = { 0 };

	for (size_t i = 0; i < nr_words; i++) {
		char word[MAX_WORD];
		size_t length = pick_skewed(&self->random, 2, MAX_WORD);

		for (size_t k = 0; k < length; k++)
			word[k] = (char)('a' + pick(&self->random, 26));
		if (i)
			append(&line, " ", 1);
		append(&line, word, length);
	}
	self->nr_new++;
	return line.text;
}

/* Each word becomes a string; how many. */
static size_t split(struct worker *self, const char *line, char **words)
{
	size_t nr = 0;

	for (const char *at = line; *at; at += *at == ' ') {
		size_t length = strcspn(at, " ");

		words[nr++] = copy(self, at, length);
		at += length;
	}
	return nr;
}

static char *upper(struct worker *self, char *word)
{
	char *copied = copy(self, word, strlen(word));

	for (char *letter = copied; *letter; letter++)
		*letter = (char)toupper((unsigned char)*letter);
	drop_string(self, word);
	return copied;
}

static char *join(struct worker *self, char **words, size_t nr)
{
	struct buffer line = { 0 };

	for (size_t i = 0; i < nr; i++) {
		if (i)
			append(&line, " ", 1);
		append(&line, words[i], strlen(words[i]));
	}
	self->nr_new++;
	return line.text;
}

static char *upper_line(struct worker *self, const char *line)
{
	char *words[2 * WORDS], *joined;
	size_t nr = split(self, line, words);

	for (size_t i = 0; i < nr; i++)
		words[i] = upper(self, words[i]);
	joined = join(self, words, nr);
	for (size_t i = 0; i < nr; i++)
		drop_string(self, words[i]);
	return joined;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->string, ((const struct line *)b)->string);
}

/* The text is gone when it is printed: in order, as one string. */
static void print_sorted(struct worker *self, struct line *text)
{
	struct buffer all = { 0 };

	qsort(text, lines, sizeof(*text), compare);
	for (size_t i = 0; i < lines; i++) {
		if (sum_of(text[i].string) != text[i].sum)
			workload_fail("a line has changed");
		append(&all, text[i].string, strlen(text[i].string));
		append(&all, "\n", 1);
		drop_string(self, text[i].string);
	}
	self->nr_new++;
	drop_string(self, all.text);
}

static void one_text(struct worker *self)
{
	struct line *text = workload_alloc(lines * sizeof(*text));

	for (size_t i = 0; i < lines; i++) {
		char *line = new_line(self), *changed = upper_line(self, line);

		if (strcasecmp(changed, line))
			workload_fail("words have changed");
		drop_string(self, line);
		/* what is kept has no more room than it needs */
		text[i].string = copy(self, changed, strlen(changed));
		text[i].sum = sum_of(changed);
		drop_string(self, changed);
	}
	print_sorted(self, text);
	free(text);
}

static void work(struct worker *self)
{
	size_t nr = workload_share(texts);

	for (size_t i = 0; i < nr; i++)
		one_text(self);
}

static const struct workload_value values[] = {
	{ "texts", &texts, 1, 1000000, "of all threads together" },
	{ "lines", &lines, 1, 10000000, "of a text" },
	{ 0 },
};

static const struct workload strings = {
	.name = "strings",
	.about = "lines are built, split, changed, joined and sorted",
	.threads = 1,
	.values = values,
	.work = work,
	.alone = true,
};
WORKLOAD(strings);
