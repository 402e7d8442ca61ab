/* SPDX-License-Identifier: MIT */
#include "tools/info_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/bits.h"
#include "tools/residence.h"

void json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			printf("\\%c", byte);
		else if (byte < 0x20 || byte >= 0x7f)
			printf("\\u%04x", byte);
		else
			putchar(byte);
	}
	putchar('"');
}

static void member(const char *name, uint64_t value)
{
	printf(",\n      \"%s\": %" PRIu64, name, value);
}

static void member_if(bool known, const char *name, uint64_t value)
{
	if (known)
		member(name, value);
	else
		printf(",\n      \"%s\": null", name);
}

static void amount(const struct view *view, const char *name, const struct amount *amount)
{
	printf(",\n      \"%s\": { \"bytes\": %" PRIu64, name, amount->bytes);
	printf(", \"resident\": ");
	if (view->residence)
		printf("%" PRIu64 " }", amount->resident);
	else
		printf("null }");
}

static void print_slabs(const struct view *view, const struct figures *f)
{
	amount(view, "slabs", &view->pages[PAGES_SLAB]);
	member("small_live_bytes", f->live_bytes);
	member("small_live_objects", f->live_objects);
	member("sheaves_bytes", f->sheaves_bytes);
	member("barns_bytes", f->barns_bytes);
	member("slab_free_bytes", f->slab_free_bytes);
	member("slab_pinned_bytes", f->pinned_bytes);
	member("slab_empty_bytes", f->empty_bytes);
	member("slab_given_back_bytes", f->hollow_bytes);
}

static void print_pages(const struct view *view)
{
	uint64_t free = view->pages[PAGES_FREE].bytes;

	amount(view, "large", &view->pages[PAGES_LARGE]);
	member("large_blocks", view->nr_large);
	amount(view, "huge", &view->huge);
	member("huge_blocks", view->nr_huge);
	amount(view, "page_blocks", &view->pages[PAGES_BLOCK]);
	amount(view, "moving_pages", &view->pages[PAGES_MOVING]);
	amount(view, "purging_pages", &view->pages[PAGES_PURGING]);
	amount(view, "former_huge", &view->retired);
	amount(view, "slot_pages", &view->pages[PAGES_SLOT]);
	member("slots", view->nr_slots);
	amount(view, "free_pages", &view->pages[PAGES_FREE]);
	member("free_dirty_bytes", view->free_dirty);
	member("free_clean_bytes", free - MIN(view->free_dirty, free));
}

static void print_own(const struct view *view, const struct figures *f)
{
	uint64_t managed = 0;

	for (unsigned int i = 0; i < view->snapshot.nr_zones; i++)
		managed += view->snapshot.zone[i].managed * RESIDENCE_PAGE_BYTES;
	amount(view, "struct_pages", &view->sections);
	amount(view, "metadata", &view->metadata);
	member("metadata_used_bytes", view->metadata_used);
	amount(view, "library_image", &view->image);
	member("managed_bytes", managed);
	member("mapped_bytes", f->mapped_bytes);
	member("reserved_bytes", view->uncommitted);
	member_if(view->residence, "resident_bytes", f->resident_bytes);
	member_if(f->has_rss, "rss_bytes", f->rss.bytes);
	member_if(f->has_rss && view->residence, "others_bytes", f->rss.others);
	printf(",\n      \"unexplained_bytes\": ");
	if (f->has_rss && view->residence)
		printf("%" PRId64, f->unexplained_bytes);
	else
		printf("null");
}

static void print_cache(const struct cache_view *cache, bool first)
{
	printf("%s\n        { \"name\": ", first ? "" : ",");
	json_string(cache->name);
	printf(", \"size\": %" PRIu64 ", \"live\": %" PRIu64 ", \"sheaves\": %" PRIu64
	       ", \"barns\": %" PRIu64 ", \"objects_per_slab\": %" PRIu64 ", \"slabs\": %" PRIu64
	       ", \"full\": %" PRIu64 ", \"partial\": %" PRIu64 ", \"empty\": %" PRIu64
	       ", \"partial_inuse\": %" PRIu64 ", \"partial_objects\": %" PRIu64
	       ", \"given_back_bytes\": %" PRIu64 ", \"pinned_bytes\": %" PRIu64 " }",
	       cache->size, cache_live(cache), cache->in_slots, cache->in_barns, cache->per_slab,
	       cache->slabs, cache->full, cache->partial, cache->empty, cache->partial_inuse,
	       cache->partial_objects, cache->hollow * RESIDENCE_PAGE_BYTES,
	       cache_pinned_bytes(cache));
}

static void print_series(const struct series *series)
{
	printf("\"from_bytes\": %" PRIu64 ", \"to_bytes\": %" PRIu64
	       ", \"bytes_per_second\": %" PRId64 " }",
	       series_first(series), series_last(series), series->per_second);
}

static void print_growth(const struct growth *growth)
{
	printf(",\n      \"growth\": ");
	if (!growth) {
		printf("null");
		return;
	}
	printf("{\n        \"seconds\": %.3f, \"readings\": %d,\n        \"live\": { ",
	       growth_seconds(growth), GROWTH_READINGS);
	print_series(&growth->live);
	printf(",\n        \"rising\": [");
	for (size_t i = 0; i < growth->nr_rising; i++) {
		printf("%s\n          { \"name\": ", i ? "," : "");
		json_string(growth->part[i].name);
		printf(", ");
		print_series(&growth->part[i].live);
	}
	printf("\n        ]\n      }");
}

/* "kept" is what the verdict would be if it did not grow. */
static void print_verdict(enum verdict verdict, const struct figures *f,
			  const struct growth *growth)
{
	printf(",\n      \"verdict\": \"%s\",\n      \"because\": ", verdict_word(verdict));
	json_string(verdict_sentence(verdict, f, growth).text);
	printf(",\n      \"kept\": \"%s\"", verdict_word(f->verdict));
}

void info_print_json(const struct view *view, const struct heap *heap, const struct figures *f,
		     const struct growth *growth)
{
	printf("{ \"library\": ");
	json_string(heap->path);
	print_slabs(view, f);
	print_pages(view);
	print_own(view, f);
	printf(",\n      \"changed_meanwhile\": %s", view->target->torn ? "true" : "false");
	print_verdict(verdict_of(f, growth), f, growth);
	print_growth(growth);
	printf(",\n      \"caches\": [");
	for (size_t i = 0; i < view->nr_caches; i++)
		print_cache(&view->cache[i], i == 0);
	printf("\n      ]\n    }");
}
