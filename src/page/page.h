/* SPDX-License-Identifier: MIT */
/*
 * Pages, and how an address leads to what is known about it.
 *
 * Words: a "page" is PAGE_SIZE bytes, always 4096. The hardware's page is the "OS page", known
 * to os/ only. A "section" is an aligned window of 64 MiB of addresses; a "pfn" is the number of
 * a page within its section. A "head" is the first page of a block; the struct pages of the
 * others ("tails") say PAGE_NONE, whatever else is left in them.
 *
 *     address ── >> 26 ──> section_table[] ──> struct section ─┬─> tag[pfn]       read by free()
 *                                                              ├─> mem_map[pfn]   struct page
 *                                                              └─> dirty, pageblock_type
 */
#ifndef SLABUDDY_PAGE_PAGE_H
#define SLABUDDY_PAGE_PAGE_H

#include "base/bits.h"
#include "base/compiler.h"
#include "base/list.h"

#undef PAGE_SHIFT
#define PAGE_SHIFT 12
#undef PAGE_SIZE
#define PAGE_SIZE ((size_t)1 << PAGE_SHIFT)

#define SECTION_SHIFT 26
#define SECTION_BYTES ((size_t)1 << SECTION_SHIFT)
#define PAGES_PER_SECTION (1U << (SECTION_SHIFT - PAGE_SHIFT))

#ifndef MAX_PAGE_ORDER
#define MAX_PAGE_ORDER 14
#endif
#define NR_PAGE_ORDERS (MAX_PAGE_ORDER + 1)

/* What one transparent huge page covers. */
#define PAGEBLOCK_ORDER 9
#define PAGEBLOCK_PAGES (1U << PAGEBLOCK_ORDER)
#define PAGEBLOCKS_PER_SECTION (PAGES_PER_SECTION / PAGEBLOCK_PAGES)

/* Highest address bit of a process plus one: 47 on x86-64, 48 on aarch64. */
#if defined(__x86_64__)
#define ADDRESS_BITS 47
#else
#define ADDRESS_BITS 48
#endif
#define NR_SECTIONS ((size_t)1 << (ADDRESS_BITS - SECTION_SHIFT))

_Static_assert(MAX_PAGE_ORDER >= 10 && MAX_PAGE_ORDER <= SECTION_SHIFT - PAGE_SHIFT,
	       "the largest block is at most a section");

/*
 * What a page's tag says to free(): which cache the slab that it belongs to is of, or that it is
 * no slab. Tags below TAG_FIRST_CACHE never name a cache, so that a slot needs no test for them.
 *
 * malloc's size classes have tags below NR_CLASS_TAGS, which are the low byte alone. A named cache's
 * low byte is NR_CLASS_TAGS and more, below NR_LOW_TAGS, and its high byte is the number of a group of
 * caches. So free() may look at the low byte only, and finds nothing in the slot under a named one.
 */
#define TAG_NONE 0  /* not a page of ours */
#define TAG_PLAIN 1 /* ours, no slab: free, or part of a large block */
#define TAG_HOLLOW 2 /* part of a slab, with nothing in use and no memory, see slab/hollow.h */
#define TAG_FIRST_CACHE 3
#define NR_CLASS_TAGS 64
#define NR_LOW_TAGS 128
#define NR_GROUPS 256
#define CACHES_PER_GROUP (NR_LOW_TAGS - NR_CLASS_TAGS)
#define MAX_NAMED_CACHES (NR_GROUPS * CACHES_PER_GROUP)

enum page_type {
	PAGE_NONE = 0,	  /* tail of a block, or no page of ours */
	PAGE_UNCOMMITTED, /* head of a range that has addresses only; [nr_pages] */
	PAGE_BUDDY,	  /* head of a block on a zone's free_area; [order] */
	PAGE_PCP,	  /* head of a block on a slot's pcp list; [order] */
	PAGE_PCP_RUN,	  /* head of a run that a slot keeps; [nr_pages] */
	PAGE_ISOLATED,	  /* head of a free block that is being purged; [order] */
	PAGE_USED,	  /* head of a block or run that somebody outside the buddy owns; [nr_pages] */
	PAGE_SLAB,	  /* head of a slab; [order] */
	PAGE_LARGE,	  /* head of malloc's large block; [nr_pages] */
	PAGE_BLOCK,	  /* head of a block of the page API; [order, refcount] */
	NR_PAGE_TYPES,
};

/* Kinds of contents that keep to their own pageblocks. */
enum migratetype {
	MIGRATE_UNMOVABLE,   /* slabs */
	MIGRATE_MOVABLE,     /* large blocks */
	MIGRATE_RECLAIMABLE, /* slabs of caches that can be shrunk */
	MIGRATE_TYPES,
};

#define SLAB_MAP_WORDS 4

struct kmem_cache;

/*
 * One for each page, 64 bytes, in a mapping of its own. Who may write which member: the owner of
 * the block that the page heads; a block on a free_area is owned by the zone's lock, one on a pcp
 * list by its slot, a slab by its node's list_lock.
 */
struct page {
	uint8_t type;	     /* [atomic] enum page_type */
	uint8_t order;	     /* [BUDDY, PCP, ISOLATED, SLAB, BLOCK] the block has 2^order pages */
	uint8_t nid;	     /* [SLAB] node; [BLOCK, LARGE] whose slots may keep it, see buddy/page_sheaf.h */
	uint8_t fullness : 2; /* [SLAB] which partial list, see slab/cache.h */
	uint8_t looked : 1;   /* [SLAB] hollow and looked_at, of its second page, say something */
	uint8_t taker : 5;    /* [SLAB] whose refill took from it last, see struct pcp; 0: nobody's */
	union {
		uint32_t nr_pages; /* [UNCOMMITTED, PCP_RUN, USED, LARGE] */
		uint32_t nr_dirty; /* [BUDDY] how many of its pages are resident */
		struct {
			uint16_t inuse;	  /* [SLAB] objects handed out */
			uint16_t objects; /* [SLAB] objects it has */
		};
	};
	union {
		struct list_head lru;
		struct {
			uint32_t hollow;    /* [second page of a SLAB] a bit for each page: it has no memory */
			uint32_t looked_at; /* and how many objects were in use when that was looked at */
		};
	};
	struct kmem_cache *cache; /* [SLAB] */
	union {
		uint64_t free_map[SLAB_MAP_WORDS]; /* [SLAB; atomic] bit set: object is free */
		struct {
			int32_t refcount;    /* [BLOCK; atomic] */
			uint8_t migratetype; /* [BLOCK] what it was asked for as */
			uint8_t contents;    /* [PCP] enum block_contents */
			uint32_t freed_at;   /* [BUDDY] zone's clock when its dirty pages were freed, the last of them */
		};
	};
};

_Static_assert(sizeof(struct page) == 64, "a struct page is one cache line");

struct zone;

_Static_assert(PAGEBLOCKS_PER_SECTION == 32, "a word has a bit for each pageblock");

/*
 * What is known about one window of 64 MiB. It may hold several ranges of pages of ours (short
 * sections), all of one zone; the rest of the window is somebody else's.
 */
struct section {
	uint16_t tag[PAGES_PER_SECTION]; /* [atomic] written by the page's owner; read by free() */
	uintptr_t base;		     /* [const] first address of the window */
	struct zone *zone;	     /* [const] */
	struct list_head list;	     /* [SECTIONS] */
	uint8_t pageblock_type[PAGEBLOCKS_PER_SECTION]; /* [zone lock] enum migratetype */
	uint32_t pageblock_huge; /* [zone lock] a bit each: it has asked for a huge page, see buddy/thp.h */
	uint32_t pageblock_parting; /* [zone lock] has asked: on the way back, or refused */
	/* [zone lock] pages that were written since they last read as zero for sure; kept for
	 * pages outside of free blocks too, as it was when they were handed out */
	uint64_t dirty[PAGES_PER_SECTION / BITS_PER_WORD];
	struct page mem_map[PAGES_PER_SECTION];
};

/*
 * A block's type is its owner's to write. Others may peek: the buddy merge and the claim look at
 * pages they do not own, under the zone's lock, and believe only PAGE_BUDDY, which nobody else
 * sets or clears.
 */
static inline enum page_type page_type(const struct page *page)
{
	return (enum page_type)READ_ONCE(page->type);
}

static inline void page_set_type(struct page *page, enum page_type type)
{
	WRITE_ONCE(page->type, (uint8_t)type);
}

/*
 * struct section lies at a multiple of this, so that a struct page leads to its section without
 * a pointer.
 */
#define SECTION_META_ALIGN MIB(2)
_Static_assert(sizeof(struct section) <= SECTION_META_ALIGN, "mem_map outgrew its alignment");

extern hidden struct section *section_table[NR_SECTIONS];

/*
 * The section around an address, or NULL: one load that works for any pointer. Acquire, so that
 * whoever finds a section also finds what was written before it was published.
 */
static always_inline struct section *addr_to_section(const void *addr)
{
	uintptr_t nr = (uintptr_t)addr >> SECTION_SHIFT;

	return likely(nr < NR_SECTIONS) ? load_acquire(&section_table[nr]) : NULL;
}

static always_inline unsigned int addr_to_pfn(const void *addr)
{
	return (uintptr_t)addr >> PAGE_SHIFT & (PAGES_PER_SECTION - 1);
}

/* Racy by nature: for an address that its caller does not own, any answer may be out of date. */
static always_inline size_t section_tag(const struct section *section, unsigned int pfn)
{
	return READ_ONCE(section->tag[pfn]);
}

/* The low byte of a tag. */
static always_inline size_t section_low_tag(const struct section *section, unsigned int pfn)
{
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low byte comes first");

	return READ_ONCE(*(const uint8_t *)&section->tag[pfn]);
}

static inline struct section *page_section(const struct page *page)
{
	return (struct section *)ALIGN_DOWN((uintptr_t)page, SECTION_META_ALIGN);
}

static inline unsigned int page_pfn(const struct page *page)
{
	return (unsigned int)(page - page_section(page)->mem_map);
}

static inline void *page_start(const struct page *page)
{
	return (void *)(page_section(page)->base + ((uintptr_t)page_pfn(page) << PAGE_SHIFT));
}

static inline struct page *section_page(struct section *section, unsigned int pfn)
{
	return &section->mem_map[pfn];
}

/* The order of the smallest block of at least @nr_pages pages. */
static inline unsigned int pages_to_order(size_t nr_pages)
{
	return nr_pages <= 1 ? 0 : fls64(nr_pages - 1);
}

static inline size_t bytes_to_pages(size_t bytes)
{
	return (bytes >> PAGE_SHIFT) + !!(bytes & (PAGE_SIZE - 1));
}

/**
 * page_head() - the first page of the block, slab or run that @page belongs to, whoever has it.
 *
 * Return: the head, @page itself if it is one; NULL: it is no page of ours. Anything may be out of date for a
 * page that the caller does not own.
 * Cost: O(orders) for blocks and slabs, O(length) for runs.
 */
struct page *page_head(struct page *page);

void page_set_tags(struct page *page, unsigned int nr_pages, unsigned int tag);

#endif
