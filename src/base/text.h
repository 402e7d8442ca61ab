/* SPDX-License-Identifier: MIT */
/*
 * Text on its way out: printed into a buffer, which goes on to a writer when it is full. Allocates
 * nothing.
 */
#ifndef SLABUDDY_BASE_TEXT_H
#define SLABUDDY_BASE_TEXT_H

#include "base/compiler.h"

/* Arbitrary: a few dozen lines a system call. */
#define TEXT_BUFFER_BYTES 4096

/* What is longer than this in one text_printf() is cut. */
#define TEXT_PIECE_BYTES 512

struct text {
	/* Takes all @bytes of @piece. Return: 0, or an errno value, and then nothing more comes. */
	int (*write)(struct text *text, const char *piece, size_t bytes);
	int error; /* what @write said first */
	size_t used;
	char buffer[TEXT_BUFFER_BYTES];
};

void text_init(struct text *text,
	       int (*write)(struct text *text, const char *piece, size_t bytes));

void text_printf(struct text *text, const char *fmt, ...) format_printf(2, 3);

/* Write what is left. Return: 0, or the errno value of the first write that failed. */
int text_finish(struct text *text);

#endif
