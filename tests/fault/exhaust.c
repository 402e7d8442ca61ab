/* SPDX-License-Identifier: MIT */
/*
 * Allocates until there is no more, frees all of it, and does the same again in the same size and
 * in another: what was had once must be there to be had again. With "lock", all memory is locked,
 * now and in the future.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MOST 200000
/* More than this is not asked for, where no limit is met. */
#define ENOUGH (256UL << 20)

static void *blocks[MOST];

static size_t take_all(size_t size)
{
	size_t nr = 0;

	while (nr < MOST && nr * size < ENOUGH) {
		errno = 0;
		blocks[nr] = malloc(size);
		if (!blocks[nr])
			break;
		memset(blocks[nr], 1, size);
		nr++;
	}
	if (nr < MOST && nr * size < ENOUGH && errno != ENOMEM) {
		printf("errno %d\n", errno);
		exit(1);
	}
	return nr;
}

static void free_all(size_t nr)
{
	while (nr)
		free(blocks[--nr]);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 3000, 100000, 3000, 40000, 70000, 300000, 40000 };
	size_t first, second;

	if (argc > 1 && !strcmp(argv[1], "lock") && mlockall(MCL_CURRENT | MCL_FUTURE)) {
		puts("no right to lock memory");
		return 77;
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		first = take_all(sizes[i]);
		free_all(first);
		second = take_all(sizes[i]);
		free_all(second);
		/* what slabs and tables for another size take stays theirs: a twentieth */
		if (!first || second < first - first / 20) {
			printf("%zu blocks of %zu bytes, then %zu\n", first, sizes[i], second);
			return 1;
		}
	}
	puts("good");
	return 0;
}
