/* SPDX-License-Identifier: MIT */
#include "slab/sheaf.h"

#include "base/bits.h"
#include "page/meta.h"

_Static_assert(sizeof(struct sheaf) == 4 * sizeof(void *), "capacities are 2^n - 4");

struct sheaf *sheaf_alloc(uint32_t capacity)
{
	uint32_t wanted = MIN(capacity, SHEAF_MAX_CAPACITY);
	size_t bytes = roundup_pow2(sizeof(struct sheaf) + wanted * sizeof(void *));
	struct sheaf *sheaf = meta_alloc(bytes);

	if (sheaf) {
		sheaf->bytes = (uint32_t)bytes;
		sheaf->capacity = wanted;
	}
	return sheaf;
}

void sheaf_free(struct sheaf *sheaf)
{
	meta_free(sheaf, sheaf->bytes);
}
