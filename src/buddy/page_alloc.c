/* SPDX-License-Identifier: MIT */
#include "buddy/page_alloc.h"

#include "buddy/purge.h"
#include "buddy/run.h"

/* The zones to try, the preferred node's first. */
static struct zone *nth_zone(unsigned int nid, unsigned int n, unsigned int nodes)
{
	return &node_data[(nid + n) % nodes].zones[ZONE_NORMAL];
}

struct page *page_alloc_exact(unsigned int nid, size_t nr_pages, unsigned int align_order,
			      enum migratetype mt, unsigned int *nr_dirty, struct pcp *pcp)
{
	unsigned int nodes = nr_nodes();
	struct page *page = pcp && !align_order ? pcp_alloc_run(pcp, nr_pages) : NULL;

	if (page && nr_dirty)
		*nr_dirty = page->nr_pages;
	for (unsigned int n = 0; !page && n < nodes; n++)
		page = zone_alloc_run(nth_zone(nid, n, nodes), nr_pages, align_order, mt, nr_dirty);
	return page;
}

struct page *page_alloc(unsigned int nid, unsigned int order, enum migratetype mt, struct pcp *pcp)
{
	struct page *page = NULL;

	if (order > MAX_PAGE_ORDER) {
		warn_once("page allocation of order %u: the largest is %u", order, MAX_PAGE_ORDER);
		return NULL;
	}
	if (pcp && order <= PCP_MAX_ORDER)
		page = pcp_alloc(pcp, nth_zone(nid, 0, nr_nodes()), order, mt);
	return page ? page : page_alloc_exact(nid, (size_t)1 << order, order, mt, NULL, NULL);
}

/* A slot's lists are for pages of its own node that may be used for anything. */
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
	if (!may_keep(pcp, pcp_nid, page_zone(page)) || !pcp_free_run(pcp, page))
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
