/* SPDX-License-Identifier: MIT */
/*
 * Pages by node: the entry to the buddy for the layers above.
 */
#ifndef SLABUDDY_BUDDY_PAGE_ALLOC_H
#define SLABUDDY_BUDDY_PAGE_ALLOC_H

#include "buddy/gfp.h"
#include "buddy/pcp.h"
#include "buddy/zone.h"

/**
 * page_request_fails() - whether the option fail_page_alloc wants a request to fail.
 *
 * The functions below ask; so does whoever takes memory past them. Never true with __GFP_NOFAIL.
 */
bool page_request_fails(gfp_t gfp, size_t nr_pages);

/**
 * page_alloc() - a block of 2^@order pages.
 * @nid: the node that is preferred; others follow in turn, unless __GFP_THISNODE.
 * @gfp: zone, __GFP_THISNODE, migrate type and __GFP_NOWARN count. A request for ZONE_NORMAL gets pages of
 *	the scarcer zones when the OS gives no more, but only such as are free already.
 * @pcp: the caller's slot's lists for that node, or NULL.
 *
 * Return: the first page, PAGE_USED; or NULL: no memory, or @order is over MAX_PAGE_ORDER (one warning).
 * Context: may make system calls; no lock but the caller's slot may be held.
 */
struct page *page_alloc(unsigned int nid, gfp_t gfp, unsigned int order, struct pcp *pcp);

/* Give a block back. @pcp: the caller's slot's lists for node @pcp_nid, or NULL. */
void page_free(struct page *page, unsigned int order, enum migratetype mt, struct pcp *pcp,
	       unsigned int pcp_nid);

/**
 * page_alloc_exact() - a run of @nr_pages, not rounded up to a power of two.
 * @align_order: its address is a multiple of PAGE_SIZE << @align_order.
 * @nr_dirty: gets the number of pages that may not read as zero; may be NULL.
 * @pcp: the caller's slot's lists for node @nid, or NULL.
 *
 * Return: the first page, PAGE_USED with nr_pages, which may be a little more than was asked for
 * if it comes from @pcp; or NULL.
 */
struct page *page_alloc_exact(unsigned int nid, gfp_t gfp, size_t nr_pages,
			      unsigned int align_order, unsigned int *nr_dirty, struct pcp *pcp);

/* The same of any length up to a section, even if that is more than a block of MAX_PAGE_ORDER. */
struct page *page_alloc_contig(unsigned int nid, gfp_t gfp, size_t nr_pages,
			       unsigned int *nr_dirty);

/* Give a run, PAGE_USED with nr_pages, back. @pcp: the caller's slot's lists for node @pcp_nid, or
 * NULL. */
void page_free_exact(struct page *page, struct pcp *pcp, unsigned int pcp_nid);

/* Give every free page of every zone back to the OS. Return: pages given back. */
unsigned long page_purge_all(void);

#endif
