/* SPDX-License-Identifier: MIT */
/*
 * Pages by the kernel's names: from an address, a struct page or a pfn to one another, and what there is of
 * nodes and zones.
 */
#include "api/pages.h"

#include <string.h>

#include "buddy/wmark.h"
#include "slab/boot.h"

exported void *page_address(const struct page *page)
{
	return page ? page_start(page) : NULL;
}

exported struct page *virt_to_page(const void *addr)
{
	return page_around(addr);
}

exported struct page *virt_to_head_page(const void *addr)
{
	struct page *page = virt_to_page(addr);

	return page ? compound_head(page) : NULL;
}

exported struct page *compound_head(const struct page *page)
{
	struct page *head = page_head((struct page *)(uintptr_t)page);

	return head ? head : (struct page *)(uintptr_t)page;
}

exported unsigned int compound_order(const struct page *page)
{
	enum page_type type = page_type(page);

	return type == PAGE_BLOCK || type == PAGE_SLAB ? page->order : 0;
}

exported unsigned long page_to_pfn(const struct page *page)
{
	return (uintptr_t)page_start(page) >> PAGE_SHIFT;
}

exported struct page *pfn_to_page(unsigned long pfn)
{
	if (pfn > UINTPTR_MAX >> PAGE_SHIFT)
		return NULL;
	return virt_to_page((const void *)(pfn << PAGE_SHIFT));
}

exported struct page *nth_page(struct page *page, unsigned long n)
{
	return pfn_to_page(page_to_pfn(page) + n);
}

/* ---- Nodes and zones ---- */

exported int page_to_nid(const struct page *page)
{
	return page_zone(page)->nid;
}

exported int numa_mem_id(void)
{
	struct slot *slot = this_slot;

	slab_boot();
	return slot_is_real(slot) ? slot->nid : (int)node_here();
}

exported int numa_node_id(void)
{
	return numa_mem_id();
}

exported int num_online_nodes(void)
{
	slab_boot();
	return (int)nr_nodes();
}

static struct zone *find_zone(int nid, const char *name)
{
	if (nid < 0 || !node_exists(nid) || !name)
		return NULL;
	for (int type = 0; type < MAX_NR_ZONES; type++) {
		if (!strcmp(name, zone_names[type]))
			return &node_data[nid].zones[type];
	}
	return NULL;
}

exported long zone_page_state(int nid, const char *name, enum zone_item item)
{
	struct zone *zone;
	long pages = -1;

	slab_boot();
	zone = find_zone(nid, name);
	if (!zone)
		return -1;
	zone_lock(zone);
	switch (item) {
	case ZONE_ITEM_MANAGED:
		pages = (long)zone->managed_pages;
		break;
	case ZONE_ITEM_FREE:
		pages = (long)(zone->nr_free_pages + zone->nr_isolated);
		break;
	case ZONE_ITEM_DIRTY:
		pages = (long)(zone->nr_dirty + zone->nr_isolated);
		break;
	case ZONE_ITEM_RESERVED:
		pages = (long)zone->uncommitted_pages;
		break;
	case ZONE_ITEM_WMARK_LOW:
		pages = (long)low_wmark_pages(zone);
		break;
	case ZONE_ITEM_WMARK_HIGH:
		pages = (long)high_wmark_pages(zone);
		break;
	}
	zone_unlock(zone);
	return pages;
}
