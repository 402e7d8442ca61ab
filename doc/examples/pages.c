/* SPDX-License-Identifier: MIT */
/*
 * The page allocator as text books show it: ask for 2^order pages, say where they are, write to them,
 * give them back, and say whether it went well. Then the same request without rounding to a power of two.
 *
 * Usage: pages [ORDER]		one order; else a few, the last of which is too large
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slabuddy/gfp.h>

static bool all_bytes_are(const unsigned char *bytes, unsigned char value, size_t size)
{
	return bytes[0] == value && !memcmp(bytes, bytes + 1, size - 1);
}

/* Return: whether there was a block, and it was as it should be. */
static bool try_order(unsigned int order)
{
	size_t size = PAGE_SIZE << order;
	unsigned long addr = __get_free_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN, order);

	printf("order %2u, %5zu KiB: ", order, size / 1024);
	if (!addr) {
		printf("no block is that large: failure\n");
		return false;
	}
	if (addr % size || !all_bytes_are((unsigned char *)addr, 0, size)) {
		printf("at %#lx, but not aligned or not zero: failure\n", addr);
		free_pages(addr, order);
		return false;
	}
	memset((void *)addr, 0x5a, size);
	if (virt_to_page((void *)(addr + size - 1)) !=
	    nth_page(virt_to_page((void *)addr), (1UL << order) - 1)) {
		printf("at %#lx, but its pages are not in sequence: failure\n", addr);
		free_pages(addr, order);
		return false;
	}
	printf("at %#lx, page frame %#lx: ", addr, page_to_pfn(virt_to_page((void *)addr)));
	free_pages(addr, order);
	printf("freed, success\n");
	return true;
}

/* 28 KiB are a block of order 3, of which one page would be wasted; or seven pages. */
static bool try_exact(size_t size)
{
	void *addr = alloc_pages_exact(size, GFP_KERNEL);

	if (!addr) {
		printf("%zu KiB exactly: failure\n", size / 1024);
		return false;
	}
	memset(addr, 0x5a, size);
	printf("%zu KiB are order %d, or exactly %zu pages at %p: ", size / 1024, get_order(size),
	       PAGE_ALIGN(size) / PAGE_SIZE, addr);
	free_pages_exact(addr, size);
	printf("freed, success\n");
	return true;
}

/* A page that two hold is free when both have let go of it. */
static bool try_reference(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	int shared, single;

	if (!page)
		return false;
	get_page(page);
	shared = page_count(page);
	put_page(page);
	single = page_count(page);
	put_page(page);
	printf("one page: %d references, then %d, then %d: %s\n", shared, single, page_count(page),
	       shared == 2 && single == 1 && page_count(page) == 0 ? "success" : "failure");
	return shared == 2 && single == 1 && page_count(page) == 0;
}

int main(int argc, char **argv)
{
	bool good = true;

	if (argc > 1)
		return try_order((unsigned int)strtoul(argv[1], NULL, 10)) ? EXIT_SUCCESS : EXIT_FAILURE;
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order += 2)
		good &= try_order(order);
	good &= !try_order(MAX_PAGE_ORDER + 1);
	good &= try_exact(28 * 1024);
	good &= try_reference();
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
