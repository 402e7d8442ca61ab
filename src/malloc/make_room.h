/* SPDX-License-Identifier: MIT */
/*
 * What an allocation does when the memory limit has refused it, before it fails.
 */
#ifndef SLABUDDY_MALLOC_MAKE_ROOM_H
#define SLABUDDY_MALLOC_MAKE_ROOM_H

#include "page/limit.h"

bool make_room_slow(unsigned int *attempt);
bool ask_limit_handler(size_t bytes);

/**
 * make_room() - an allocation failed; if the limit refused it, give back what is free, then ask the program's handler.
 * @attempt: 0 at first, then as the call before left it.
 *
 * Return: whether the caller should try once more.
 * Context: no lock is held.
 */
static inline bool make_room(unsigned int *attempt)
{
	return limit_answer.refused && !limit_answer.quiet && make_room_slow(attempt);
}

#endif
