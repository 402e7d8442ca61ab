/* SPDX-License-Identifier: MIT */
#include "tools/residence.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bits.h"

/*
 * The ioctl of Linux 6.7 that tells pages of zeros from others. Spelled out, since headers may be
 * older than the kernel; before it, what was only ever read counts as resident.
 */
struct scan_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct scan {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t regions;
	uint64_t nr_regions;
	uint64_t max_pages;
	uint64_t inverted;
	uint64_t mask;
	uint64_t anyof_mask;
	uint64_t return_mask;
};

#define SCAN	     _IOWR('f', 16, struct scan)
#define SCAN_PRESENT (1U << 3)
#define SCAN_SWAPPED (1U << 4)
#define SCAN_ZERO    (1U << 5)

/* In an entry of pagemap, see the kernel's Documentation/admin-guide/mm/pagemap.rst. */
#define ENTRY_PRESENT ((uint64_t)1 << 63)
#define ENTRY_SWAPPED ((uint64_t)1 << 62)

/* Arbitrary: 6 KiB of stack. */
#define NR_REGIONS 256

/* Arbitrary: as many as a section has; a bitmap is 2 KiB. */
#define NR_PAGES_AT_ONCE 16384U

/* A part of the range that begins at @start is there. */
static void set_bits(uint64_t *map, uint64_t start, size_t nr_pages, uint64_t from, uint64_t to)
{
	uint64_t end = start + nr_pages * RESIDENCE_PAGE_BYTES;

	from = MAX(from, start);
	to = MIN(to, end);
	if (from < to)
		bitmap_set_range(map, (unsigned int)((from - start) / RESIDENCE_PAGE_BYTES),
				 (unsigned int)((to - from) / RESIDENCE_PAGE_BYTES));
}

static bool scan(const struct target *target, uint64_t start, size_t nr_pages, uint64_t *resident,
		 uint64_t *backed)
{
	struct scan_region regions[NR_REGIONS];
	uint64_t end = ALIGN_UP(start + nr_pages * RESIDENCE_PAGE_BYTES, target->page_size);
	uint64_t at = ALIGN_DOWN(start, target->page_size);

	while (at < end) {
		struct scan scan = {
			.size = sizeof(scan),
			.start = at,
			.end = end,
			.regions = (uintptr_t)regions,
			.nr_regions = NR_REGIONS,
			.inverted = SCAN_ZERO,
			.mask = SCAN_ZERO,
			.anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
			.return_mask = SCAN_PRESENT | SCAN_SWAPPED,
		};
		int nr = ioctl(target->pagemap, SCAN, &scan);

		if (nr < 0 || scan.walk_end <= at)
			return false;
		for (int i = 0; i < nr; i++) {
			set_bits(backed, start, nr_pages, regions[i].start, regions[i].end);
			if (regions[i].categories & SCAN_PRESENT)
				set_bits(resident, start, nr_pages, regions[i].start,
					 regions[i].end);
		}
		at = scan.walk_end;
	}
	return true;
}

static bool read_entries(const struct target *target, uint64_t start, size_t nr_pages,
			 uint64_t *resident, uint64_t *backed)
{
	uint64_t end = start + nr_pages * RESIDENCE_PAGE_BYTES;
	uint64_t entries[512];

	for (uint64_t at = ALIGN_DOWN(start, target->page_size); at < end;) {
		uint64_t first = at / target->page_size;
		uint64_t wanted = DIV_ROUND_UP(end - at, target->page_size);
		ssize_t got = pread(target->pagemap, entries,
				    MIN(wanted, ARRAY_SIZE(entries)) * sizeof(*entries),
				    (off_t)(first * sizeof(*entries)));

		if (got < (ssize_t)sizeof(*entries))
			return false;
		for (size_t i = 0; i < (size_t)got / sizeof(*entries);
		     i++, at += target->page_size) {
			if (entries[i] & (ENTRY_PRESENT | ENTRY_SWAPPED))
				set_bits(backed, start, nr_pages, at, at + target->page_size);
			if (entries[i] & ENTRY_PRESENT)
				set_bits(resident, start, nr_pages, at, at + target->page_size);
		}
	}
	return true;
}

bool residence_read(const struct target *target, uint64_t start, size_t nr_pages,
		    uint64_t *resident, uint64_t *backed)
{
	size_t bytes = DIV_ROUND_UP(nr_pages, BITS_PER_WORD) * sizeof(uint64_t);

	if (target->pagemap >= 0) {
		memset(resident, 0, bytes);
		memset(backed, 0, bytes);
		if (scan(target, start, nr_pages, resident, backed))
			return true;
		memset(resident, 0, bytes);
		memset(backed, 0, bytes);
		if (read_entries(target, start, nr_pages, resident, backed))
			return true;
	}
	memset(resident, 0xff, bytes);
	memset(backed, 0xff, bytes);
	return false;
}

uint64_t residence_bytes(const struct target *target, uint64_t start, uint64_t bytes)
{
	uint64_t end = ALIGN_UP(start + bytes, (uint64_t)RESIDENCE_PAGE_BYTES);
	uint64_t sum = 0;

	start = ALIGN_DOWN(start, (uint64_t)RESIDENCE_PAGE_BYTES);
	while (start < end) {
		uint64_t resident[NR_PAGES_AT_ONCE / BITS_PER_WORD];
		uint64_t backed[NR_PAGES_AT_ONCE / BITS_PER_WORD];
		size_t nr = MIN((end - start) / RESIDENCE_PAGE_BYTES, NR_PAGES_AT_ONCE);

		if (!residence_read(target, start, nr, resident, backed))
			return 0;
		sum += (uint64_t)bitmap_count_range(resident, 0, (unsigned int)nr) *
		       RESIDENCE_PAGE_BYTES;
		start += nr * RESIDENCE_PAGE_BYTES;
	}
	return sum;
}

bool residence_copy_variable(const struct target *target, uint64_t addr, void *to, size_t bytes)
{
	uint64_t resident[NR_PAGES_AT_ONCE / BITS_PER_WORD];
	uint64_t backed[NR_PAGES_AT_ONCE / BITS_PER_WORD];
	uint64_t base = ALIGN_DOWN(addr, (uint64_t)RESIDENCE_PAGE_BYTES);
	size_t nr = (ALIGN_UP(addr + bytes, (uint64_t)RESIDENCE_PAGE_BYTES) - base) /
		    RESIDENCE_PAGE_BYTES;
	unsigned int page = 0;

	/* with all of it "backed" when that cannot be known */
	if (nr > NR_PAGES_AT_ONCE)
		return target_read(target, addr, to, bytes);
	residence_read(target, base, nr, resident, backed);
	memset(to, 0, bytes);
	while (page < nr) {
		unsigned int first = page;
		uint64_t start, end;

		if (!bitmap_test(backed, page)) {
			page++;
			continue;
		}
		while (page < nr && bitmap_test(backed, page))
			page++;
		start = MAX(base + (uint64_t)first * RESIDENCE_PAGE_BYTES, addr);
		end = MIN(base + (uint64_t)page * RESIDENCE_PAGE_BYTES, addr + bytes);
		if (!target_read(target, start, (char *)to + (start - addr), end - start))
			return false;
	}
	return true;
}

bool residence_copy(const struct target *target, uint64_t addr, size_t touched, void *to,
		    size_t bytes)
{
	char byte;

	return target_read(target, addr + touched, &byte, 1) &&
	       residence_copy_variable(target, addr, to, bytes);
}

uint64_t residence_variable(const struct target *target, uint64_t addr, size_t bytes)
{
	uint64_t number = 0;

	/* little-endian, as both are */
	return residence_copy_variable(target, addr, &number, MIN(bytes, sizeof(number))) ? number
											  : 0;
}
