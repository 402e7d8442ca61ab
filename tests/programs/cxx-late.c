/* SPDX-License-Identifier: MIT */
/* A C program that has a C++ extension only by dlopen(), as interpreters do (cxx-late.cc). */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	void *extension = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	int (*run)(void) = NULL;

	if (extension)
		*(void **)&run = dlsym(extension, "run");
	if (!run) {
		puts("no extension");
		return 2;
	}
	return run();
}
