/* SPDX-License-Identifier: MIT */
/*
 * The checker of the heap's own invariants: each layer has a validate function that counts the
 * faults it finds and reports each one; what to do about them is the caller's business.
 */
#ifndef SLABUDDY_BASE_AUDIT_H
#define SLABUDDY_BASE_AUDIT_H

#include "base/compiler.h"

struct audit {
	unsigned long faults;
	void (*report)(struct audit *audit, const char *line); /* NULL: warn() */
};

/* Count a fault and report it. */
cold void audit_fault(struct audit *audit, const char *fmt, ...) format_printf(2, 3);

#define AUDIT(audit, cond, ...)					\
	do {							\
		if (unlikely(!(cond)))				\
			audit_fault(audit, __VA_ARGS__);	\
	} while (0)

#endif
