/* SPDX-License-Identifier: MIT */
#include "buddy/page_alloc.h"

#include "base/check.h"
#include "base/fault.h"
#include "buddy/purge.h"
#include "buddy/run.h"

struct request {
	unsigned int nid; /* the node that is preferred */
	gfp_t gfp;
	size_t nr_pages;
	unsigned int align_order;
	struct pcp *pcp; /* the caller's slot's lists for that node, or NULL */
	bool may_be_long; /* it need not fit into a block */
};

static struct page *from_run_sheaf(struct run_sheaf *sheaf, struct zone *zone, uint32_t nr_pages)
{
	void *run = run_sheaf_pop(sheaf, nr_pages, PAGE_USED);

	if (run)
		return run_page(run);
	run_sheaf_missed(sheaf, zone, nr_pages);
	return NULL;
}

/* A slot's lists are for pages of its own node that may be used for anything. */
static struct page *from_pcp(const struct request *rq, unsigned int *nr_dirty)
{
	struct zone *zone = &node_data[rq->nid].zones[ZONE_NORMAL];
	unsigned int order = rq->align_order;
	struct page *page = NULL;

	if (!rq->pcp || gfp_zone(rq->gfp) != ZONE_NORMAL)
		return NULL;
	if (rq->nr_pages == (size_t)1 << order && order <= PCP_MAX_ORDER)
		page = pcp_alloc(rq->pcp, zone, order, gfp_migratetype(rq->gfp));
	else if (!order && rq->nr_pages <= MAX_RUN_PAGES)
		page = from_run_sheaf(&rq->pcp->runs, zone, (uint32_t)rq->nr_pages);
	if (page)
		*nr_dirty = page->nr_pages;
	return page;
}

static void count_miss(struct zone *wanted, struct zone *served)
{
	zone_lock(wanted);
	wanted->events.foreign++;
	zone_unlock(wanted);
	zone_lock(served);
	served->events.miss++;
	zone_unlock(served);
}

/* The zone that was asked for, which may grow; then the scarcer ones of the node, which may not. */
static struct page *from_node(const struct request *rq, unsigned int nid, unsigned int *nr_dirty)
{
	enum zone_type type = gfp_zone(rq->gfp);
	enum migratetype mt = gfp_migratetype(rq->gfp);
	struct zone *zones = node_data[nid].zones;
	struct zone *wanted = &node_data[rq->nid].zones[type];
	struct zone *zone = &zones[type];
	struct page *page;

	if (unlikely(rq->nr_pages > (size_t)1 << MAX_PAGE_ORDER && rq->may_be_long))
		return zone_alloc_long_run(zone, rq->nr_pages, mt, nr_dirty);
	page = zone_alloc_run(zone, rq->nr_pages, rq->align_order, mt, nr_dirty);
	while (!page && type == ZONE_NORMAL && ++zone < zones + MAX_NR_ZONES)
		page = zone_alloc_run_at_hand(zone, rq->nr_pages, rq->align_order, mt, nr_dirty);
	if (page && zone != wanted)
		count_miss(wanted, zone);
	return page;
}

bool page_request_fails(gfp_t gfp, size_t nr_pages)
{
	fault_answer.fail = false;
	if (likely(!fault_is_on(&fail_page_alloc)) || (gfp & __GFP_NOFAIL))
		return false;
	/* the order is that of the smallest block which holds the pages */
	if (nr_pages <= ((size_t)1 << READ_ONCE(fail_page_alloc.min_order)) / 2)
		return false;
	return should_fail(&fail_page_alloc, nr_pages << PAGE_SHIFT);
}

/*
 * Every allocation of pages comes through here, but for what a slot's page sheaves (page_sheaf.h) hold
 * already: those can be switched off, see page_slow_gfp.
 */
static struct page *get_pages(const struct request *rq, unsigned int *nr_dirty)
{
	unsigned int nodes = nr_nodes();
	unsigned int tries = rq->gfp & __GFP_THISNODE ? 1 : nodes;
	struct page *page;

	if (unlikely(page_request_fails(rq->gfp, rq->nr_pages)))
		return NULL;
	page = from_pcp(rq, nr_dirty);
	for (unsigned int n = 0; !page && n < tries; n++)
		page = from_node(rq, (rq->nid + n) % nodes, nr_dirty);
	return page;
}

struct page *page_alloc_exact(unsigned int nid, gfp_t gfp, size_t nr_pages,
			      unsigned int align_order, unsigned int *nr_dirty, struct pcp *pcp)
{
	const struct request rq = { nid, gfp, nr_pages, align_order, pcp, false };
	unsigned int unused;

	return get_pages(&rq, nr_dirty ? nr_dirty : &unused);
}

struct page *page_alloc_contig(unsigned int nid, gfp_t gfp, size_t nr_pages,
			       unsigned int *nr_dirty)
{
	const struct request rq = { nid, gfp, nr_pages, 0, NULL, true };

	return get_pages(&rq, nr_dirty);
}

struct page *page_alloc(unsigned int nid, gfp_t gfp, unsigned int order, struct pcp *pcp)
{
	if (order > MAX_PAGE_ORDER) {
		if (!(gfp & __GFP_NOWARN))
			warn_once("page allocation of order %u: the largest is %u", order,
				  MAX_PAGE_ORDER);
		return NULL;
	}
	return page_alloc_exact(nid, gfp, (size_t)1 << order, order, NULL, pcp);
}

static bool may_keep(const struct pcp *pcp, unsigned int pcp_nid, const struct zone *zone)
{
	return pcp && zone->type == ZONE_NORMAL && zone->nid == pcp_nid;
}

void page_free(struct page *page, unsigned int order, enum migratetype mt, struct pcp *pcp,
	       unsigned int pcp_nid)
{
	struct zone *zone = page_zone(page);

	if (order <= PCP_MAX_ORDER && may_keep(pcp, pcp_nid, zone))
		pcp_free(pcp, zone, page, order, mt);
	else
		zone_free_run(page, (size_t)1 << order);
}

void page_free_exact(struct page *page, struct pcp *pcp, unsigned int pcp_nid)
{
	struct zone *zone = page_zone(page);

	if (!may_keep(pcp, pcp_nid, zone) || !run_sheaf_keep(&pcp->runs, zone, page))
		zone_free_run(page, page->nr_pages);
}

unsigned long page_purge_all(void)
{
	unsigned long purged = 0;

	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		for (int type = 0; type < MAX_NR_ZONES; type++) {
			struct zone *zone = &node_data[nid].zones[type];

			/* racy peek: a zone that was never used has nothing to give */
			if (!READ_ONCE(zone->managed_pages))
				continue;
			zone_lock(zone);
			zone->purge_refused = false;
			zone_unlock(zone);
			purged += zone_purge(zone, 0);
		}
	}
	return purged;
}
