/* SPDX-License-Identifier: MIT */
/*
 * Pages, with the kernel's names: <linux/gfp.h> and the parts of <linux/mm.h> that have a meaning in
 * a process.
 *
 * A page is PAGE_SIZE bytes, always 4096, whatever the hardware's page is. A block of order n is 2^n
 * pages at an address that is a multiple of its size. A page has a struct page; what is in it is the
 * library's business. A pfn is an address divided by PAGE_SIZE, so the pages of a block have pfns in
 * sequence.
 *
 * All functions: any thread, at any time, not from a signal handler. Memory is readable and writable,
 * and holds anything unless __GFP_ZERO was given.
 */
#ifndef SLABUDDY_GFP_H
#define SLABUDDY_GFP_H

#include <stdbool.h>
#include <stddef.h>

#include <slabuddy/limits.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef PAGE_SHIFT
#define PAGE_SHIFT 12
#endif
#ifndef PAGE_SIZE
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#endif
#ifndef PAGE_MASK
#define PAGE_MASK (~(PAGE_SIZE - 1))
#endif
#ifndef PAGE_ALIGN
#define PAGE_ALIGN(addr) (((addr) + PAGE_SIZE - 1) & PAGE_MASK)
#endif

#define NR_PAGE_ORDERS	   (MAX_PAGE_ORDER + 1)
#define MAX_ORDER_NR_PAGES (1UL << MAX_PAGE_ORDER)

/* Any node: the one nearest to the caller. */
#define NUMA_NO_NODE (-1)

/*
 * How an allocation may be served. Flags with a meaning in a process:
 *
 *   __GFP_DMA		  memory locked in RAM (mlock), for io_uring's fixed buffers, O_DIRECT and the
 *			  like. Counts against RLIMIT_MEMLOCK, and fails beyond it. A forked child has
 *			  the memory, but not the lock. With __GFP_DMA32 as well this one counts
 *   __GFP_DMA32	  addresses below 4 GiB
 *   __GFP_MOVABLE	  placed among pageblocks of large, short-lived blocks
 *   __GFP_RECLAIMABLE	  placed among pageblocks of caches that shrinkers can empty. Both: as if neither
 *   __GFP_ZERO		  reads as zero. Costs nothing for pages that are clean already
 *   __GFP_THISNODE	  the node that is named and no other
 *   __GFP_NOWARN	  no line on stderr when it fails
 *   __GFP_DIRECT_RECLAIM when there is no memory, call shrinkers, purge and try again. This may take
 *			  long and runs other code: without it an allocation does neither. It may still
 *			  ask the OS for memory
 *   __GFP_NOFAIL	  try again, with pauses, until it succeeds. Needs __GFP_DIRECT_RECLAIM
 *   __GFP_NORETRY	  call shrinkers once at most
 *   __GFP_RETRY_MAYFAIL  call shrinkers until they find nothing any more
 *
 * All others are accepted and change nothing, because what they are about (IO, file systems, reserves,
 * memory cgroups of the kernel's own, high memory) does not exist in a process.
 */
typedef unsigned int gfp_t;

#define __GFP_DMA	     ((gfp_t)0x00001)
#define __GFP_HIGHMEM	     ((gfp_t)0x00002)
#define __GFP_DMA32	     ((gfp_t)0x00004)
#define __GFP_MOVABLE	     ((gfp_t)0x00008)
#define __GFP_RECLAIMABLE    ((gfp_t)0x00010)
#define __GFP_HIGH	     ((gfp_t)0x00020)
#define __GFP_IO	     ((gfp_t)0x00040)
#define __GFP_FS	     ((gfp_t)0x00080)
#define __GFP_ZERO	     ((gfp_t)0x00100)
#define __GFP_DIRECT_RECLAIM ((gfp_t)0x00400)
#define __GFP_KSWAPD_RECLAIM ((gfp_t)0x00800)
#define __GFP_WRITE	     ((gfp_t)0x01000)
#define __GFP_NOWARN	     ((gfp_t)0x02000)
#define __GFP_RETRY_MAYFAIL  ((gfp_t)0x04000)
#define __GFP_NOFAIL	     ((gfp_t)0x08000)
#define __GFP_NORETRY	     ((gfp_t)0x10000)
#define __GFP_MEMALLOC	     ((gfp_t)0x20000)
#define __GFP_COMP	     ((gfp_t)0x40000)
#define __GFP_NOMEMALLOC     ((gfp_t)0x80000)
#define __GFP_HARDWALL	     ((gfp_t)0x100000)
#define __GFP_THISNODE	     ((gfp_t)0x200000)
#define __GFP_ACCOUNT	     ((gfp_t)0x400000)
#define __GFP_RECLAIM	     (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)

#define GFP_ATOMIC	     (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL	     (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT   (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT	     (__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_NOIO	     (__GFP_RECLAIM)
#define GFP_NOFS	     (__GFP_RECLAIM | __GFP_IO)
#define GFP_USER	     (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HARDWALL)
#define GFP_DMA		     (__GFP_DMA)
#define GFP_DMA32	     (__GFP_DMA32)
#define GFP_HIGHUSER	     (GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE)

/* Whether an allocation with @gfp may call shrinkers and wait. */
static inline bool gfpflags_allow_blocking(const gfp_t gfp)
{
	return (gfp & __GFP_DIRECT_RECLAIM) != 0;
}

struct page;

/**
 * alloc_pages() - a block of 2^@order pages.
 * @gfp: how, see above.
 * @order: 0 to MAX_PAGE_ORDER.
 *
 * The block has one reference, held by the caller.
 *
 * Return: its first page; NULL when there is no memory, or @order is too large, with one warning on
 * stderr unless __GFP_NOWARN.
 * Context: with __GFP_DIRECT_RECLAIM it may run shrinkers, so hold no lock that one of them takes.
 * Cost: to order 3 mostly a few instructions without a lock; else O(orders) under the zone's lock.
 * Source: the kernel's alloc_pages(), mm/page_alloc.c.
 */
struct page *alloc_pages(gfp_t gfp, unsigned int order);

/**
 * alloc_pages_node() - the same on a node.
 * @nid: the node that is preferred, or with __GFP_THISNODE the only one; NUMA_NO_NODE: the nearest.
 *
 * Return: as above; also NULL when there is no such node.
 */
struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order);

#define alloc_page(gfp) alloc_pages(gfp, 0)

/**
 * alloc_pages_bulk() - several single pages.
 * @nr: length of @pages.
 * @pages: its NULL entries are filled, the others left alone.
 *
 * Return: how many entries from the front on are filled, whether by this call or before: @nr, or less
 * when memory ran out.
 */
unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr, struct page **pages);
unsigned long alloc_pages_bulk_node(gfp_t gfp, int nid, unsigned long nr, struct page **pages);

/**
 * __get_free_pages() - the address of a block of 2^@order pages.
 *
 * Return: the address; 0 as alloc_pages() returns NULL.
 */
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);
unsigned long get_zeroed_page(gfp_t gfp);

#define __get_free_page(gfp)	    __get_free_pages((gfp), 0)
#define __get_dma_pages(gfp, order) __get_free_pages((gfp) | GFP_DMA, (order))

/**
 * __free_pages() - drop the caller's reference to a block; the last one frees it.
 * @page: its first page. NULL is nothing.
 * @order: its order.
 *
 * A page that is no allocated block's first page, and an order that is not the block's, are reported as
 * a bad free (option bad_free).
 *
 * Context: may give memory back to the OS.
 */
void __free_pages(struct page *page, unsigned int order);

/* The same by address; 0 is nothing. */
void free_pages(unsigned long addr, unsigned int order);

#define __free_page(page) __free_pages((page), 0)
#define free_page(addr)	  free_pages((addr), 0)

/* Drop a reference to each of @nr single pages. The array is left as it is. */
void free_pages_bulk(struct page **pages, unsigned long nr);
#define release_pages(pages, nr) free_pages_bulk((pages), (unsigned long)(nr))

/**
 * alloc_pages_exact() - @size bytes, rounded up to pages and not to a power of two.
 * @size: bytes, up to PAGE_SIZE << MAX_PAGE_ORDER.
 *
 * As in the kernel each page of the run is a single page of its own: it may be freed with the others by
 * free_pages_exact() or by itself.
 *
 * Return: the address, a multiple of PAGE_SIZE; NULL as above, or when @size is 0.
 */
void *alloc_pages_exact(size_t size, gfp_t gfp);
void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp);
void free_pages_exact(void *addr, size_t size);

/**
 * alloc_contig_pages() - @nr_pages pages in sequence, of any number up to a section.
 *
 * What the kernel's alloc_contig_range() is used for. Each page is a single page of its own.
 *
 * Return: the first page, or NULL.
 */
struct page *alloc_contig_pages(unsigned long nr_pages, gfp_t gfp, int nid);

/* Drop a reference to each of @nr_pages single pages from @pfn on. */
void free_contig_range(unsigned long pfn, unsigned long nr_pages);

/**
 * split_page() - make a block 2^@order single pages, each with one reference of its own.
 */
void split_page(struct page *page, unsigned int order);

/* One more reference to the block that @page belongs to. */
void get_page(struct page *page);

/* Drop a reference; the last one frees the block. */
void put_page(struct page *page);

/* References to the block that @page belongs to; 0 for a page that is not allocated. */
int page_count(const struct page *page);

/* The address of a page. */
void *page_address(const struct page *page);

/**
 * virt_to_page() - the page that an address lies in.
 *
 * Return: NULL when the address is in no page of this library; the kernel would return nonsense.
 * Context: any address, which is not touched.
 */
struct page *virt_to_page(const void *addr);

/* The first page of the block, slab or run that an address lies in; NULL as above. */
struct page *virt_to_head_page(const void *addr);

/* The first page of the block that @page belongs to. */
struct page *compound_head(const struct page *page);

/* The order of the block that @page is the first of; 0 for a single page. */
unsigned int compound_order(const struct page *page);

unsigned long page_to_pfn(const struct page *page);

/* NULL when it is no page of this library. */
struct page *pfn_to_page(unsigned long pfn);

/* The page @n pages behind @page in memory. Pages of one block are in sequence. */
struct page *nth_page(struct page *page, unsigned long n);

/* The node that a page is on, and the one nearest to the caller. */
int page_to_nid(const struct page *page);
int numa_mem_id(void);
int numa_node_id(void);

/* Nodes there are, numbered from 0: those whose memory the process may use, at most eight. */
int num_online_nodes(void);

/* The smallest order whose block holds @size bytes. */
static inline int get_order(unsigned long size)
{
	int order = 0;

	while ((PAGE_SIZE << order) < size && order < 63 - PAGE_SHIFT)
		order++;
	return order;
}

/**
 * enum zone_item - what zone_page_state() tells of a zone, in pages.
 */
enum zone_item {
	ZONE_ITEM_MANAGED,   /* committed: free or handed out */
	ZONE_ITEM_FREE,	     /* free; what threads keep for themselves is not */
	ZONE_ITEM_DIRTY,     /* of these, with memory behind them */
	ZONE_ITEM_RESERVED,  /* addresses kept for later */
	ZONE_ITEM_WMARK_LOW, /* dirty free pages that a purge leaves */
	ZONE_ITEM_WMARK_HIGH, /* dirty free pages above which there is a purge */
};

/**
 * zone_page_state() - a figure of one zone.
 * @nid: node.
 * @zone: "Normal", "DMA32" or "DMA".
 *
 * Return: pages; -1 when there is no such node, zone or item.
 */
long zone_page_state(int nid, const char *zone, enum zone_item item);

#ifdef __cplusplus
}
#endif

#endif
