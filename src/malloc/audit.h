/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_MALLOC_AUDIT_H
#define SLABUDDY_MALLOC_AUDIT_H

#include "base/audit.h"

/**
 * heap_validate() - check the whole heap.
 * @report: gets a line for each of the first faults; NULL: stderr.
 *
 * Every page is exactly one of free, pcp, isolated, uncommitted, slab, large or owned by somebody
 * who is about to make it one of these; and every layer's counters agree with that.
 *
 * Return: the number of faults.
 * Context: stops every other thread at its next slow path while it looks.
 */
unsigned long heap_validate(void (*report)(struct audit *audit, const char *line));

#endif
