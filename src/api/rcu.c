/* SPDX-License-Identifier: MIT */
/*
 * Freeing after a grace period, by liburcu's call_rcu(). no_rcu.c takes this file's place where liburcu is
 * missing.
 *
 * Nothing of the block is kept but its struct rcu_head, both of whose words are liburcu's until the callback.
 * So the callback finds out by address where the block starts. The offset is only held against that.
 */
#include <slabuddy/rcupdate.h>

#include <urcu.h>

#include "base/check.h"
#include "page/page.h"
#include "slab/rcu.h"
#include "slab/report.h"
#include "slab/slab.h"

/* A larger offset would be no member of a structure but a mistake. The kernel's bound too. */
#define MAX_OFFSET 4095

static char *object_around(struct kmem_cache *cache, const void *addr)
{
	struct page *slab = slab_of(cache, addr);

	if (!slab)
		return NULL;
	return (char *)page_start(slab) + cache->first_offset +
	       (size_t)slab_object_number(cache, addr) * cache->size;
}

static struct kmem_cache *cache_around(const void *addr)
{
	const struct section *section = addr_to_section(addr);
	size_t tag = section ? section_tag(section, addr_to_pfn(addr)) : TAG_NONE;

	return tag >= TAG_FIRST_CACHE ? tag_to_cache(tag) : NULL;
}

/*
 * The start of the block that @head lies in, if there is one. A block that is no object starts at a page, and
 * @head lies in its first one.
 */
static void *block_around(struct kmem_cache *cache, const void *head)
{
	return cache ? object_around(cache, head) : (void *)((uintptr_t)head & PAGE_MASK);
}

/* Reported while the culprit is on the stack, not by a thread that knows nothing of it. */
static bool is_block(void *block, const void *head)
{
	struct kmem_cache *cache = cache_around(head);

	if (likely(block_around(cache, head) == block && (cache || ksize(block))))
		return true;
	if (cache)
		report_not_an_object(cache, block);
	else
		report_bad_free(block, "not the start of an allocated block");
	return false;
}

static void free_after_readers(struct rcu_head *head)
{
	kfree(block_around(cache_around(head), head));
}

exported bool slabuddy_has_rcu(void)
{
	return true;
}

exported void slabuddy_kvfree_call_rcu(void *head, size_t offset)
{
	void *block = (char *)head - offset;

	if (unlikely(offset > MAX_OFFSET))
		fatal("kfree_rcu(): a struct rcu_head at offset %zu, over %d", offset, MAX_OFFSET);
	if (ZERO_OR_NULL_PTR(block) || unlikely(!is_block(block, head)))
		return;
	call_rcu(head, free_after_readers);
}

exported void kvfree_rcu_mightsleep(const void *ptr)
{
	if (ZERO_OR_NULL_PTR(ptr))
		return;
	synchronize_rcu();
	kvfree(ptr);
}

exported void kvfree_rcu_barrier(void)
{
	rcu_barrier();
}

/* liburcu's thread for callbacks is started by the first who needs it, under a lock of liburcu's. */
static void start(void)
{
	get_default_call_rcu_data();
}

static void defer(void *head, void (*fn)(void *head))
{
	_Static_assert(sizeof(struct rcu_head) <= 2 * sizeof(void *), "a head is two words");
	/* a function of one pointer, whatever to */
	call_rcu(head, (void (*)(struct rcu_head *))(void (*)(void))fn);
}

static void barrier(void)
{
	rcu_barrier();
}

static __attribute__((constructor)) void rcu_boot(void)
{
	slab_set_rcu_start(start);
	slab_set_rcu(defer, barrier);
}
