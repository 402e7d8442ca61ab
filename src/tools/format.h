/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_TOOLS_FORMAT_H
#define SLABUDDY_TOOLS_FORMAT_H

#include <stdint.h>

/* Long enough for any number of bytes: "1023 B", "15.9 EiB". */
struct size_text {
	char text[24];
};

struct size_text format_size(uint64_t bytes);

#endif
