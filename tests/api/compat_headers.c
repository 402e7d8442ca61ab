/* SPDX-License-Identifier: MIT */
/*
 * Code in the kernel's style, kernel's header names included, that runs as a program. <linux/futex.h> is
 * the system's: the compat folder must not hide it.
 */
#include <linux/futex.h>
#include <linux/gfp.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

#ifndef FUTEX_WAIT
#error not the <linux/futex.h> of the system
#endif

struct item {
	struct item *next;
	unsigned long key;
};

static int use_cache(void)
{
	struct kmem_cache *cache = KMEM_CACHE(item, SLAB_HWCACHE_ALIGN);
	struct item *item;

	if (!cache)
		return 1;
	item = (struct item *)kmem_cache_zalloc(cache, GFP_KERNEL);
	if (!item || item->next || item->key || kmem_cache_size(cache) != sizeof(*item))
		return 1;
	kmem_cache_free(cache, item);
	kmem_cache_destroy(cache);
	return 0;
}

static int use_pages(void)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 2);
	int bad;

	if (!page)
		return 1;
	bad = *(char *)page_address(page) || virt_to_page(page_address(page)) != page;
	__free_pages(page, 2);
	return bad;
}

int main(void)
{
	char *text = (char *)kzalloc(100, GFP_KERNEL);

	if (!text || text[99] || use_cache() || use_pages())
		return 1;
	kfree(text);
	return 0;
}
