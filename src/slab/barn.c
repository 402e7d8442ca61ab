/* SPDX-License-Identifier: MIT */
#include "slab/barn.h"

/* arbitrary: enough for a few threads in step */
#define MAX_EMPTY 4

struct sheaf *barn_get_full(struct barn *barn)
{
	struct sheaf *sheaf;

	/* racy peek; rechecked under the lock */
	if (!READ_ONCE(barn->nr_full))
		return NULL;
	lock_acquire(&barn->lock, LOCK_BARN);
	sheaf = barn->full;
	if (sheaf) {
		barn->full = sheaf->next;
		WRITE_ONCE(barn->nr_full, barn->nr_full - 1);
		WRITE_ONCE(barn->nr_objects, barn->nr_objects - sheaf->size);
	}
	lock_release(&barn->lock, LOCK_BARN);
	return sheaf;
}

bool barn_put_full(struct barn *barn, struct sheaf *sheaf, uint32_t max_objects)
{
	bool room;

	lock_acquire(&barn->lock, LOCK_BARN);
	room = barn->nr_objects + sheaf->size <= max_objects;
	if (room) {
		sheaf->next = barn->full;
		barn->full = sheaf;
		WRITE_ONCE(barn->nr_full, barn->nr_full + 1);
		WRITE_ONCE(barn->nr_objects, barn->nr_objects + sheaf->size);
	}
	lock_release(&barn->lock, LOCK_BARN);
	return room;
}

struct sheaf *barn_get_empty(struct barn *barn, uint32_t capacity)
{
	struct sheaf *sheaf = NULL;

	/* racy peek; rechecked under the lock */
	if (!READ_ONCE(barn->nr_empty))
		return NULL;
	lock_acquire(&barn->lock, LOCK_BARN);
	for (struct sheaf **link = &barn->empty; *link; link = &(*link)->next) {
		if ((*link)->capacity >= capacity) {
			sheaf = *link;
			*link = sheaf->next;
			WRITE_ONCE(barn->nr_empty, barn->nr_empty - 1);
			break;
		}
	}
	lock_release(&barn->lock, LOCK_BARN);
	return sheaf;
}

void barn_put_empty(struct barn *barn, struct sheaf *sheaf)
{
	struct sheaf *surplus = NULL;

	lock_acquire(&barn->lock, LOCK_BARN);
	sheaf->size = 0;
	sheaf->next = barn->empty;
	barn->empty = sheaf;
	WRITE_ONCE(barn->nr_empty, barn->nr_empty + 1);
	if (barn->nr_empty > MAX_EMPTY) {
		/* the one that has lain there longest: also the smallest, since capacities grow */
		struct sheaf **link = &barn->empty;

		while ((*link)->next)
			link = &(*link)->next;
		surplus = *link;
		*link = NULL;
		WRITE_ONCE(barn->nr_empty, barn->nr_empty - 1);
	}
	lock_release(&barn->lock, LOCK_BARN);
	if (surplus)
		sheaf_free(surplus);
}

struct sheaf *barn_drain(struct barn *barn)
{
	struct sheaf *full, *empty;

	lock_acquire(&barn->lock, LOCK_BARN);
	full = barn->full;
	empty = barn->empty;
	barn->full = NULL;
	barn->empty = NULL;
	WRITE_ONCE(barn->nr_full, 0);
	WRITE_ONCE(barn->nr_empty, 0);
	WRITE_ONCE(barn->nr_objects, 0);
	lock_release(&barn->lock, LOCK_BARN);
	while (empty) {
		struct sheaf *next = empty->next;

		sheaf_free(empty);
		empty = next;
	}
	return full;
}
