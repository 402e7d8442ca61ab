/* SPDX-License-Identifier: MIT */
/*
 * Objects that their owner can move: which slabs are worth vacating, and the moving.
 *
 * Only he knows who points to an object, so the allocator moves nothing by itself. It says of an
 * object whether its slab is one of the emptier ones, and moves it into one of the fullest.
 */
#ifndef SLABUDDY_SLAB_VACATE_H
#define SLABUDDY_SLAB_VACATE_H

#include "slab/cache.h"

/**
 * slab_worth_vacating() - whether the slab of an object should lose it.
 * @object: any address.
 *
 * Return: 1 or 0; -EINVAL: no object in use of @cache; -EOPNOTSUPP: those of this cache cannot be
 * moved.
 * Context: takes LOCK_NODE; no lock but the caller's slot may be held.
 */
int slab_worth_vacating(struct kmem_cache *cache, const void *object);

/**
 * slab_move() - move an object into a fuller slab, past all sheaves.
 * @object: any address; nobody else may use it meanwhile.
 *
 * Return: where its contents are now, @object being free; NULL: nothing was done, since it is not
 * worth it.
 * Context: no lock held.
 */
void *slab_move(struct kmem_cache *cache, void *object);

#endif
