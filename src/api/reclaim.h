/* SPDX-License-Identifier: MIT */
/*
 * What an allocation does when there is no memory, before it gives up.
 */
#ifndef SLABUDDY_API_RECLAIM_H
#define SLABUDDY_API_RECLAIM_H

#include <slabuddy/gfp.h>

#include "base/compiler.h"

/**
 * reclaim_and_retry() - memory ran out; make some.
 * @gfp: says what may be done, see <slabuddy/gfp.h>.
 * @nid: the node that needs memory, or NUMA_NO_NODE.
 * @attempt: 0 at first, then as the call before left it.
 *
 * Return: whether the caller should try once more. When it should not, a line on stderr has said so, the
 * first time, unless __GFP_NOWARN.
 * Context: no lock held.
 */
cold bool reclaim_and_retry(gfp_t gfp, int nid, unsigned int *attempt);

#endif
