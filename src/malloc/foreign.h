/* SPDX-License-Identifier: MIT */
/*
 * Pointers that this heap did not hand out.
 *
 * A library loaded with RTLD_DEEPBIND gets its memory from libc and may hand it to us to free. So
 * a pointer that looks like a block of libc's heap goes to the next allocator in line. It is looked
 * at without touching it in a way that could fault. Everything else is a mistake and is reported.
 */
#ifndef SLABUDDY_MALLOC_FOREIGN_H
#define SLABUDDY_MALLOC_FOREIGN_H

#include "base/compiler.h"

/* Free it in its own heap, or report it. */
cold void foreign_free(void *ptr);

/* Resize it in its own heap; or report it and return NULL with errno ENOMEM. */
cold void *foreign_realloc(void *ptr, size_t size);

/* Its usable size, or 0 when nobody knows. */
cold size_t foreign_usable_size(void *ptr);

#endif
