/* SPDX-License-Identifier: MIT */
/*
 * Prints the reports of the malloc that was preloaded, which it knows by name only; the first argument
 * is a number of blocks of 100 bytes to hold meanwhile.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	static const char *const names[] = { "slabuddy_slabinfo", "slabuddy_buddyinfo",
					     "slabuddy_vmstat" };
	int nr = argc > 1 ? atoi(argv[1]) : 0;
	void **blocks = malloc(sizeof(void *) * (size_t)(nr + 1));

	for (int i = 0; i < nr; i++)
		blocks[i] = malloc(100);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int (*report)(FILE *file) = (int (*)(FILE *))dlsym(RTLD_DEFAULT, names[i]);

		if (!report || report(stdout))
			return 1;
	}
	for (int i = 0; i < nr; i++)
		free(blocks[i]);
	free(blocks);
	return 0;
}
