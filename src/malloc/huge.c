/* SPDX-License-Identifier: MIT */
#include "malloc/huge.h"

#include "base/bits.h"
#include "base/lock.h"
#include "base/root.h"
#include "buddy/thp.h"
#include "os/info.h"
#include "os/mem.h"
#include "page/limit.h"
#include "page/meta.h"

static struct lock registry_lock;
static struct huge *huge_blocks[NR_HUGE_BUCKETS]; /* [registry_lock] by bucket_of() */
static struct huge *retired;		 /* [registry_lock] freed, but still mapped */
static size_t total_bytes;		 /* [registry_lock] */
static size_t nr_blocks;		 /* [registry_lock; read by anybody] */

ROOT_PLACE(huge_blocks);
ROOT_PLACE(retired);
ROOT_PLACE(nr_blocks);

static struct huge **bucket_of(const void *addr)
{
	/* multiplicative hashing: addresses differ in their middle bits */
	uint64_t hash = ((uintptr_t)addr >> 12) * 0x9e3779b97f4a7c15u;

	return &huge_blocks[hash >> 56];
}

static struct huge **find_locked(const void *addr)
{
	struct huge **link = bucket_of(addr);

	ASSERT_HELD(&registry_lock, LOCK_HUGE);
	while (*link && (*link)->addr != addr)
		link = &(*link)->next;
	return link;
}

static void insert(struct huge *huge)
{
	struct huge **link;

	lock_acquire(&registry_lock, LOCK_HUGE);
	link = bucket_of(huge->addr);
	huge->next = *link;
	*link = huge;
	ADD_ONCE(total_bytes, huge->bytes);
	ADD_ONCE(nr_blocks, 1);
	lock_release(&registry_lock, LOCK_HUGE);
}

static struct huge *take_out(const void *addr)
{
	struct huge **link;
	struct huge *huge;

	lock_acquire(&registry_lock, LOCK_HUGE);
	link = find_locked(addr);
	huge = *link;
	if (huge) {
		*link = huge->next;
		SUB_ONCE(total_bytes, huge->bytes);
		SUB_ONCE(nr_blocks, 1);
	}
	lock_release(&registry_lock, LOCK_HUGE);
	return huge;
}

static size_t mapping_bytes(size_t size)
{
	return ALIGN_UP(size, os_page_size());
}

size_t huge_bytes(const void *ptr)
{
	struct huge *huge;
	size_t bytes;

	lock_acquire(&registry_lock, LOCK_HUGE);
	huge = *find_locked(ptr);
	bytes = huge ? huge->bytes : 0;
	lock_release(&registry_lock, LOCK_HUGE);
	return bytes;
}

/*
 * At the limit of mappings (vm.max_map_count) the kernel refuses to unmap the middle of what it has
 * merged. Then the memory goes back at least, and the addresses serve a later block.
 */
static void retire(struct huge *huge)
{
	if (os_discard(huge->addr, huge->bytes)) {
		/* and goes on to count against the memory limit */
		warn_once("the OS takes %zu bytes at %p back neither way", huge->bytes, huge->addr);
		meta_free(huge, sizeof(*huge));
		return;
	}
	limit_uncharge(huge->bytes);
	lock_acquire(&registry_lock, LOCK_HUGE);
	huge->next = retired;
	retired = huge;
	lock_release(&registry_lock, LOCK_HUGE);
}

/* A retired mapping of just the right size and alignment, which reads as zero; or NULL. */
static struct huge *take_retired(size_t bytes, size_t align)
{
	struct huge *huge = NULL;

	/* racy peek; rechecked under the lock */
	if (likely(!READ_ONCE(retired)))
		return NULL;
	lock_acquire(&registry_lock, LOCK_HUGE);
	for (struct huge **link = &retired; *link; link = &(*link)->next) {
		if ((*link)->bytes == bytes && IS_ALIGNED((uintptr_t)(*link)->addr, align)) {
			huge = *link;
			*link = huge->next;
			break;
		}
	}
	lock_release(&registry_lock, LOCK_HUGE);
	return huge;
}

bool huge_free(void *ptr)
{
	struct huge *huge = take_out(ptr);

	if (!huge)
		return false;
	if (os_unmap(huge->addr, huge->bytes)) {
		retire(huge);
		return true;
	}
	limit_uncharge(huge->bytes);
	meta_free(huge, sizeof(*huge));
	return true;
}

static struct huge *map_new(size_t bytes, size_t align)
{
	struct huge *huge = meta_alloc(sizeof(*huge));

	if (!huge)
		return NULL;
	huge->bytes = bytes;
	huge->addr = os_map(bytes, MAX(align, os_page_size()));
	if (!huge->addr) {
		meta_free(huge, sizeof(*huge));
		return NULL;
	}
	return huge;
}

void *huge_alloc(size_t size, size_t align, bool zero)
{
	size_t bytes = mapping_bytes(size);
	struct huge *huge;

	if (!limit_charge(bytes))
		return NULL;
	huge = take_retired(bytes, align);
	if (!huge)
		huge = map_new(bytes, align);
	if (!huge) {
		limit_uncharge(bytes);
		return NULL;
	}
	thp_mapped(huge->addr, bytes, zero);
	insert(huge);
	return huge->addr;
}

/* os_remap() within the memory limit. */
static void *remap(void *ptr, size_t old_bytes, size_t new_bytes)
{
	size_t more = new_bytes > old_bytes ? new_bytes - old_bytes : 0;
	void *now;

	if (more && !limit_charge(more))
		return NULL;
	now = os_remap(ptr, old_bytes, new_bytes);
	if (!now)
		limit_uncharge(more);
	else if (!more)
		limit_uncharge(old_bytes - new_bytes);
	return now;
}

void *huge_resize(void *ptr, size_t size)
{
	size_t bytes = mapping_bytes(size);
	struct huge *huge = take_out(ptr);
	void *now = NULL;

	if (!huge)
		return NULL;
	if (bytes == huge->bytes)
		now = ptr;
	else
		now = remap(ptr, huge->bytes, bytes);
	if (now) {
		huge->addr = now;
		huge->bytes = bytes;
	}
	insert(huge);
	return now;
}

size_t huge_total_bytes(void)
{
	return READ_ONCE(total_bytes);
}

size_t huge_count(void)
{
	return READ_ONCE(nr_blocks);
}

void huge_walk_locks(lock_visit *visit, void *arg)
{
	visit(&registry_lock, arg);
}
