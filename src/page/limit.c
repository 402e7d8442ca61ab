/* SPDX-License-Identifier: MIT */
#include "page/limit.h"

#include "base/option.h"
#include "os/mem.h"

thread_local_word struct limit_answer limit_answer;

static size_t held_bytes; /* [atomic] */

bool limit_charge(size_t bytes)
{
	size_t limit = READ_ONCE(options.memory_limit);
	size_t held = READ_ONCE(held_bytes);

	/* nothing is added first and taken back then: another thread would be refused for it */
	do {
		if (limit && (held > limit || bytes > limit - held)) {
			limit_answer.refused = bytes;
			return false;
		}
	} while (!__atomic_compare_exchange_n(&held_bytes, &held, held + bytes, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

void limit_charge_anyway(size_t bytes)
{
	__atomic_fetch_add(&held_bytes, bytes, __ATOMIC_RELAXED);
}

void limit_uncharge(size_t bytes)
{
	__atomic_fetch_sub(&held_bytes, bytes, __ATOMIC_RELAXED);
}

void *limit_map(size_t bytes, size_t align)
{
	void *addr;

	if (!limit_charge(bytes))
		return NULL;
	addr = os_map(bytes, align);
	if (!addr)
		limit_uncharge(bytes);
	return addr;
}

void limit_unmap(void *addr, size_t bytes)
{
	if (!os_unmap(addr, bytes))
		limit_uncharge(bytes);
}

size_t limit_excess_bytes(void)
{
	size_t limit = READ_ONCE(options.memory_limit);
	size_t held = READ_ONCE(held_bytes);

	return limit && held > limit ? held - limit : 0;
}

size_t limit_held_bytes(void)
{
	return READ_ONCE(held_bytes);
}
