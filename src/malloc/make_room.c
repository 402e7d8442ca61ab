/* SPDX-License-Identifier: MIT */
#include "malloc/make_room.h"

#include <errno.h>

#include "base/fault.h"
#include "base/option.h"
#include "malloc/heap.h"

/*
 * Tries while giving back finds something: another thread may take it first. Arbitrary; then it is time to say
 * that there is too little.
 */
#define MAX_TRIMS 8

cold bool ask_limit_handler(size_t bytes)
{
	slabuddy_limit_handler *handler;
	int saved_errno = errno;
	bool again;
	void *arg;

	/* what the handler itself allocates has to do with what there is */
	if (limit_answer.in_handler)
		return false;
	handler = options_limit_handler(&arg);
	if (!handler)
		return false;
	limit_answer.in_handler = true;
	again = handler(bytes, arg);
	limit_answer.in_handler = false;
	errno = saved_errno;
	return again;
}

cold bool make_room_slow(unsigned int *attempt)
{
	size_t refused = limit_answer.refused;
	bool purged;

	limit_answer.refused = 0;
	/* it failed on purpose, and the refusal is an old one */
	if (fault_answer.fail)
		return false;
	if (*attempt < MAX_TRIMS) {
		purged = heap_trim();
		/* the first time free objects of sheaves may do */
		if (purged || !*attempt) {
			++*attempt;
			return true;
		}
		*attempt = MAX_TRIMS;
	}
	if (!ask_limit_handler(refused))
		return false;
	/* what it freed may be of the wrong size */
	heap_trim();
	return true;
}
