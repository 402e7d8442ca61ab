/* SPDX-License-Identifier: MIT */
#include "malloc/info.h"

#include <string.h>

#include "malloc/huge.h"
#include "malloc/large.h"
#include "malloc/size_class.h"
#include "os/info.h"
#include "os/mem.h"
#include "page/meta.h"
#include "page/section.h"
#include "slab/boot.h"
#include "slab/slot.h"

static void add_cache(struct kmem_cache *cache, void *arg)
{
	struct heap_figures *f = arg;
	size_t slab_bytes, cached, live;
	struct cache_count c;

	cache_count(cache, &c);
	slab_bytes = c.slabs * ((size_t)cache->slab_mask + 1);
	cached = MIN(c.in_barns + c.in_slots, c.inuse);
	live = c.inuse - cached;
	f->slab_live_objects += live;
	f->slab_live_bytes += live * cache->size;
	f->cached_bytes += cached * cache->size;
	f->cached_objects += cached;
	f->slab_free_bytes += slab_bytes - c.inuse * cache->size - c.hollow * PAGE_SIZE;
	f->free_clean_bytes += c.hollow * PAGE_SIZE;
	f->free_objects += c.objects - live;
}

/* Racy by nature: a slot that is busy right now is left out. */
static void add_pcp(struct slot *slot, void *arg)
{
	struct heap_figures *f = arg;
	struct page_sheaves_count count;

	page_sheaves_count(load_acquire(&slot->page_sheaves), &count);
	f->free_dirty_bytes += count.pages * PAGE_SIZE;
	if (!lock_try(&slot->lock, LOCK_SLOT))
		return;
	f->free_dirty_bytes += (slot->pcp.nr_pages + run_sheaf_pages(&slot->pcp.runs)) * PAGE_SIZE;
	lock_release(&slot->lock, LOCK_SLOT);
}

/* The OS is asked without a lock, so not while the list of sections is walked. */
static size_t resident_section_bytes(void)
{
	size_t bytes = 0;
	struct section *section;

	for (section = section_next(NULL); section; section = section_next(section))
		bytes += os_resident_bytes(section,
					   ALIGN_UP(sizeof(*section), os_page_size()));
	return bytes;
}

/* Return: bytes that all zones have committed. */
static size_t add_zones(struct heap_figures *f)
{
	size_t managed = 0;

	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		for (int type = 0; type < MAX_NR_ZONES; type++) {
			struct zone_pages pages;

			zone_count(&node_data[nid].zones[type], &pages);
			/* locked memory is there whether it was written to or not */
			if (type == ZONE_DMA)
				pages.dirty = pages.free;
			f->free_dirty_bytes += (pages.dirty + pages.isolated) * PAGE_SIZE;
			f->free_clean_bytes += (pages.free - pages.dirty) * PAGE_SIZE;
			f->reserved_bytes += pages.uncommitted * PAGE_SIZE;
			managed += pages.managed * PAGE_SIZE;
		}
	}
	return managed;
}

/* What no other figure has. */
static size_t rest_of(size_t managed, const struct heap_figures *f)
{
	size_t known = f->slab_live_bytes + f->cached_bytes + f->slab_free_bytes + f->large_bytes +
		       f->free_dirty_bytes + f->free_clean_bytes;

	return managed > known ? managed - known : 0;
}

void heap_figures(struct heap_figures *f)
{
	size_t managed;

	memset(f, 0, sizeof(*f));
	slab_boot();
	cache_for_each(add_cache, f);
	managed = add_zones(f);
	slot_for_each(add_pcp, f);
	f->large_bytes = large_total_bytes();
	f->large_blocks = large_count();
	if (READ_ONCE(page_api_used))
		f->page_bytes = rest_of(managed, f);
	f->huge_bytes = huge_total_bytes();
	f->huge_blocks = huge_count();
	f->metadata_bytes = resident_section_bytes() + meta_used_bytes();
}

/* The free objects of one class. */
static size_t free_in_class(size_t tag, size_t *size)
{
	struct kmem_cache *cache = tag_to_cache(tag);
	struct cache_count c;

	if (!cache || !load_acquire(&cache->ready))
		return 0;
	*size = cache->size;
	cache_count(cache, &c);
	return c.objects - c.inuse + MIN(c.in_barns + c.in_slots, c.inuse);
}

/* Free objects of malloc's classes by size, where glibc lists its bins. */
static void write_sizes(FILE *file)
{
	fputs("<sizes>\n", file);
	for (size_t tag = TAG_FIRST_CACHE; tag < NR_CLASS_TAGS; tag++) {
		size_t size = 0;
		size_t free = free_in_class(tag, &size);

		if (free)
			fprintf(file,
				"  <size from=\"%zu\" to=\"%zu\" total=\"%zu\" count=\"%zu\"/>\n",
				size, size, free * size, free);
	}
	fputs("</sizes>\n", file);
}

static void write_totals(FILE *file, const struct heap_figures *f)
{
	size_t free = f->slab_free_bytes + f->free_dirty_bytes;
	size_t current = f->slab_live_bytes + f->large_bytes + f->page_bytes + f->cached_bytes + free;

	fprintf(file,
		"<total type=\"fast\" count=\"%zu\" size=\"%zu\"/>\n"
		"<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n"
		"<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n"
		"<system type=\"current\" size=\"%zu\"/>\n"
		"<system type=\"max\" size=\"%zu\"/>\n"
		"<aspace type=\"total\" size=\"%zu\"/>\n"
		"<aspace type=\"mprotect\" size=\"%zu\"/>\n",
		f->cached_objects, f->cached_bytes, f->free_objects - f->cached_objects, free,
		f->huge_blocks, f->huge_bytes, current, current + f->free_clean_bytes,
		current + f->free_clean_bytes + f->reserved_bytes, current + f->free_clean_bytes);
}

int heap_write_xml(FILE *file)
{
	struct heap_figures f;

	/* nothing is locked while it is written: the stream may allocate */
	heap_figures(&f);
	fputs("<malloc version=\"1\">\n<heap nr=\"0\">\n", file);
	write_sizes(file);
	write_totals(file, &f);
	fputs("</heap>\n", file);
	write_totals(file, &f);
	fputs("</malloc>\n", file);
	return ferror(file) ? -1 : 0;
}

static void write_line(FILE *file, const char *what, size_t bytes)
{
	fprintf(file, "%-28s %14zu bytes\n", what, bytes);
}

void heap_write_stats(FILE *file)
{
	struct heap_figures f;

	heap_figures(&f);
	fprintf(file, "slabuddy: %zu objects, %zu large and %zu huge blocks in use\n",
		f.slab_live_objects, f.large_blocks, f.huge_blocks);
	write_line(file, "live, in slabs", f.slab_live_bytes);
	write_line(file, "live, large", f.large_bytes);
	write_line(file, "live, huge", f.huge_bytes);
	if (f.page_bytes)
		write_line(file, "live, blocks of pages", f.page_bytes);
	write_line(file, "free, in sheaves", f.cached_bytes);
	write_line(file, "free, in slabs", f.slab_free_bytes);
	write_line(file, "free, dirty pages", f.free_dirty_bytes);
	write_line(file, "free, clean pages", f.free_clean_bytes);
	write_line(file, "metadata", f.metadata_bytes);
}
