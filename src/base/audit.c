/* SPDX-License-Identifier: MIT */
#include "base/audit.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"

/* A broken heap has many faults of one cause; the first few lines tell it. */
#define MAX_REPORTED 32

void audit_fault(struct audit *audit, const char *fmt, ...)
{
	char line[256];
	va_list args;

	if (audit->faults++ >= MAX_REPORTED)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (audit->report)
		audit->report(audit, line);
	else
		warn("audit: %s", line);
}
