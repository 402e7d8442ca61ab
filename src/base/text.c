/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/bits.h"

void text_init(struct text *text, int (*write)(struct text *text, const char *piece, size_t bytes))
{
	text->write = write;
	text->error = 0;
	text->used = 0;
}

static void flush(struct text *text)
{
	if (text->used && !text->error)
		text->error = text->write(text, text->buffer, text->used);
	text->used = 0;
}

void text_printf(struct text *text, const char *fmt, ...)
{
	va_list args;
	int n;

	if (sizeof(text->buffer) - text->used < TEXT_PIECE_BYTES)
		flush(text);
	va_start(args, fmt);
	n = vsnprintf(text->buffer + text->used, TEXT_PIECE_BYTES, fmt, args);
	va_end(args);
	if (n > 0)
		text->used += MIN((size_t)n, TEXT_PIECE_BYTES - 1);
}

int text_finish(struct text *text)
{
	flush(text);
	return text->error;
}
