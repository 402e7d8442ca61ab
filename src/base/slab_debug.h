/* SPDX-License-Identifier: MIT */
/*
 * The option slab_debug: which caches are to be watched, by name. The kernel's syntax:
 *
 *	slab_debug[=[FLAGS][,NAME...][;[FLAGS][,NAME...]]...]
 *
 * FLAGS are letters of FZPUTAO in any case, or "-" for none; no flags are FZPU. In a NAME a "*" stands for
 * any characters. A part without names concerns all caches that no part names; of several parts that name a
 * cache the first one counts.
 */
#ifndef SLABUDDY_BASE_SLAB_DEBUG_H
#define SLABUDDY_BASE_SLAB_DEBUG_H

#include "base/compiler.h"

/* What the letters stand for: the bits of SLAB_CONSISTENCY_CHECKS and so on in <slabuddy/slab.h>, and O. */
#define SLAB_DEBUG_F 0x0001U
#define SLAB_DEBUG_Z 0x0002U
#define SLAB_DEBUG_P 0x0004U
#define SLAB_DEBUG_U 0x0008U
#define SLAB_DEBUG_T 0x0010U
#define SLAB_DEBUG_A 0x0020U
/* No flag that would make slabs of a higher order, whatever names the part has. */
#define SLAB_DEBUG_O 0x10000U

#define SLAB_DEBUG_DEFAULT (SLAB_DEBUG_F | SLAB_DEBUG_Z | SLAB_DEBUG_P | SLAB_DEBUG_U)

/* Whether @len characters of @text are a value of the option. */
bool slab_debug_is_valid(const char *text, size_t len);

/* The flags of @value, which is valid and ends with a zero, for the cache @name. */
unsigned int slab_debug_flags(const char *value, const char *name);

#endif
