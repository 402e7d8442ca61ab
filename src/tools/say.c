/* SPDX-License-Identifier: MIT */
#include "tools/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void say(const char *fmt, ...)
{
	char *text;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	dprintf(2, "slabuddy: %s\n", text);
	free(text);
}

int say_if_unwritten(void)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	say("cannot write: %s", strerror(errno ? errno : EIO));
	return 1;
}
