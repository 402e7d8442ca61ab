/* SPDX-License-Identifier: MIT */
/*
 * The root for readers outside, see base/root.h. Here, since both libraries have this layer and it
 * sees all structures; the places are named where the variables are.
 */
#include "base/root.h"

#include "base/option.h"
#include "buddy/grow.h"
#include "malloc/huge.h"
#include "page/meta.h"
#include "slab/slot.h"

#define SIZE(type) { #type, 0, sizeof(struct type) },
#define FIELD(type, member) \
	{ #type "." #member, offsetof(struct type, member), sizeof(((struct type *)0)->member) },
#define CONSTANT(name) { #name, name, 0 },

static const struct root_number root_numbers[] = { ROOT_SIZES(SIZE) ROOT_FIELDS(FIELD)
						   ROOT_CONSTANTS(CONSTANT) };

/* The linker makes these. */
extern const struct root_place __start_slabuddy_places[] hidden;
extern const struct root_place __stop_slabuddy_places[] hidden;

/* Only others read it. */
extern exported const struct root slabuddy_root;
exported const struct root slabuddy_root = {
	.magic = ROOT_MAGIC,
	.version = ROOT_VERSION,
	.nr_numbers = ARRAY_SIZE(root_numbers),
	.numbers = root_numbers,
	.places = __start_slabuddy_places,
	.places_end = __stop_slabuddy_places,
};
