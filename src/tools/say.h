/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_TOOLS_SAY_H
#define SLABUDDY_TOOLS_SAY_H

#include "base/compiler.h"

/* Print "slabuddy: ", the text and a newline on stderr, in one write. */
void say(const char *fmt, ...) format_printf(1, 2);

/* What is on stdout goes out. Return: 0; or 1 after a line: it could not all be written. */
int say_if_unwritten(void);

#endif
