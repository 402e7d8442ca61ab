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

/* One cache's share of the figures. */
struct cache_figures {
	struct kmem_cache *cache;
	unsigned long slabs;
	unsigned long objects; /* all slabs' */
	unsigned long inuse;   /* handed out by slabs */
	unsigned long cached;  /* of these, in sheaves */
};

struct collection {
	struct cache_figures caches[NR_TAGS];
	size_t pcp_pages;
	size_t section_bytes;
};

static void collect_cache(struct kmem_cache *cache, void *arg)
{
	struct collection *all = arg;
	struct cache_figures *f = &all->caches[cache->tag];
	struct cache_count count;

	cache_count(cache, &count);
	f->cache = cache;
	f->slabs = count.slabs;
	f->objects = count.objects;
	f->inuse = count.inuse;
	f->cached = count.in_barns;
}

/* Racy by nature: the owner pushes and pops while we look. A slot that is busy right now is counted by
 * its main sheaves only. */
static void collect_slot(struct slot *slot, void *arg)
{
	struct collection *all = arg;
	bool at_rest = lock_try(&slot->lock, LOCK_SLOT);

	for (unsigned int tag = TAG_FIRST_CACHE; tag < NR_TAGS; tag++) {
		struct sheaf *spare = at_rest ? slot->sheaves[tag].spare : NULL;

		all->caches[tag].cached += READ_ONCE(slot->cache[tag].count);
		all->caches[tag].cached += spare ? spare->size : 0;
	}
	if (!at_rest)
		return;
	all->pcp_pages += slot->pcp.nr_pages + slot->pcp.run_pages;
	lock_release(&slot->lock, LOCK_SLOT);
}

/* The OS is asked without a lock, so not while the list of sections is walked. */
static size_t resident_section_bytes(void)
{
	size_t bytes = 0;
	struct section *section;

	for (size_t i = 0; (section = section_at(i)); i++)
		bytes += os_resident_bytes(section,
					   ALIGN_UP(sizeof(*section), os_page_size()));
	return bytes;
}

static void collect(struct collection *all)
{
	memset(all, 0, sizeof(*all));
	slab_boot();
	cache_for_each(collect_cache, all);
	slot_for_each(collect_slot, all);
	all->section_bytes = resident_section_bytes();
}

static void add_cache(struct heap_figures *f, const struct cache_figures *c)
{
	size_t slab_bytes = c->slabs * ((size_t)c->cache->slab_mask + 1);
	size_t cached = MIN(c->cached, c->inuse);
	size_t live = c->inuse - cached;

	f->slab_live_objects += live;
	f->slab_live_bytes += live * c->cache->size;
	f->cached_bytes += cached * c->cache->size;
	f->cached_objects += cached;
	f->slab_free_bytes += slab_bytes - c->inuse * c->cache->size;
	f->free_objects += c->objects - live;
}

static void add_zones(struct heap_figures *f)
{
	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		for (int type = 0; type < MAX_NR_ZONES; type++) {
			struct zone_pages pages;

			zone_count(&node_data[nid].zones[type], &pages);
			f->free_dirty_bytes += (pages.dirty + pages.isolated) * PAGE_SIZE;
			f->free_clean_bytes += (pages.free - pages.dirty) * PAGE_SIZE;
			f->reserved_bytes += pages.uncommitted * PAGE_SIZE;
		}
	}
}

static void add_up(struct heap_figures *f, const struct collection *all)
{
	memset(f, 0, sizeof(*f));
	for (unsigned int tag = 0; tag < NR_TAGS; tag++) {
		if (all->caches[tag].cache)
			add_cache(f, &all->caches[tag]);
	}
	add_zones(f);
	f->free_dirty_bytes += all->pcp_pages * PAGE_SIZE;
	f->large_bytes = large_total_bytes();
	f->large_blocks = large_count();
	f->huge_bytes = huge_total_bytes();
	f->huge_blocks = huge_count();
	f->metadata_bytes = all->section_bytes + meta_used_bytes();
}

void heap_figures(struct heap_figures *figures)
{
	struct collection all;

	collect(&all);
	add_up(figures, &all);
}

/* Free objects by size, where glibc lists its bins. */
static void write_sizes(FILE *file, const struct collection *all)
{
	fputs("<sizes>\n", file);
	for (unsigned int tag = 0; tag < NR_TAGS; tag++) {
		const struct cache_figures *c = &all->caches[tag];
		size_t free;

		if (!c->cache)
			continue;
		free = c->objects - c->inuse + MIN(c->cached, c->inuse);
		if (free)
			fprintf(file,
				"  <size from=\"%u\" to=\"%u\" total=\"%zu\" count=\"%zu\"/>\n",
				c->cache->size, c->cache->size, free * c->cache->size, free);
	}
	fputs("</sizes>\n", file);
}

static void write_totals(FILE *file, const struct heap_figures *f)
{
	size_t free = f->slab_free_bytes + f->free_dirty_bytes;
	size_t current = f->slab_live_bytes + f->large_bytes + f->cached_bytes + free;

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
	struct collection all;
	struct heap_figures f;

	/* nothing is locked while it is written: the stream may allocate */
	collect(&all);
	add_up(&f, &all);
	fputs("<malloc version=\"1\">\n<heap nr=\"0\">\n", file);
	write_sizes(file, &all);
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
	write_line(file, "free, in sheaves", f.cached_bytes);
	write_line(file, "free, in slabs", f.slab_free_bytes);
	write_line(file, "free, dirty pages", f.free_dirty_bytes);
	write_line(file, "free, clean pages", f.free_clean_bytes);
	write_line(file, "metadata", f.metadata_bytes);
}
