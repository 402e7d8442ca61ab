/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_TOOLS_INFO_PRINT_H
#define SLABUDDY_TOOLS_INFO_PRINT_H

#include "tools/figures.h"
#include "tools/growth.h"

/* One heap of a process on stdout. @growth: NULL: it was read once only. */
void info_print_text(const struct view *view, const struct figures *figures,
		     const struct growth *growth);

/* The same as JSON: an object, without a newline behind it. */
void info_print_json(const struct view *view, const struct heap *heap,
		     const struct figures *figures, const struct growth *growth);

/* "in use", "retained", "fragmented" or "growing"; and why, in a sentence. */
enum verdict verdict_of(const struct figures *figures, const struct growth *growth);
const char *verdict_word(enum verdict verdict);
struct verdict_text {
	char text[256];
};
struct verdict_text verdict_sentence(enum verdict verdict, const struct figures *figures,
				     const struct growth *growth);

/* A string as JSON, with the quotes. Bytes that are not ASCII are told of as Latin-1, since a name
 * may be anything. */
void json_string(const char *text);

#endif
