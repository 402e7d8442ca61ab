/* SPDX-License-Identifier: MIT */
/*
 * An operating system that refuses: the linker puts these in the place of the calls in os/mem.h
 * that may fail (--wrap), and each test says which calls fail.
 */
#ifndef SLABUDDY_TESTS_FAULT_FAULTY_OS_H
#define SLABUDDY_TESTS_FAULT_FAULTY_OS_H

#include "base/compiler.h"

/* The calls @first to @first + @count - 1 fail, counted from 1 and from now on. */
void faulty_os_fail(unsigned long first, unsigned long count);

/* Each call fails with the probability @per_cent / 100. */
void faulty_os_fail_randomly(unsigned int per_cent, uint64_t seed);

/*
 * Accounting as with vm.overcommit_memory=2: what is committed and mapped may be @bytes in all, and
 * only unmapping gives any of it back.
 */
void faulty_os_limit(size_t bytes);

void faulty_os_work(void);

/* Calls since the last of the above. */
unsigned long faulty_os_calls(void);

#endif
