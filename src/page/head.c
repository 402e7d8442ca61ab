/* SPDX-License-Identifier: MIT */
#include "page/page.h"

static bool covers(const struct page *head, unsigned int distance)
{
	switch (page_type(head)) {
	case PAGE_BUDDY:
	case PAGE_PCP:
	case PAGE_ISOLATED:
	case PAGE_SLAB:
	case PAGE_BLOCK:
		return distance < 1U << READ_ONCE(head->order);
	case PAGE_UNCOMMITTED:
	case PAGE_PCP_RUN:
	case PAGE_USED:
	case PAGE_LARGE:
		return distance < READ_ONCE(head->nr_pages);
	default:
		return false;
	}
}

struct page *page_head(struct page *page)
{
	struct section *section = page_section(page);
	unsigned int pfn = page_pfn(page);

	/* a block starts at a multiple of its size, and everything between there and here is a tail */
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *head = section_page(section, ALIGN_DOWN(pfn, 1U << order));

		if (page_type(head) == PAGE_NONE)
			continue;
		if (covers(head, (unsigned int)(page - head)))
			return head;
		break;
	}
	/* a run starts anywhere */
	for (unsigned int distance = 1; distance <= pfn; distance++) {
		struct page *head = page - distance;

		if (page_type(head) != PAGE_NONE)
			return covers(head, distance) ? head : NULL;
	}
	return NULL;
}
