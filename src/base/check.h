/* SPDX-License-Identifier: MIT */
/*
 * Three levels of check:
 *
 *   fatal()      always compiled in: the user's mistakes, and states that must not be survived.
 *   ASSERT       debug builds, O(1): our own mistakes.
 *   ASSERT_SLOW  debug builds, O(n).
 *
 * In other builds an assertion's expression is parsed, not evaluated, and nothing is assumed
 * from it.
 */
#ifndef SLABUDDY_BASE_CHECK_H
#define SLABUDDY_BASE_CHECK_H

#include "base/compiler.h"

/**
 * fatal() - report one line on stderr and abort().
 * @fmt: printf format, without the "slabuddy: " before it and the newline after it.
 *
 * Context: Any. Takes no lock and allocates nothing.
 */
cold _Noreturn void fatal(const char *fmt, ...) format_printf(1, 2);

/**
 * warn() - report one line on stderr and go on. Keeps errno.
 * @fmt: as for fatal().
 */
cold void warn(const char *fmt, ...) format_printf(1, 2);

/* Report the first time only; @flag is a static bool. */
#define warn_once(...)							\
	do {								\
		static bool warned_;					\
		if (!__atomic_exchange_n(&warned_, true, __ATOMIC_RELAXED)) \
			warn(__VA_ARGS__);				\
	} while (0)

cold _Noreturn void assert_failed(const char *expr, const char *file, int line);

#ifdef SLABUDDY_DEBUG
#define ASSERT(expr) (likely(expr) ? (void)0 : assert_failed(#expr, __FILE__, __LINE__))
#define ASSERT_SLOW(expr) ASSERT(expr)
#define DEBUG_BUILD true
#else
#define ASSERT(expr) ((void)sizeof((expr) ? 1 : 0))
#define ASSERT_SLOW(expr) ASSERT(expr)
#define DEBUG_BUILD false
#endif

#endif
