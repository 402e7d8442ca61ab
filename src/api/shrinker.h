/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_API_SHRINKER_H
#define SLABUDDY_API_SHRINKER_H

#include <slabuddy/shrinker.h>

#include "base/compiler.h"

/* How hard to try: shrinkers are asked for 1 / 2^priority of what they have, times 4 / seeks. The kernel's
 * figure. */
#define DEF_PRIORITY 12

/* Ask for everything, whatever it costs to make it anew. */
#define PRIORITY_ALL (-1)

/**
 * shrinkers_scan() - one round of all shrinkers.
 * @nid: as they are told; a node that there is.
 *
 * Return: objects freed.
 * Context: no lock held. Nothing happens within a shrinker.
 */
unsigned long shrinkers_scan(gfp_t gfp, int nid, int priority);

/* How many are registered. */
unsigned int shrinkers_count(void);

#endif
