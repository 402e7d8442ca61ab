/* SPDX-License-Identifier: MIT */
/*
 * A script that is run again and again in a child process, in which the OS refuses the first call, the
 * second, and so on until the script makes no more calls than that.
 */
#ifndef SLABUDDY_TESTS_FAULT_EACH_CALL_H
#define SLABUDDY_TESTS_FAULT_EACH_CALL_H

#include "base/compiler.h"

struct fault_script {
	void (*run)(void); /* while the OS refuses */
	void (*end)(void); /* when it works again; the process ends by a signal if something is wrong */
	bool (*may_say)(const char *said); /* what stands on stderr; NULL: nothing may */
	/* from the call @first on how far to the next one, where @count calls fail; NULL: 1 */
	unsigned long (*step)(unsigned long first, unsigned long count);
};

/* No end: every call from some on. */
#define ALL_CALLS (1UL << 40)

/**
 * for_each_call() - refuse the calls n to n + @count - 1, for each n that the script comes to.
 *
 * Fails the running test when a child does not end with status 0, says what it may not say, or makes so few calls
 * that the script is worth nothing.
 */
void for_each_call(const struct fault_script *script, unsigned long count);

#endif
