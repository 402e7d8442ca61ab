/* SPDX-License-Identifier: MIT */
/*
 * What gfp flags mean to the buddy: which zone, which migrate type.
 */
#ifndef SLABUDDY_BUDDY_GFP_H
#define SLABUDDY_BUDDY_GFP_H

#include <slabuddy/gfp.h>

#include "buddy/zone.h"

/* The zone that a request is for. Locked memory is the stronger wish. */
static inline enum zone_type gfp_zone(gfp_t gfp)
{
	if (likely(!(gfp & (__GFP_DMA | __GFP_DMA32))))
		return ZONE_NORMAL;
	return gfp & __GFP_DMA ? ZONE_DMA : ZONE_DMA32;
}

/* The two flags are neighbours, in the order of the types. */
#define GFP_MIGRATE_SHIFT 3
_Static_assert(__GFP_MOVABLE >> GFP_MIGRATE_SHIFT == MIGRATE_MOVABLE, "");
_Static_assert(__GFP_RECLAIMABLE >> GFP_MIGRATE_SHIFT == MIGRATE_RECLAIMABLE, "");

/* 0 to 3; 3, both flags, is no migrate type. */
static always_inline unsigned int gfp_migrate_bits(gfp_t gfp)
{
	return gfp >> GFP_MIGRATE_SHIFT & 3;
}

/* What the pages of a request are. Both flags contradict one another: as if none were given. */
static inline enum migratetype gfp_migratetype(gfp_t gfp)
{
	unsigned int bits = gfp_migrate_bits(gfp);

	return bits < MIGRATE_TYPES ? (enum migratetype)bits : MIGRATE_UNMOVABLE;
}

/* The flags that say the same. */
static inline gfp_t zone_to_gfp(enum zone_type type)
{
	return type == ZONE_DMA ? __GFP_DMA : type == ZONE_DMA32 ? __GFP_DMA32 : 0;
}

static inline gfp_t migratetype_to_gfp(enum migratetype mt)
{
	return (gfp_t)mt << GFP_MIGRATE_SHIFT;
}

#endif
