/* SPDX-License-Identifier: MIT */
#include "tools/figures.h"

#include <string.h>

#include "base/bits.h"
#include "tools/residence.h"

/*
 * A heap is "in use" while what it keeps besides is within what one that has come to rest should keep at most: a
 * fifth of what is live, and 16 MiB. tests/stress/settled_test.sh holds it.
 */
#define KEPT_SHARE 5
#define KEPT_BYTES MIB(16)

static uint64_t less(uint64_t n, uint64_t by)
{
	return n - MIN(by, n);
}

uint64_t cache_live(const struct cache_view *cache)
{
	return less(cache->inuse, cache->in_slots + cache->in_barns);
}

uint64_t cache_pinned_bytes(const struct cache_view *cache)
{
	return less(less(cache->partial_objects, cache->partial_inuse) * cache->size,
		    cache->hollow * RESIDENCE_PAGE_BYTES);
}

static void add_cache(struct figures *figures, const struct cache_view *cache)
{
	uint64_t slab_bytes = cache->slabs * RESIDENCE_PAGE_BYTES << cache->order;
	uint64_t barns = MIN(cache->in_barns, cache->inuse);
	uint64_t hollow = cache->hollow * RESIDENCE_PAGE_BYTES;

	figures->live_objects += cache_live(cache);
	figures->live_bytes += cache_live(cache) * cache->size;
	figures->barns_bytes += barns * cache->size;
	figures->sheaves_bytes += MIN(cache->in_slots, cache->inuse - barns) * cache->size;
	figures->slab_free_bytes += less(slab_bytes, cache->inuse * cache->size + hollow);
	figures->hollow_bytes += hollow;
	figures->pinned_bytes += cache_pinned_bytes(cache);
	figures->empty_bytes += cache->empty * RESIDENCE_PAGE_BYTES << cache->order;
	if (cache_pinned_bytes(cache) > (figures->worst ? cache_pinned_bytes(figures->worst) : 0))
		figures->worst = cache;
}

static void add_amount(struct figures *figures, const struct amount *amount)
{
	figures->mapped_bytes += amount->bytes;
	figures->resident_bytes += amount->resident;
}

/* Where residence is not known, the best guess is what should be. */
static uint64_t resident_pages(const struct view *view, enum page_kind kind)
{
	if (view->residence)
		return view->pages[kind].resident;
	return kind == PAGES_FREE ? view->free_dirty : view->pages[kind].bytes;
}

static void judge(const struct view *view, struct figures *figures)
{
	uint64_t huge = view->residence ? view->huge.resident : view->huge.bytes;
	uint64_t kept;

	figures->in_use_bytes = figures->live_bytes + resident_pages(view, PAGES_LARGE) +
				resident_pages(view, PAGES_BLOCK) +
				resident_pages(view, PAGES_MOVING) + huge;
	figures->retained_bytes = figures->sheaves_bytes + figures->barns_bytes +
				  figures->empty_bytes + resident_pages(view, PAGES_SLOT) +
				  resident_pages(view, PAGES_FREE) +
				  resident_pages(view, PAGES_PURGING);
	kept = figures->retained_bytes + figures->pinned_bytes;
	if (kept <= figures->in_use_bytes / KEPT_SHARE + KEPT_BYTES)
		figures->verdict = VERDICT_IN_USE;
	else if (figures->retained_bytes >= figures->pinned_bytes)
		figures->verdict = VERDICT_RETAINED;
	else
		figures->verdict = VERDICT_FRAGMENTED;
}

void figures_make(struct view *view, struct figures *figures)
{
	memset(figures, 0, sizeof(*figures));
	for (size_t i = 0; i < view->nr_caches; i++)
		add_cache(figures, &view->cache[i]);
	for (int kind = 0; kind < NR_PAGE_KINDS; kind++)
		add_amount(figures, &view->pages[kind]);
	add_amount(figures, &view->huge);
	add_amount(figures, &view->retired);
	add_amount(figures, &view->sections);
	add_amount(figures, &view->metadata);
	add_amount(figures, &view->image);
	figures->has_rss = view_rss(view, &figures->rss);
	if (figures->has_rss && view->residence)
		figures->unexplained_bytes = (int64_t)(figures->rss.bytes - figures->rss.others -
						       figures->resident_bytes);
	judge(view, figures);
}
