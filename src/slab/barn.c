/* SPDX-License-Identifier: MIT */
#include "slab/barn.h"

/* arbitrary: enough for a few threads in step */
#define MAX_EMPTY 4

static struct sheaf *pop_full(struct barn *barn)
{
	struct sheaf *sheaf = barn->full;

	ASSERT_HELD(&barn->lock, LOCK_BARN);
	if (sheaf) {
		barn->full = sheaf->next;
		WRITE_ONCE(barn->nr_full, barn->nr_full - 1);
		WRITE_ONCE(barn->nr_objects, barn->nr_objects - sheaf->size);
	}
	return sheaf;
}

static bool push_full(struct barn *barn, struct sheaf *sheaf, uint32_t max_objects)
{
	ASSERT_HELD(&barn->lock, LOCK_BARN);
	if (barn->nr_objects + sheaf->size > max_objects)
		return false;
	sheaf->next = barn->full;
	barn->full = sheaf;
	WRITE_ONCE(barn->nr_full, barn->nr_full + 1);
	WRITE_ONCE(barn->nr_objects, barn->nr_objects + sheaf->size);
	return true;
}

/* The place of an empty sheaf for at least @capacity pointers; or of the NULL behind all. */
static struct sheaf **find_empty(struct barn *barn, uint32_t capacity)
{
	struct sheaf **link = &barn->empty;

	ASSERT_HELD(&barn->lock, LOCK_BARN);
	while (*link && (*link)->capacity < capacity)
		link = &(*link)->next;
	return link;
}

/* Return: an empty sheaf that the barn has no place for, or NULL. */
static struct sheaf *push_empty(struct barn *barn, struct sheaf *sheaf)
{
	struct sheaf **link = &barn->empty;

	ASSERT_HELD(&barn->lock, LOCK_BARN);
	sheaf->size = 0;
	sheaf->next = barn->empty;
	barn->empty = sheaf;
	WRITE_ONCE(barn->nr_empty, barn->nr_empty + 1);
	if (barn->nr_empty <= MAX_EMPTY)
		return NULL;
	/* the one that has lain there longest: also the smallest, since capacities grow */
	while ((*link)->next)
		link = &(*link)->next;
	sheaf = *link;
	*link = NULL;
	WRITE_ONCE(barn->nr_empty, barn->nr_empty - 1);
	return sheaf;
}

struct sheaf *barn_get_full(struct barn *barn)
{
	struct sheaf *sheaf;

	/* racy peek; rechecked under the lock */
	if (!READ_ONCE(barn->nr_full))
		return NULL;
	lock_acquire(&barn->lock, LOCK_BARN);
	sheaf = pop_full(barn);
	lock_release(&barn->lock, LOCK_BARN);
	return sheaf;
}

struct sheaf *barn_trade_empty(struct barn *barn, struct sheaf *empty)
{
	struct sheaf *surplus = NULL;
	struct sheaf *full;

	/* racy peek; rechecked under the lock */
	if (!READ_ONCE(barn->nr_full))
		return NULL;
	lock_acquire(&barn->lock, LOCK_BARN);
	full = pop_full(barn);
	if (full)
		surplus = push_empty(barn, empty);
	lock_release(&barn->lock, LOCK_BARN);
	if (surplus)
		sheaf_free(surplus);
	return full;
}

bool barn_put_full(struct barn *barn, struct sheaf *sheaf, uint32_t max_objects)
{
	bool room;

	lock_acquire(&barn->lock, LOCK_BARN);
	room = push_full(barn, sheaf, max_objects);
	lock_release(&barn->lock, LOCK_BARN);
	return room;
}

struct sheaf *barn_trade_full(struct barn *barn, struct sheaf *full, uint32_t max_objects,
			      uint32_t capacity)
{
	struct sheaf **link;
	struct sheaf *empty;

	/* racy peek; rechecked under the lock */
	if (!READ_ONCE(barn->nr_empty))
		return NULL;
	lock_acquire(&barn->lock, LOCK_BARN);
	link = find_empty(barn, capacity);
	empty = *link;
	if (empty && push_full(barn, full, max_objects)) {
		*link = empty->next;
		WRITE_ONCE(barn->nr_empty, barn->nr_empty - 1);
	} else {
		empty = NULL;
	}
	lock_release(&barn->lock, LOCK_BARN);
	return empty;
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
