/* SPDX-License-Identifier: MIT */
#include "slab/geometry.h"

#include "base/bits.h"
#include "page/page.h"

static size_t objects_in(unsigned int order, size_t size)
{
	return (PAGE_SIZE << order) / size;
}

static size_t waste_in(unsigned int order, size_t size)
{
	return (PAGE_SIZE << order) % size;
}

unsigned int slab_min_objects(unsigned int nr_cpus)
{
	return 4 * (fls64(nr_cpus) + 1);
}

int slab_order(size_t size, unsigned int min_objects, unsigned int max_order)
{
	size_t most = MAX(objects_in(SLAB_MAX_ORDER, size), 1);
	size_t wanted = MIN(min_objects, most);
	unsigned int min_order = pages_to_order(bytes_to_pages(wanted * size));
	unsigned int own_order = pages_to_order(bytes_to_pages(size));

	for (unsigned int fraction = 16; fraction > 1; fraction /= 2) {
		for (unsigned int order = min_order; order <= max_order; order++) {
			if (waste_in(order, size) <= (PAGE_SIZE << order) / fraction)
				return (int)order;
		}
	}
	return own_order <= MAX_PAGE_ORDER ? (int)own_order : -1;
}
