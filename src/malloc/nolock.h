/* SPDX-License-Identifier: MIT */
/*
 * Memory for signal handlers: nobody is waited for, and the OS is asked for nothing.
 */
#ifndef SLABUDDY_MALLOC_NOLOCK_H
#define SLABUDDY_MALLOC_NOLOCK_H

#include "base/compiler.h"

/* Memory of one of malloc's classes, straight from a slab; NULL when that, or the zone that would give a
 * new one, is locked or has none; or for more than MAX_SLAB_BYTES. */
void *heap_malloc_nolock(size_t size);

/* Give a block back: it is freed at the next slow path. A pointer that is no block of malloc's, or is free
 * already, is reported. */
void heap_free_nolock(void *ptr);

#endif
