/* SPDX-License-Identifier: MIT */
#include "page/section.h"

#include "base/lock.h"
#include "os/info.h"
#include "os/mem.h"

/* In .bss: 8 bytes a window of addresses, of which a process touches one OS page or two. */
struct section *section_table[NR_SECTIONS];

/* Smallest range worth a reservation when addresses are scarce. Arbitrary: 64 pages of 4 KiB. */
#define SHORTEST_RANGE_BYTES KIB(256)

static struct lock sections_lock;
static struct list_head sections; /* [sections_lock] */
static size_t nr_sections;	  /* [sections_lock] */
static void *next_hint;		  /* [atomic] where the next section would be welcome */

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
		fresh = os_map(section_struct_bytes(), SECTION_META_ALIGN);
		if (!fresh)
			return NULL;
		fresh->base = ALIGN_DOWN((uintptr_t)addr, SECTION_BYTES);
		fresh->zone = zone;
		section = publish(fresh);
		if (section != fresh)
			os_unmap(fresh, section_struct_bytes());
	}
	return section->zone == zone ? section : NULL;
}

/* A reservation of @bytes, a power of two, aligned to itself: so it never straddles a window. */
static struct page_range reserve_bytes(struct zone *zone, size_t bytes)
{
	struct page_range range = { .section = NULL };
	void *addr = os_reserve(READ_ONCE(next_hint), bytes, bytes);

	if (!addr)
		return range;
	if ((uintptr_t)addr >> SECTION_SHIFT < NR_SECTIONS)
		range.section = section_for(zone, addr);
	if (!range.section) {
		os_unmap(addr, bytes);
		return range;
	}
	/* the kernel fills addresses from above: the next one fits below, already aligned */
	if (bytes == SECTION_BYTES)
		WRITE_ONCE(next_hint, (char *)addr - SECTION_BYTES);
	range.pfn = addr_to_pfn(addr);
	range.nr_pages = (unsigned int)(bytes >> PAGE_SHIFT);
	return range;
}

struct page_range section_reserve(struct zone *zone, unsigned int order)
{
	size_t need = PAGE_SIZE << order;
	size_t least = MAX(need, SHORTEST_RANGE_BYTES);
	struct page_range range;

	for (size_t bytes = SECTION_BYTES; bytes >= least; bytes /= 2) {
		range = reserve_bytes(zone, bytes);
		if (range.section)
			break;
	}
	return range;
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

size_t section_meta_bytes(void)
{
	return READ_ONCE(nr_sections) * section_struct_bytes();
}

size_t section_count(void)
{
	return READ_ONCE(nr_sections);
}

void section_walk_locks(void (*visit)(struct lock *lock))
{
	visit(&sections_lock);
}
