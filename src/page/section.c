/* SPDX-License-Identifier: MIT */
#include "page/section.h"

#include "base/lock.h"
#include "base/root.h"
#include "os/info.h"
#include "os/mem.h"
#include "page/limit.h"

/* In .bss: 8 bytes a window of addresses, of which a process touches one OS page or two. */
struct section *section_table[NR_SECTIONS];

/* Smallest range worth a reservation when addresses are scarce. Arbitrary: 64 pages of 4 KiB. */
#define SHORTEST_RANGE_BYTES KIB(256)

/* The same below 4 GiB, where each place costs a system call. Derived: 4096 places, some milliseconds. */
#define SHORTEST_LOW_RANGE_BYTES MIB(1)

static struct lock sections_lock;
static struct list_head sections; /* [sections_lock] */
static size_t nr_sections;	  /* [sections_lock] */
static void *next_hint;		  /* [atomic] where the next section would be welcome */

ROOT_PLACE(sections);
ROOT_PLACE(nr_sections);

void page_set_tags(struct page *page, unsigned int nr_pages, unsigned int tag)
{
	struct section *section = page_section(page);
	unsigned int pfn = page_pfn(page);

	for (unsigned int i = 0; i < nr_pages; i++)
		WRITE_ONCE(section->tag[pfn + i], (uint16_t)tag);
}

static size_t section_struct_bytes(void)
{
	return ALIGN_UP(sizeof(struct section), os_page_size());
}

/* Publish @fresh for its window unless somebody was faster. Return: the section that stands. */
static struct section *publish(struct section *fresh)
{
	struct section **entry = &section_table[fresh->base >> SECTION_SHIFT];
	struct section *there;

	lock_acquire(&sections_lock, LOCK_SECTIONS);
	there = *entry;
	if (!there) {
		if (!sections.next)
			list_head_init(&sections);
		list_add_tail(&fresh->list, &sections);
		ADD_ONCE(nr_sections, 1);
		store_release(entry, fresh);
		there = fresh;
	}
	lock_release(&sections_lock, LOCK_SECTIONS);
	return there;
}

/* The section for the window around @addr, if @zone may use it; it is made when there is none. */
static struct section *section_for(struct zone *zone, void *addr)
{
	struct section *section = addr_to_section(addr);
	struct section *fresh;

	if (!section) {
		fresh = limit_map(section_struct_bytes(), SECTION_META_ALIGN);
		if (!fresh)
			return NULL;
		fresh->base = ALIGN_DOWN((uintptr_t)addr, SECTION_BYTES);
		fresh->zone = zone;
		section = publish(fresh);
		if (section != fresh)
			limit_unmap(fresh, section_struct_bytes());
	}
	return section->zone == zone ? section : NULL;
}

/* The range that a reservation at @addr makes; nothing, and no reservation, if @zone cannot use it. */
static struct page_range take_reservation(struct zone *zone, void *addr, size_t bytes)
{
	struct page_range range = { .section = NULL };

	if ((uintptr_t)addr >> SECTION_SHIFT < NR_SECTIONS)
		range.section = section_for(zone, addr);
	if (!range.section) {
		os_unmap(addr, bytes);
		return range;
	}
	range.pfn = addr_to_pfn(addr);
	range.nr_pages = (unsigned int)(bytes >> PAGE_SHIFT);
	return range;
}

/* A reservation of @bytes, a power of two, aligned to itself: so it never straddles a window. */
static struct page_range reserve_anywhere(struct zone *zone, size_t bytes)
{
	void *addr = os_reserve(READ_ONCE(next_hint), bytes, bytes);
	struct page_range range = { .section = NULL };

	if (addr)
		range = take_reservation(zone, addr, bytes);
	/* the kernel fills addresses from above: the next one fits below, already aligned */
	if (range.section && bytes == SECTION_BYTES)
		WRITE_ONCE(next_hint, (char *)addr - SECTION_BYTES);
	return range;
}

/* The same below 4 GiB, past windows that are another zone's. */
static struct page_range reserve_below_4g(struct zone *zone, size_t bytes)
{
	struct page_range range = { .section = NULL };
	uintptr_t limit = (uintptr_t)1 << 32;
	void *addr;

	while (!range.section && (addr = os_reserve_below(limit, bytes))) {
		range = take_reservation(zone, addr, bytes);
		limit = (uintptr_t)addr;
	}
	return range;
}

struct page_range section_reserve(struct zone *zone, const struct section_place *place,
				  unsigned int order)
{
	bool below_4g = place && place->below_4g;
	size_t need = PAGE_SIZE << order;
	size_t least = MAX(need, below_4g ? SHORTEST_LOW_RANGE_BYTES : SHORTEST_RANGE_BYTES);
	struct page_range range;

	for (size_t bytes = SECTION_BYTES; bytes >= least; bytes /= 2) {
		range = below_4g ? reserve_below_4g(zone, bytes) : reserve_anywhere(zone, bytes);
		if (range.section)
			break;
	}
	/* before any of it is touched; if the OS will not, the memory is only farther away */
	if (range.section && place && place->prefer_node)
		os_prefer_node(page_start(section_page(range.section, range.pfn)),
			       (size_t)range.nr_pages << PAGE_SHIFT, place->os_node);
	return range;
}

void section_forget_tails(struct page *head, unsigned int nr_pages)
{
	char *from = (char *)ALIGN_UP((uintptr_t)(head + 1), os_page_size());
	char *to = (char *)ALIGN_DOWN((uintptr_t)(head + nr_pages - 1), os_page_size());

	if (from < to)
		os_discard(from, (size_t)(to - from));
}

void section_for_each(void (*visit)(struct section *section, void *arg), void *arg)
{
	struct list_head *pos;

	lock_acquire(&sections_lock, LOCK_SECTIONS);
	list_for_each (pos, &sections)
		visit(list_entry(pos, struct section, list), arg);
	lock_release(&sections_lock, LOCK_SECTIONS);
}

struct section *section_next(const struct section *section)
{
	struct section *next = NULL;
	const struct list_head *pos;

	lock_acquire(&sections_lock, LOCK_SECTIONS);
	pos = section ? &section->list : &sections;
	if (pos->next && pos->next != &sections)
		next = list_entry(pos->next, struct section, list);
	lock_release(&sections_lock, LOCK_SECTIONS);
	return next;
}

bool section_has_page(const struct page *page)
{
	uintptr_t at = (uintptr_t)page;
	struct section *section;

	for (section = section_next(NULL); section; section = section_next(section)) {
		uintptr_t map = (uintptr_t)section->mem_map;

		if (at >= map && at - map < sizeof(section->mem_map))
			return IS_ALIGNED(at - map, sizeof(*page));
	}
	return false;
}

size_t section_meta_bytes(void)
{
	return READ_ONCE(nr_sections) * section_struct_bytes();
}

size_t section_count(void)
{
	return READ_ONCE(nr_sections);
}

void section_walk_locks(lock_visit *visit, void *arg)
{
	visit(&sections_lock, arg);
}
