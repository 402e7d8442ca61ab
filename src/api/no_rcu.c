/* SPDX-License-Identifier: MIT */
/*
 * What rcu.c offers, where the library is built without liburcu. To free at once would be wrong, and never to
 * free would be a leak that nobody sees, so these end the process.
 */
#include "api/rcu.h"

#include "base/check.h"

exported bool slabuddy_has_rcu(void)
{
	return false;
}

exported void slabuddy_kvfree_call_rcu(void *head, size_t offset)
{
	(void)head;
	(void)offset;
	fatal("kfree_rcu() needs liburcu, and this library was built without");
}

exported void kvfree_rcu_mightsleep(const void *ptr)
{
	(void)ptr;
	fatal("kvfree_rcu_mightsleep() needs liburcu, and this library was built without");
}

exported void kvfree_rcu_barrier(void)
{
	fatal("kvfree_rcu_barrier() needs liburcu, and this library was built without");
}

void rcu_finish_frees(void)
{
}
