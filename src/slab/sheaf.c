/* SPDX-License-Identifier: MIT */
#include "slab/sheaf.h"

#include "base/bits.h"
#include <slabuddy/slab.h>

#include "page/meta.h"

_Static_assert(sizeof(struct sheaf) == 4 * sizeof(void *), "capacities are 2^n - 4");
_Static_assert(sizeof(struct sheaf) + KMEM_SHEAF_MAX * sizeof(void *) == META_MAX_BYTES,
	       "the largest sheaf is the largest piece of metadata");

struct sheaf *sheaf_alloc_exact(uint32_t capacity)
{
	size_t bytes = roundup_pow2(sizeof(struct sheaf) + capacity * sizeof(void *));
	struct sheaf *sheaf = meta_alloc(bytes);

	if (sheaf) {
		sheaf->bytes = (uint32_t)bytes;
		sheaf->capacity = capacity;
	}
	return sheaf;
}

struct sheaf *sheaf_alloc(uint32_t capacity)
{
	return sheaf_alloc_exact(MIN(capacity, SHEAF_MAX_CAPACITY));
}

void sheaf_free(struct sheaf *sheaf)
{
	meta_free(sheaf, sheaf->bytes);
}
