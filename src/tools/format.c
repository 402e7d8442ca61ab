/* SPDX-License-Identifier: MIT */
#include "tools/format.h"

#include <stdio.h>

/* @bytes in tenths of 2^@shift bytes, @shift from 10 to 60; rounded, and without overflow. */
static unsigned int in_tenths(uint64_t bytes, unsigned int shift)
{
	return (unsigned int)(((bytes >> (shift - 10)) * 10 + 512) >> 10);
}

struct size_text format_size(uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	struct size_text size;
	unsigned int unit = 0;
	unsigned int tenths;

	if (bytes < 1024) {
		snprintf(size.text, sizeof(size.text), "%u B", (unsigned int)bytes);
		return size;
	}
	/* the largest that is printed is 1023.9 */
	while ((unit < 5 && bytes >> (10 * unit + 20)) || in_tenths(bytes, 10 * unit + 10) >= 10240)
		unit++;
	tenths = in_tenths(bytes, 10 * unit + 10);
	snprintf(size.text, sizeof(size.text), "%u.%u %ciB", tenths / 10, tenths % 10, units[unit]);
	return size;
}
