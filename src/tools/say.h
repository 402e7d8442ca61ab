/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_TOOLS_SAY_H
#define SLABUDDY_TOOLS_SAY_H

#include "base/compiler.h"

/* Print "slabuddy: ", the text and a newline on stderr, in one write. */
void say(const char *fmt, ...) format_printf(1, 2);

#endif
