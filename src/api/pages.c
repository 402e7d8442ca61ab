/* SPDX-License-Identifier: MIT */
/*
 * The page API by the kernel's names. Blocks of low order come from and go to the slot's page sheaves
 * (buddy/page_sheaf.h); everything else goes through page_alloc_exact() and zone_free_run().
 */
#include <slabuddy/gfp.h>

#include <string.h>

#include "api/reclaim.h"
#include "base/check.h"
#include "base/fault.h"
#include "buddy/purge.h"
#include "buddy/run.h"
#include "page/meta.h"
#include "page/section.h"
#include "slab/boot.h"
#include "slab/report.h"
#include "slab/slot.h"

/* ---- Allocation ---- */

static struct zone *slot_zone(const struct slot *slot)
{
	return &node_data[slot->nid].zones[ZONE_NORMAL];
}

/* Whether @slot has page sheaves; they are made when it has none. */
static bool has_sheaves(struct slot *slot)
{
	/* reports count what is in them without the slot's lock */
	if (unlikely(!slot->page_sheaves))
		store_release(&slot->page_sheaves, meta_alloc(sizeof(*slot->page_sheaves)));
	return slot->page_sheaves;
}

static always_inline struct page *clear_if_asked(struct page *page, gfp_t gfp, unsigned int order)
{
	if ((gfp & __GFP_ZERO) && page->contents != CONTENTS_ZERO)
		memset(page_start(page), 0, PAGE_SIZE << order);
	return page;
}

static always_inline struct page *alloc_fast(struct slot *slot, gfp_t gfp, unsigned int order)
{
	struct page_sheaves *sheaves = slot->page_sheaves;
	struct page *page;

	if (unlikely(order > PCP_MAX_ORDER || !gfp_is_fast(gfp) || !sheaves))
		return NULL;
	page = page_sheaf_pop(&sheaves->sheaf[order][gfp_migrate_bits(gfp)]);
	return likely(page) ? clear_if_asked(page, gfp, order) : NULL;
}

/* Where an allocation may be, as the zones are asked. */
struct place {
	gfp_t gfp;
	int nid;
};

/* The shared slot is of no node, whatever its pages are. */
static unsigned int node_of(const struct place *place, const struct slot *slot)
{
	if (place->nid != NUMA_NO_NODE)
		return (unsigned int)place->nid;
	return slot == &slot_shared ? node_here() : slot->nid;
}

static bool node_exists(int nid)
{
	return nid == NUMA_NO_NODE || (nid >= 0 && (unsigned int)nid < nr_nodes());
}

/* A block that the slot's sheaves may give: fill one from what the zone has at hand. */
static struct page *alloc_by_refill(struct slot *slot, const struct place *place, unsigned int order)
{
	unsigned int mt = gfp_migrate_bits(place->gfp);

	if (order > PCP_MAX_ORDER || mt >= MIGRATE_TYPES || !gfp_is_fast(place->gfp) ||
	    node_of(place, slot) != slot->nid || !has_sheaves(slot))
		return NULL;
	/* the slot is the shared one, or it got its sheaves just now: there may be something */
	if (!slot->page_sheaves->sheaf[order][mt].count)
		page_sheaf_refill(slot->page_sheaves, slot_zone(slot), order,
				  (enum migratetype)mt);
	return page_sheaf_pop(&slot->page_sheaves->sheaf[order][mt]);
}

/* Pages, PAGE_USED: a block if @align_order is its order, else a run. */
static struct page *alloc_from_zones(unsigned int nid, gfp_t gfp, size_t nr_pages,
				     unsigned int align_order, unsigned int *nr_dirty)
{
	if (align_order)
		return page_alloc_exact(nid, gfp, nr_pages, align_order, nr_dirty, NULL);
	return page_alloc_contig(nid, gfp, nr_pages, nr_dirty);
}

/* The same. When there is none, what this slot keeps for itself is no use to anybody. */
static struct page *alloc_run(struct slot *slot, const struct place *place, size_t nr_pages,
			      unsigned int align_order, unsigned int *nr_dirty)
{
	unsigned int nid = node_of(place, slot);
	struct page *page = alloc_from_zones(nid, place->gfp, nr_pages, align_order, nr_dirty);

	if (likely(page) || fault_answer.fail)
		return page;
	slot_drain_pages(slot);
	return alloc_from_zones(nid, place->gfp, nr_pages, align_order, nr_dirty);
}

static struct page *try_block(const struct place *place, unsigned int order)
{
	struct slot *slot = slot_enter();
	struct page *page = alloc_by_refill(slot, place, order);
	size_t nr_pages = (size_t)1 << order;
	unsigned int nr_dirty;

	if (page) {
		slot_leave(slot);
		return clear_if_asked(page, place->gfp, order);
	}
	page = alloc_run(slot, place, nr_pages, order, &nr_dirty);
	if (page) {
		page_block_init(page, order, gfp_migratetype(place->gfp), CONTENTS_TOUCHED);
		page_set_type(page, PAGE_BLOCK);
	}
	slot_leave(slot);
	if (page && (place->gfp & __GFP_ZERO))
		zone_clear_run(page, nr_pages, nr_dirty);
	return page;
}

static cold void warn_of_size(gfp_t gfp, size_t nr_pages)
{
	if (!(gfp & __GFP_NOWARN))
		warn_once("page allocation of %zu pages: at most %zu", nr_pages,
			  (size_t)1 << MAX_PAGE_ORDER);
}

static noinline struct page *alloc_slow(gfp_t gfp, int nid, unsigned int order)
{
	const struct place place = { gfp, nid };
	unsigned int attempt = 0;
	struct page *page;

	slab_boot();
	if (unlikely(order > MAX_PAGE_ORDER))
		return page_alloc(0, gfp, order, NULL); /* which says so */
	if (unlikely(!node_exists(nid)))
		return NULL;
	do
		page = try_block(&place, order);
	while (!page && reclaim_and_retry(gfp, nid, &attempt));
	return page;
}

static always_inline struct page *alloc_near(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_fast(this_slot, gfp, order);

	return likely(page) ? page : alloc_slow(gfp, NUMA_NO_NODE, order);
}

exported struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	return alloc_near(gfp, order);
}

exported struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	struct slot *slot = this_slot;
	struct page *page = NULL;

	if (nid == NUMA_NO_NODE || nid == slot->nid)
		page = alloc_fast(slot, gfp, order);
	return page ? page : alloc_slow(gfp, nid, order);
}

exported unsigned long alloc_pages_bulk_node(gfp_t gfp, int nid, unsigned long nr,
					     struct page **pages)
{
	unsigned long filled;

	for (filled = 0; filled < nr; filled++) {
		if (!pages[filled])
			pages[filled] = alloc_pages_node(nid, gfp, 0);
		if (!pages[filled])
			break;
	}
	return filled;
}

exported unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr, struct page **pages)
{
	return alloc_pages_bulk_node(gfp, NUMA_NO_NODE, nr, pages);
}

exported unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_near(gfp, order);

	return page ? (unsigned long)page_start(page) : 0;
}

exported unsigned long get_zeroed_page(gfp_t gfp)
{
	return __get_free_pages(gfp | __GFP_ZERO, 0);
}

/* ---- Runs of single pages ---- */

/* Make each page of something of @nr pages one of its own. */
static void make_single(struct page *page, size_t nr, enum migratetype mt)
{
	for (size_t i = 0; i < nr; i++) {
		page_block_init(page + i, 0, mt, CONTENTS_TOUCHED);
		page_set_type(page + i, PAGE_BLOCK);
	}
}

static struct page *try_run(const struct place *place, size_t nr)
{
	struct slot *slot = slot_enter();
	unsigned int nr_dirty;
	struct page *page = alloc_run(slot, place, nr, 0, &nr_dirty);

	if (page)
		make_single(page, nr, gfp_migratetype(place->gfp));
	slot_leave(slot);
	if (page && (place->gfp & __GFP_ZERO))
		zone_clear_run(page, nr, nr_dirty);
	return page;
}

static struct page *alloc_single_pages(gfp_t gfp, int nid, size_t nr, size_t max)
{
	const struct place place = { gfp, nid };
	unsigned int attempt = 0;
	struct page *page;

	slab_boot();
	if (nr > max) {
		warn_of_size(gfp, nr);
		return NULL;
	}
	if (!nr || !node_exists(nid))
		return NULL;
	do
		page = try_run(&place, nr);
	while (!page && reclaim_and_retry(gfp, nid, &attempt));
	return page;
}

exported void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp)
{
	struct page *page = alloc_single_pages(gfp, nid, bytes_to_pages(size),
					       (size_t)1 << MAX_PAGE_ORDER);

	return page ? page_start(page) : NULL;
}

exported void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	return alloc_pages_exact_nid(NUMA_NO_NODE, size, gfp);
}

exported struct page *alloc_contig_pages(unsigned long nr_pages, gfp_t gfp, int nid)
{
	return alloc_single_pages(gfp, nid, nr_pages, PAGES_PER_SECTION);
}

/* ---- What is wrong with a page ---- */

/* A page that is no head of a block: say what it is instead. */
static cold void report_no_block(const char *function, struct page *page)
{
	struct page *head;

	if (!section_has_page(page)) {
		report_bad_page(function, page, "is no struct page of this heap");
		return;
	}
	head = page_head(page);
	switch (head ? page_type(head) : PAGE_NONE) {
	case PAGE_BUDDY:
	case PAGE_PCP:
	case PAGE_PCP_RUN:
	case PAGE_ISOLATED:
		report_bad_page(function, page_start(page), "is free already (double free)");
		break;
	case PAGE_BLOCK:
		report_bad_page(function, page_start(page),
				"is not the first of its block, which starts at %p",
				page_start(head));
		break;
	case PAGE_SLAB:
		report_bad_page(function, page_start(page), "is part of a slab (cache %s)",
				((struct kmem_cache *)head->cache)->name);
		break;
	case PAGE_LARGE:
		report_bad_page(function, page_start(page), "is part of a block of malloc");
		break;
	default:
		report_bad_page(function, page_start(page), "is not allocated");
	}
}

/* Return: whether @page heads a block of @order, or it has been reported that it does not. */
static bool check_block(const char *function, struct page *page, unsigned int order)
{
	if (unlikely(page_type(page) != PAGE_BLOCK)) {
		report_no_block(function, page);
		return false;
	}
	if (unlikely(page->order != order)) {
		report_bad_page(function, page_start(page), "is of order %u, not %u", page->order,
				order);
		return false;
	}
	return true;
}

/* ---- Freeing ---- */

/* Return: whether that was the last reference. */
static bool drop_reference(struct page *page)
{
	return __atomic_sub_fetch(&page->refcount, 1, __ATOMIC_ACQ_REL) == 0;
}

/* Into the slot's sheaf. Return: false when it is not for this slot, or there is no room. */
static always_inline bool keep_block(struct slot *slot, struct page *page)
{
	struct page_sheaves *sheaves = slot->page_sheaves;

	return likely(sheaves && page->nid == slot->nid) &&
	       page_sheaf_push(page_sheaf_of(sheaves, page), page);
}

/* The only reference is the caller's: nobody else can change the count. */
static always_inline bool free_fast(struct page *page, unsigned int order)
{
	return likely(page_type(page) == PAGE_BLOCK && page->order == order &&
		      load_acquire(&page->refcount) == 1) &&
	       keep_block(this_slot, page);
}

/* A run to its zone; of two threads that free one block, only one gets past this. */
static void give_run(struct page *page, size_t nr_pages)
{
	uint8_t expected = PAGE_BLOCK;

	if (!__atomic_compare_exchange_n(&page->type, &expected, PAGE_USED, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	page->nr_pages = (uint32_t)nr_pages;
	for (size_t i = 1; i < nr_pages; i++)
		page_set_type(page + i, PAGE_NONE);
	zone_free_run(page, nr_pages);
}

/* A block without references. */
static void release_block(struct page *page, unsigned int order)
{
	struct slot *slot = slot_enter();

	if (page->nid == slot->nid && has_sheaves(slot)) {
		/* what a sheaf holds has one */
		WRITE_ONCE(page->refcount, 1);
		page_sheaf_flush(slot->page_sheaves, slot_zone(slot), order,
				 (enum migratetype)page->migratetype);
		keep_block(slot, page);
	} else {
		give_run(page, (size_t)1 << order);
	}
	slot_leave(slot);
}

static noinline void free_slow(const char *function, struct page *page, unsigned int order)
{
	if (!page)
		return;
	slab_boot();
	if (check_block(function, page, order) && drop_reference(page))
		release_block(page, order);
}

exported void __free_pages(struct page *page, unsigned int order)
{
	if (likely(page) && likely(free_fast(page, order)))
		return;
	free_slow("__free_pages", page, order);
}

/* The page that an address lies in, or NULL. */
static always_inline struct page *page_around(const void *addr)
{
	struct section *section = addr_to_section(addr);
	unsigned int pfn = addr_to_pfn(addr);

	if (unlikely(!section) || section_tag(section, pfn) == TAG_NONE)
		return NULL;
	return section_page(section, pfn);
}

exported void free_pages(unsigned long addr, unsigned int order)
{
	struct page *page = page_around((const void *)addr);

	if (likely(page && free_fast(page, order)))
		return;
	if (addr && !page)
		report_bad_page("free_pages", (const void *)addr, "is not from this heap");
	else
		free_slow("free_pages", page, order);
}

exported void free_pages_bulk(struct page **pages, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++)
		__free_pages(pages[i], 0);
}

/* Pages side by side that have lost their last reference. */
struct gone {
	struct page *first;
	size_t nr;
};

static void release_gone(struct gone *gone)
{
	struct slot *slot;

	if (!gone->nr)
		return;
	slot = slot_enter();
	give_run(gone->first, gone->nr);
	slot_leave(slot);
	gone->nr = 0;
}

/* Drop a reference to each of @nr single pages; neighbours go to their zone together. */
static void free_single_pages(const char *function, unsigned long pfn, unsigned long nr)
{
	struct gone gone = { .nr = 0 };

	slab_boot();
	for (unsigned long i = 0; i < nr; i++) {
		struct page *page = pfn_to_page(pfn + i);

		if (!page) {
			report_bad_page(function, (void *)((pfn + i) << PAGE_SHIFT),
					"is not from this heap");
			continue;
		}
		if (!check_block(function, page, 0) || !drop_reference(page))
			continue;
		if (gone.nr && page != gone.first + gone.nr)
			release_gone(&gone);
		if (!gone.nr)
			gone.first = page;
		gone.nr++;
	}
	release_gone(&gone);
}

exported void free_pages_exact(void *addr, size_t size)
{
	if (addr)
		free_single_pages("free_pages_exact", (unsigned long)addr >> PAGE_SHIFT,
				  bytes_to_pages(size));
}

exported void free_contig_range(unsigned long pfn, unsigned long nr_pages)
{
	free_single_pages("free_contig_range", pfn, nr_pages);
}

exported void split_page(struct page *page, unsigned int order)
{
	struct slot *slot;
	int32_t references;

	if (!check_block("split_page", page, order))
		return;
	slot = slot_enter();
	references = READ_ONCE(page->refcount);
	make_single(page, (size_t)1 << order, (enum migratetype)page->migratetype);
	WRITE_ONCE(page->refcount, references);
	slot_leave(slot);
}

/* ---- References ---- */

/* The block of the page API that @page belongs to, or NULL after a report. */
static struct page *block_of(const char *function, struct page *page)
{
	struct page *head = page;

	if (unlikely(page_type(page) != PAGE_BLOCK)) {
		head = section_has_page(page) ? page_head(page) : NULL;
		if (!head || page_type(head) != PAGE_BLOCK) {
			report_no_block(function, page);
			return NULL;
		}
	}
	return head;
}

exported void get_page(struct page *page)
{
	struct page *head = block_of("get_page", page);

	if (likely(head))
		__atomic_fetch_add(&head->refcount, 1, __ATOMIC_RELAXED);
}

exported void put_page(struct page *page)
{
	struct page *head = block_of("put_page", page);

	if (unlikely(!head))
		return;
	if (!free_fast(head, head->order))
		free_slow("put_page", head, head->order);
}

exported int page_count(const struct page *page)
{
	struct page *head = compound_head(page);

	switch (page_type(head)) {
	case PAGE_BLOCK:
		return READ_ONCE(head->refcount);
	case PAGE_SLAB:
	case PAGE_LARGE:
		return 1; /* the slab's, or malloc's */
	default:
		return 0;
	}
}

/* ---- From one name of a page to another ---- */

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
