/* SPDX-License-Identifier: MIT */
/*
 * Page sheaves: what a slot keeps of blocks of the page API, so that a pair of alloc_pages() and
 * free_pages() takes no lock. An array of pointers for each low order and migrate type, last in first out;
 * the pcp lists (pcp.h) are for slabs and malloc's runs, whose callers hold the slot's lock anyway.
 *
 * A block is PAGE_PCP while it is here and PAGE_BLOCK while it is out; its refcount is 1 all the time, so
 * that neither way writes it. Zeroed memory is a valid set of sheaves: they are empty and full at once.
 */
#ifndef SLABUDDY_BUDDY_PAGE_SHEAF_H
#define SLABUDDY_BUDDY_PAGE_SHEAF_H

#include "buddy/gfp.h"
#include "buddy/pcp.h"

/* Arbitrary: a sheaf is 512 bytes, and one of order 0 holds 240 KiB, about what the kernel keeps. */
#define PAGE_SHEAF_ROOM 60

struct page_sheaf {
	uint32_t count;	       /* [owner; atomic] */
	uint32_t capacity;     /* [slot lock; atomic] 0: never used */
	uint32_t refill;       /* [slot lock] blocks that the last refill asked for */
	uint32_t reserved;
	unsigned long pgalloc; /* [owner; atomic] blocks taken out, ever */
	unsigned long pgfree;  /* [owner; atomic] blocks put in, ever, but for refills */
	struct page *pages[PAGE_SHEAF_ROOM]; /* [owner] */
};

_Static_assert(sizeof(struct page_sheaf) == 512, "sheaves keep to their cache lines");

/* By order and by the bits that gfp_migrate_bits() gives; the last is never filled. */
struct page_sheaves {
	struct page_sheaf sheaf[PCP_MAX_ORDER + 1][MIGRATE_TYPES + 1];
};

/* What is known about the contents of a block in a sheaf: page->contents. */
enum block_contents {
	CONTENTS_ZERO,	  /* reads as zero */
	CONTENTS_MIXED,	  /* the section's bitmap knows */
	CONTENTS_TOUCHED, /* somebody had it */
};

/* page->nid of a block that no sheaf takes. */
#define NO_NODE 0xff

/*
 * Requests with any of these flags go past the sheaves. GFP_EVERY stands for a flag that every request
 * has: with it in here, page_alloc() sees each of them.
 */
#define GFP_EVERY ((gfp_t)0x80000000)
extern hidden gfp_t page_slow_gfp; /* [atomic] */

/* Whether there was ever a block of the page API. [atomic] */
extern bool page_api_used;

/* Switch the sheaves off or on for allocations, for whoever wants to see each of them. */
void page_sheaves_enable(bool on);

static always_inline bool gfp_is_fast(gfp_t gfp)
{
	return !((gfp | GFP_EVERY) & READ_ONCE(page_slow_gfp));
}

static always_inline struct page *page_sheaf_pop(struct page_sheaf *sheaf)
{
	uint32_t count = sheaf->count;
	struct page *page;

	if (unlikely(!count))
		return NULL;
	WRITE_ONCE(sheaf->count, --count);
	page = sheaf->pages[count];
	ADD_ONCE(sheaf->pgalloc, 1);
	/* the count first: a forked child may find this slot at any point in between */
	store_release(&page->type, PAGE_BLOCK);
	return page;
}

/* Return: false when there is no room. */
static always_inline bool page_sheaf_push(struct page_sheaf *sheaf, struct page *page)
{
	uint32_t count = sheaf->count;

	if (unlikely(count >= sheaf->capacity))
		return false;
	page->contents = CONTENTS_TOUCHED;
	page_set_type(page, PAGE_PCP);
	sheaf->pages[count] = page;
	ADD_ONCE(sheaf->pgfree, 1);
	/* the page first, for the same reason */
	store_release(&sheaf->count, count + 1);
	return true;
}

/* The sheaf that a block of the page API goes to, if it is of the caller's node. */
static always_inline struct page_sheaf *page_sheaf_of(struct page_sheaves *sheaves,
						      const struct page *page)
{
	return &sheaves->sheaf[page->order][page->migratetype];
}

/**
 * page_block_init() - make pages that are on no list a block of the page API.
 * @page: the first; the others are tails.
 * @contents: what is known of them.
 *
 * The block has one reference; its type is the caller's to set.
 */
void page_block_init(struct page *page, unsigned int order, enum migratetype mt,
		     enum block_contents contents);

/**
 * page_sheaf_refill() - fill an empty sheaf from what a zone has at hand.
 * @zone: the ordinary zone of the slot's node.
 *
 * Return: false when the zone has nothing.
 * Context: under the slot's lock. Takes LOCK_ZONE.
 */
bool page_sheaf_refill(struct page_sheaves *sheaves, struct zone *zone, unsigned int order,
		       enum migratetype mt);

/* Make room in a full sheaf: the half that was put in first goes to the zone. As above; may purge. */
void page_sheaf_flush(struct page_sheaves *sheaves, struct zone *zone, unsigned int order,
		      enum migratetype mt);

/* Give all blocks to the zone. The caller owns the slot. @sheaves may be NULL. */
void page_sheaves_drain(struct page_sheaves *sheaves, struct zone *zone);

/* Racy by nature where the owner runs. */
struct page_sheaves_count {
	unsigned long pages;   /* in them */
	unsigned long high;    /* pages that they may hold */
	unsigned long pgalloc; /* ever taken out, in pages */
	unsigned long pgfree;  /* ever put in by frees */
};

/* @sheaves may be NULL. */
void page_sheaves_count(const struct page_sheaves *sheaves, struct page_sheaves_count *count);

/* Check the sheaves of a slot at rest: what is in them is free, and of @zone. @sheaves may be NULL. */
void page_sheaves_validate(struct audit *audit, const struct page_sheaves *sheaves,
			   const struct zone *zone);

#endif
