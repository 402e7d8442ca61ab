/* SPDX-License-Identifier: MIT */
/*
 * Pages by the kernel's names: allocation. Blocks of low order come from the slot's page sheaves
 * (buddy/page_sheaf.h); everything else comes from page_alloc_exact() and page_alloc_contig().
 */
#include "api/pages.h"

#include <string.h>

#include "api/reclaim.h"
#include "base/check.h"
#include "base/fault.h"
#include "buddy/run.h"
#include "slab/boot.h"

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

/* A block that the slot's sheaves may give: fill one from what the zone has at hand. */
static struct page *alloc_by_refill(struct slot *slot, const struct place *place, unsigned int order)
{
	unsigned int mt = gfp_migrate_bits(place->gfp);

	if (order > PCP_MAX_ORDER || mt >= MIGRATE_TYPES || !gfp_is_fast(place->gfp) ||
	    node_of(place, slot) != slot->nid || !slot_has_page_sheaves(slot))
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

static struct page *try_run(const struct place *place, size_t nr)
{
	struct slot *slot = slot_enter();
	unsigned int nr_dirty;
	struct page *page = alloc_run(slot, place, nr, 0, &nr_dirty);

	if (page)
		page_make_single(page, nr, gfp_migratetype(place->gfp));
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
