/* SPDX-License-Identifier: MIT */
/*
 * Stacks of calls: taken while something happens, put into words when it is reported.
 */
#ifndef SLABUDDY_BASE_STACK_H
#define SLABUDDY_BASE_STACK_H

#include "base/compiler.h"

/**
 * stack_capture() - the return addresses of the calls that led here.
 * @addrs: gets up to @max of them, the innermost first.
 * @skip: frames to leave out, counted from the caller of this function, which is the first.
 *
 * Return: how many.
 * Context: any thread, also in a signal handler; no lock of ours, and none may be held, since the unwinder
 * may wait for the dynamic linker's. Allocates nothing.
 * Cost: about a microsecond for a frame at first, then a fifth of that.
 */
noinline unsigned int stack_capture(void **addrs, unsigned int max, unsigned int skip);

/* How many of @nr addresses, from the first on, are of this library itself; 0 when it is part of the program, or
 * when all are. */
unsigned int stack_own_frames(void *const *addrs, unsigned int nr);

/* The longest description, with its final zero. */
#define STACK_LINE_BYTES 160

/**
 * stack_describe() - an address as the kernel writes it: "function+0x1c/0x40 [module]".
 * @line: gets it, cut to STACK_LINE_BYTES.
 *
 * Without a symbol that the dynamic linker knows: "0x55d0c0ffee00 [module+0xe00]", which addr2line
 * understands.
 */
void stack_describe(char line[STACK_LINE_BYTES], const void *addr);

#endif
