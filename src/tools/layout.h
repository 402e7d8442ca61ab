/* SPDX-License-Identifier: MIT */
/*
 * How the heap of a library is laid out, as its root says; see base/root.h.
 */
#ifndef SLABUDDY_TOOLS_LAYOUT_H
#define SLABUDDY_TOOLS_LAYOUT_H

#include "base/root.h"
#include "tools/target.h"

#define SIZE_ID(type)	       SIZE_##type,
#define FIELD_ID(type, member) FIELD_##type##_##member,
#define CONSTANT_ID(name)      CONSTANT_##name,
enum number_id {
	ROOT_SIZES(SIZE_ID) ROOT_FIELDS(FIELD_ID) ROOT_CONSTANTS(CONSTANT_ID) NR_NUMBER_IDS
};

#define PLACE_ID(variable) PLACE_##variable,
enum place_id { ROOT_PLACES(PLACE_ID) NR_PLACE_IDS };

struct layout {
	uint32_t version;
	struct {
		uint32_t value;
		uint32_t bytes;
	} number[NR_NUMBER_IDS];
	uint64_t place[NR_PLACE_IDS];
	const char *missing; /* the first name that the library does not have, or NULL */
};

enum layout_result {
	LAYOUT_READ,
	LAYOUT_NONE,   /* that was no root */
	LAYOUT_ABSENT, /* it cannot be read */
	LAYOUT_OTHER,  /* of another version, or something is missing */
};

enum layout_result layout_read(const struct target *target, uint64_t root, struct layout *layout);

/* Bytes of a structure, where a member is in it, and a constant. */
#define SIZE_OF(layout, type)		((layout)->number[SIZE_##type].bytes)
#define OFFSET_OF(layout, type, member) ((layout)->number[FIELD_##type##_##member].value)
#define CONSTANT_OF(layout, name)	((layout)->number[CONSTANT_##name].value)

/* Member @id of a structure that has been copied to @object, as a number. */
uint64_t layout_get(const struct layout *layout, const void *object, enum number_id id);

#define GET(layout, object, type, member) layout_get(layout, object, FIELD_##type##_##member)

/* A string that a structure has in it, cut to @bytes. */
void layout_get_string(const struct layout *layout, const void *object, enum number_id id, char *to,
		       size_t bytes);

#endif
