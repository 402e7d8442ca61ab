/* SPDX-License-Identifier: MIT */
/*
 * A program with a root that is none for this tool: of another version, or without what is looked
 * for; or whose sizes lead outside of what is copied.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/root.h"

/* Every name there is, and for each the same number. */
#define SIZE(type)	    { #type, 0, 1000 },
#define FIELD(type, member) { #type "." #member, 1, 1000 },
#define CONSTANT(name)	    { #name, 1000, 0 },
static const struct root_number senseless[] = { ROOT_SIZES(SIZE) ROOT_FIELDS(FIELD)
							ROOT_CONSTANTS(CONSTANT) };

#define PLACE(variable) { #variable, senseless },
static const struct root_place places[] = { ROOT_PLACES(PLACE) };

extern exported struct root slabuddy_root;
exported struct root slabuddy_root = {
	.magic = ROOT_MAGIC,
	.version = ROOT_VERSION,
	.places = places,
	.places_end = places + ARRAY_SIZE(places),
	.numbers = senseless,
	.nr_numbers = ARRAY_SIZE(senseless),
};

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char byte;

	alarm(120);
	if (!strcmp(what, "version"))
		slabuddy_root.version++;
	if (!strcmp(what, "names"))
		slabuddy_root.nr_numbers = 1;
	if (!strcmp(what, "magic"))
		slabuddy_root.magic[0]++;
	if (!strcmp(what, "tables"))
		slabuddy_root.numbers = (void *)16;
	if (write(1, "ready\n", 6) != 6)
		return 99;
	while (read(0, &byte, 1) > 0)
		;
	_exit(0);
}
