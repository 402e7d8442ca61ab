/* SPDX-License-Identifier: MIT */
/*
 * Pages by the kernel's names: references, and what happens to a block that has none left. Blocks of low order
 * go to the slot's page sheaves (buddy/page_sheaf.h); everything else goes to its zone.
 */
#include "api/pages.h"

#include "buddy/run.h"
#include "page/section.h"
#include "slab/boot.h"
#include "slab/report.h"

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

	if (page->nid == slot->nid && slot_has_page_sheaves(slot)) {
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
	page_make_single(page, (size_t)1 << order, (enum migratetype)page->migratetype);
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
