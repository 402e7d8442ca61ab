/* SPDX-License-Identifier: MIT */
/* Allocates before any constructor has run; its first call of all is free(NULL). */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *early;

static void before_constructors(void)
{
	free(NULL);
	early = malloc(100);
	early = early ? realloc(early, 50000) : NULL;
	if (early)
		strcpy(early, "early");
}

static __attribute__((section(".preinit_array"), used)) void (*preinit)(void) = before_constructors;

static __attribute__((constructor(101))) void in_constructor(void)
{
	free(calloc(10, 10));
}

int main(void)
{
	int good = early && !strcmp(early, "early") && malloc_usable_size(early) >= 50000;

	free(early);
	puts(good ? "good" : "bad");
	return !good;
}
