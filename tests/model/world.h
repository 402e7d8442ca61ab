/* SPDX-License-Identifier: MIT */
/*
 * The model: workers with tables of blocks, a mailbox through which blocks change hands, and the
 * comparison of all that with what the heap says about itself.
 */
#ifndef SLABUDDY_TESTS_MODEL_WORLD_H
#define SLABUDDY_TESTS_MODEL_WORLD_H

#include "model/block.h"

#define MAX_WORKERS 8

/* How sizes are drawn. */
enum mix {
	MIX_SMALL, /* most blocks are tiny, as in most programs */
	MIX_CLASSES, /* every size class alike, at its edges */
	MIX_LARGE, /* page runs, now and then a mapping of its own */
	MIX_ALL,
};

/* Empty the model and seed it. */
void world_start(unsigned int workers, enum mix mix, uint64_t seed);

/* @steps random operations on one worker's blocks; one thread at a time may be that worker. */
void world_work(unsigned int worker, unsigned long steps);

/* Nobody works: no two blocks overlap, the heap is sound, and its figures are the model's. */
void world_audit(void);

/* Free everything; the heap must then say that nothing is live. */
void world_end(void);

#endif
