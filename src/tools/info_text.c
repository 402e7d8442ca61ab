/* SPDX-License-Identifier: MIT */
#include "tools/info_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "tools/format.h"
#include "tools/residence.h"
#include "tools/room.h"

/* The caches that have the most free bytes; --json has all of them. Arbitrary. */
#define MAX_CACHES_SHOWN 10

enum verdict verdict_of(const struct figures *figures, const struct growth *growth)
{
	return growth && growth->growing ? VERDICT_GROWING : figures->verdict;
}

const char *verdict_word(enum verdict verdict)
{
	static const char *const words[] = {
		[VERDICT_IN_USE] = "in use",
		[VERDICT_RETAINED] = "retained",
		[VERDICT_FRAGMENTED] = "fragmented",
		[VERDICT_GROWING] = "growing",
	};

	return words[verdict];
}

static uint64_t percent(uint64_t part, uint64_t whole)
{
	return whole ? part * 100 / whole : 0;
}

static struct verdict_text growth_sentence(const struct growth *growth)
{
	struct verdict_text sentence;
	int length;

	length = snprintf(sentence.text, sizeof(sentence.text),
			  "what is live rose from %s to %s in %.1f s, by %s a second",
			  format_size(series_first(&growth->live)).text,
			  format_size(series_last(&growth->live)).text, growth_seconds(growth),
			  format_size((uint64_t)growth->live.per_second).text);
	if (growth->nr_rising)
		snprintf(sentence.text + length, sizeof(sentence.text) - (size_t)length,
			 ", most of it in %s", growth->part[0].name);
	return sentence;
}

struct verdict_text verdict_sentence(enum verdict verdict, const struct figures *f,
				     const struct growth *growth)
{
	struct verdict_text sentence = { "" };
	uint64_t kept = f->retained_bytes + f->pinned_bytes;

	switch (verdict) {
	case VERDICT_IN_USE:
		snprintf(sentence.text, sizeof(sentence.text),
			 "%s are live and %s free, which is within a fifth of it and 16 MiB",
			 format_size(f->in_use_bytes).text, format_size(kept).text);
		break;
	case VERDICT_RETAINED:
		snprintf(
			sentence.text, sizeof(sentence.text),
			"%s are kept for reuse as pages, empty slabs and sheaves, beside %s that are live",
			format_size(f->retained_bytes).text, format_size(f->in_use_bytes).text);
		break;
	case VERDICT_FRAGMENTED:
		snprintf(sentence.text, sizeof(sentence.text),
			 "%s are free in slabs that objects live or in sheaves pin, most of it in %s: %" PRIu64
			 " of its slabs are partly used, %" PRIu64 " %% of these in use",
			 format_size(f->pinned_bytes).text, f->worst ? f->worst->name : "none",
			 f->worst ? f->worst->partial : 0,
			 f->worst ? percent(f->worst->partial_inuse, f->worst->partial_objects)
				  : 0);
		break;
	case VERDICT_GROWING:
		return growth_sentence(growth);
	}
	return sentence;
}

static void row(const char *what, uint64_t bytes, const uint64_t *resident, const char *remark)
{
	printf("%-28s %12s", what, format_size(bytes).text);
	if (resident)
		printf(" %12s", format_size(*resident).text);
	else if (*remark)
		printf(" %12s", "");
	printf("%s%s\n", *remark ? "  " : "", remark);
}

static void resident_row(const char *what, uint64_t resident, const char *remark)
{
	printf("%-28s %12s %12s%s%s\n", what, "", format_size(resident).text, *remark ? "  " : "",
	       remark);
}

static void amount_row(const struct view *view, const char *what, const struct amount *amount,
		       const char *remark)
{
	row(what, amount->bytes, view->residence ? &amount->resident : NULL, remark);
}

static const char *count(char text[32], uint64_t nr, const char *what)
{
	snprintf(text, 32, "%" PRIu64 " %s%s", nr, what, nr == 1 ? "" : "s");
	return text;
}

static void print_slabs(const struct view *view, const struct figures *f)
{
	char text[64];

	amount_row(view, "slabs", &view->pages[PAGES_SLAB], "");
	row("  live", f->live_bytes, NULL, count(text, f->live_objects, "object"));
	row("  free in sheaves", f->sheaves_bytes, NULL, "");
	row("  free in barns", f->barns_bytes, NULL, "");
	snprintf(text, sizeof(text), "%s of it in slabs that are partly used",
		 format_size(f->pinned_bytes).text);
	row("  free in slabs", f->slab_free_bytes, NULL, text);
	if (f->hollow_bytes)
		row("  given back", f->hollow_bytes, NULL, "whole pages of partly used slabs");
}

/* What there seldom is, has a line only when it is there. */
static void rare_row(const struct view *view, const char *what, const struct amount *amount)
{
	if (amount->bytes)
		amount_row(view, what, amount, "");
}

static void print_pages(const struct view *view)
{
	uint64_t free = view->pages[PAGES_FREE].bytes;
	char text[32];

	amount_row(view, "large blocks", &view->pages[PAGES_LARGE],
		   count(text, view->nr_large, "block"));
	amount_row(view, "huge blocks", &view->huge, count(text, view->nr_huge, "block"));
	rare_row(view, "blocks of pages", &view->pages[PAGES_BLOCK]);
	rare_row(view, "pages on their way", &view->pages[PAGES_MOVING]);
	rare_row(view, "pages being purged", &view->pages[PAGES_PURGING]);
	rare_row(view, "former huge blocks", &view->retired);
	amount_row(view, "pages in slots' lists", &view->pages[PAGES_SLOT],
		   count(text, view->nr_slots, "slot"));
	amount_row(view, "free pages", &view->pages[PAGES_FREE], "");
	row("  dirty", view->free_dirty, NULL, "");
	row("  clean", free - MIN(view->free_dirty, free), NULL, "");
}

static void print_own(const struct view *view)
{
	char text[64];

	amount_row(view, "struct pages", &view->sections, "");
	snprintf(text, sizeof(text), "%s in use", format_size(view->metadata_used).text);
	amount_row(view, "metadata", &view->metadata, text);
	amount_row(view, "the library", &view->image, "");
}

static void print_sum(const struct view *view, const struct figures *f)
{
	uint64_t rest = (uint64_t)llabs(f->unexplained_bytes);

	row("sum", f->mapped_bytes, view->residence ? &f->resident_bytes : NULL, "");
	if (f->has_rss)
		resident_row("RSS of these mappings", f->rss.bytes, "by smaps");
	if (f->has_rss && view->residence) {
		resident_row("  others' memory in them", f->rss.others, "");
		resident_row("  not explained", rest, f->unexplained_bytes < 0 ? "too little" : "");
	}
	row("addresses for later", view->uncommitted, NULL, "");
}

/* ---- caches ---- */

/* Free, in slabs and in sheaves. */
static uint64_t free_bytes(const struct cache_view *cache)
{
	uint64_t objects = cache->slabs * cache->per_slab;

	uint64_t free = (objects - MIN(cache_live(cache), objects)) * cache->size;
	uint64_t hollow = cache->hollow * RESIDENCE_PAGE_BYTES;

	return free - MIN(hollow, free);
}

static int by_free_bytes(const void *a, const void *b)
{
	uint64_t one = free_bytes(*(const struct cache_view *const *)a);
	uint64_t other = free_bytes(*(const struct cache_view *const *)b);

	return one > other ? -1 : one < other;
}

static void print_cache(const struct cache_view *cache)
{
	char use[16] = "-";

	if (cache->partial)
		snprintf(use, sizeof(use), "%" PRIu64 " %%",
			 percent(cache->partial_inuse, cache->partial_objects));
	printf("%-24s %10s %10s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %6s %10s\n", cache->name,
	       format_size(cache_live(cache) * cache->size).text,
	       format_size(free_bytes(cache)).text, cache->full, cache->partial, cache->empty, use,
	       format_size(cache_pinned_bytes(cache)).text);
}

static void print_caches(const struct view *view)
{
	const struct cache_view **order = room_new((view->nr_caches + 1) * sizeof(*order));
	size_t nr = 0;

	for (size_t i = 0; i < view->nr_caches; i++) {
		if (free_bytes(&view->cache[i]))
			order[nr++] = &view->cache[i];
	}
	qsort(order, nr, sizeof(*order), by_free_bytes);
	printf("\n%-24s %10s %10s %8s %8s %8s %6s %10s\n", "cache, most free first", "live", "free",
	       "full", "partly", "empty", "use", "pinned");
	for (size_t i = 0; i < MIN(nr, MAX_CACHES_SHOWN); i++)
		print_cache(order[i]);
	if (nr > MAX_CACHES_SHOWN)
		printf("and %zu more\n", nr - MAX_CACHES_SHOWN);
	free(order);
}

/* ---- growth ---- */

/* With the sign, which a row of all that is live may need. */
static struct size_text format_change(int64_t bytes)
{
	struct size_text size = format_size((uint64_t)llabs(bytes));
	struct size_text change;

	snprintf(change.text, sizeof(change.text), "%c%.20s", bytes < 0 ? '-' : '+', size.text);
	return change;
}

static void print_series(const char *name, const struct series *series)
{
	printf("%-24s %10s %10s %12s\n", name, format_size(series_first(series)).text,
	       format_size(series_last(series)).text, format_change(series->per_second).text);
}

static void print_growth(const struct growth *growth)
{
	char head[64];

	snprintf(head, sizeof(head), "what rises, in %.1f s", growth_seconds(growth));
	printf("\n%-24s %10s %10s %12s\n", head, "from", "to", "a second");
	for (size_t i = 0; i < MIN(growth->nr_rising, MAX_CACHES_SHOWN); i++)
		print_series(growth->part[i].name, &growth->part[i].live);
	if (growth->nr_rising > MAX_CACHES_SHOWN)
		printf("and %zu more\n", growth->nr_rising - MAX_CACHES_SHOWN);
	print_series("all that is live", &growth->live);
}

static void print_verdict(enum verdict verdict, const struct figures *f,
			  const struct growth *growth)
{
	printf("%s: %s\n", verdict_word(verdict), verdict_sentence(verdict, f, growth).text);
}

void info_print_text(const struct view *view, const struct figures *f, const struct growth *growth)
{
	if (view->target->core)
		printf("residence unknown: a core file does not tell what of this was in memory\n\n");
	printf("%-28s %12s%s\n", "", "bytes", view->residence ? "     resident" : "");
	print_slabs(view, f);
	print_pages(view);
	print_own(view);
	print_sum(view, f);
	print_caches(view);
	if (growth)
		print_growth(growth);
	putchar('\n');
	print_verdict(verdict_of(f, growth), f, growth);
	/* what grows may keep too much as well */
	if (verdict_of(f, growth) != f->verdict && f->verdict != VERDICT_IN_USE)
		print_verdict(f->verdict, f, growth);
	if (view->target->torn)
		printf("%s: some of it is missing here\n", target_torn_text(view->target));
}
