/* SPDX-License-Identifier: MIT */
#include "slab/depot.h"

#include <string.h>

#include "page/meta.h"

/* Arbitrary: short lists for a program with some hundred thousand stacks. In .bss, touched by use. */
#define NR_BUCKETS (1U << 15)

static struct stack_record *buckets[NR_BUCKETS]; /* [atomic] newest first; nothing leaves them */

static uint32_t hash_of(void *const *addrs, unsigned int nr)
{
	uint64_t hash = nr;

	for (unsigned int i = 0; i < nr; i++) {
		hash = (hash ^ (uintptr_t)addrs[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	return (uint32_t)hash;
}

static struct stack_record *find(struct stack_record *from, uint32_t hash, void *const *addrs,
				 unsigned int nr)
{
	for (; from; from = from->next) {
		if (from->hash == hash && from->nr == nr &&
		    !memcmp(from->addrs, addrs, nr * sizeof(*addrs)))
			return from;
	}
	return NULL;
}

const struct stack_record *depot_save(void *const *addrs, unsigned int nr)
{
	uint32_t hash = hash_of(addrs, nr);
	struct stack_record **bucket = &buckets[hash % NR_BUCKETS];
	struct stack_record *first = load_acquire(bucket);
	struct stack_record *record;

	if (!nr)
		return NULL;
	record = find(first, hash, addrs, nr);
	if (record)
		return record;
	record = meta_alloc(sizeof(*record) + nr * sizeof(*addrs));
	if (!record)
		return NULL;
	record->hash = hash;
	record->nr = nr;
	memcpy(record->addrs, addrs, nr * sizeof(*addrs));
	/* two threads may bring the same stack: then it is there twice, and both are right */
	do
		record->next = first;
	while (!__atomic_compare_exchange_n(bucket, &first, record, true, __ATOMIC_RELEASE,
					    __ATOMIC_ACQUIRE));
	return record;
}
