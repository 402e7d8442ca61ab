/* SPDX-License-Identifier: MIT */
/*
 * How large a slab is: the kernel's calculate_order() rule.
 */
#ifndef SLABUDDY_SLAB_GEOMETRY_H
#define SLABUDDY_SLAB_GEOMETRY_H

#include "base/compiler.h"

/* The kernel's slub_max_order. */
#define SLAB_MAX_ORDER 3

/**
 * slab_min_objects() - objects that a slab should have, for a machine with @nr_cpus processors.
 */
unsigned int slab_min_objects(unsigned int nr_cpus);

/**
 * slab_order() - order of the slabs of a cache.
 * @size: bytes from one object to the next.
 * @min_objects: see slab_min_objects(); fewer are accepted when SLAB_MAX_ORDER does not hold them.
 * @max_order: how far to go in search of less waste, at least SLAB_MAX_ORDER.
 *
 * Return: the smallest order that holds @min_objects and leaves at most 1/16 of the slab unused,
 * else 1/8, else 1/4, else 1/2; for larger objects the order of one; negative when that is over
 * MAX_PAGE_ORDER.
 * Source: the rule of the kernel's calculate_order(), mm/slub.c, which has max_order 3.
 */
int slab_order(size_t size, unsigned int min_objects, unsigned int max_order);

#endif
