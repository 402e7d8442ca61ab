/* SPDX-License-Identifier: MIT */
/* One mistake of a program with its heap, by name, for watched.sh. */
#include <stdlib.h>
#include <string.h>

/* The compiler must not know that what is done here is wrong. */
static void *volatile block;

static void set(size_t at, int c)
{
	((volatile char *)block)[at] = (char)c;
}

int main(int argc, char **argv)
{
	const char *mistake = argc > 1 ? argv[1] : "";

	block = malloc(100);
	if (!strcmp(mistake, "overflow"))
		set(100, 'x');
	free(block);
	if (!strcmp(mistake, "use after free"))
		set(10, 'x');
	if (!strcmp(mistake, "double free"))
		free(block);
	/* the next one finds it */
	for (int i = 0; i < 1000; i++) {
		block = malloc(100);
		if (!block)
			return 1;
		memset(block, 0, 100);
	}
	return 0;
}
