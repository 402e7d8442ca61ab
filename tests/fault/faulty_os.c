/* SPDX-License-Identifier: MIT */
#include "fault/faulty_os.h"

#include <errno.h>
#include <pthread.h>

#include "base/bits.h"
#include "model/rng.h"
#include "os/mem.h"

#define MAX_MAPPINGS 4096

static pthread_mutex_t plan_lock = PTHREAD_MUTEX_INITIALIZER;

/* All [plan_lock] */
static struct {
	unsigned long calls;
	unsigned long first;
	unsigned long count;
	unsigned int per_cent;
	struct rng rng;
	size_t limit; /* 0: none */
	size_t charged;
} plan;

static struct mapping {
	void *addr; /* NULL: unused */
	size_t bytes;
} mappings[MAX_MAPPINGS]; /* [plan_lock] what os_map() gave */

static void set_plan(unsigned long first, unsigned long count, unsigned int per_cent, uint64_t seed,
		     size_t limit)
{
	pthread_mutex_lock(&plan_lock);
	plan.calls = 0;
	plan.first = first;
	plan.count = count;
	plan.per_cent = per_cent;
	plan.rng.state = seed;
	plan.limit = limit;
	pthread_mutex_unlock(&plan_lock);
}

void faulty_os_fail(unsigned long first, unsigned long count)
{
	set_plan(first, count, 0, 0, 0);
}

void faulty_os_fail_randomly(unsigned int per_cent, uint64_t seed)
{
	set_plan(0, 0, per_cent, seed, 0);
}

void faulty_os_limit(size_t bytes)
{
	set_plan(0, 0, 0, 0, bytes);
}

void faulty_os_work(void)
{
	set_plan(0, 0, 0, 0, 0);
}

unsigned long faulty_os_calls(void)
{
	unsigned long calls;

	pthread_mutex_lock(&plan_lock);
	calls = plan.calls;
	pthread_mutex_unlock(&plan_lock);
	return calls;
}

/* Whether the next call, which wants @charge bytes, is refused. */
static bool refused(size_t charge)
{
	bool no;

	pthread_mutex_lock(&plan_lock);
	plan.calls++;
	no = plan.calls >= plan.first && plan.calls - plan.first < plan.count;
	no |= plan.per_cent && rng_below(&plan.rng, 100) < plan.per_cent;
	no |= plan.limit && plan.charged + charge > plan.limit;
	if (!no)
		plan.charged += charge;
	pthread_mutex_unlock(&plan_lock);
	return no;
}

static void uncharge(size_t bytes)
{
	pthread_mutex_lock(&plan_lock);
	plan.charged -= bytes;
	pthread_mutex_unlock(&plan_lock);
}

/* Change the record of @from (NULL: a new one) to @to (NULL: none). Return: its bytes before. */
static size_t record(void *from, void *to, size_t bytes)
{
	size_t before = 0;

	pthread_mutex_lock(&plan_lock);
	for (unsigned int i = 0; i < MAX_MAPPINGS; i++) {
		if (mappings[i].addr == from) {
			before = mappings[i].bytes;
			mappings[i] = (struct mapping){ to, to ? bytes : 0 };
			break;
		}
	}
	pthread_mutex_unlock(&plan_lock);
	return before;
}

void *__real_os_reserve(void *hint, size_t bytes, size_t align);
void *__wrap_os_reserve(void *hint, size_t bytes, size_t align);
int __real_os_commit(void *addr, size_t bytes);
int __wrap_os_commit(void *addr, size_t bytes);
void *__real_os_map(size_t bytes, size_t align);
void *__wrap_os_map(size_t bytes, size_t align);
void *__real_os_remap(void *addr, size_t old_bytes, size_t new_bytes);
void *__wrap_os_remap(void *addr, size_t old_bytes, size_t new_bytes);
int __real_os_discard(void *addr, size_t bytes);
int __wrap_os_discard(void *addr, size_t bytes);
int __real_os_unmap(void *addr, size_t bytes);
int __wrap_os_unmap(void *addr, size_t bytes);
void *__real_os_reserve_below(uintptr_t limit, size_t bytes);
void *__wrap_os_reserve_below(uintptr_t limit, size_t bytes);
int __real_os_uncommit(void *addr, size_t bytes);
int __wrap_os_uncommit(void *addr, size_t bytes);
int __real_os_lock(void *addr, size_t bytes);
int __wrap_os_lock(void *addr, size_t bytes);
int __real_os_want_huge(void *addr, size_t bytes);
int __wrap_os_want_huge(void *addr, size_t bytes);
int __real_os_refuse_huge(void *addr, size_t bytes);
int __wrap_os_refuse_huge(void *addr, size_t bytes);

void *__wrap_os_reserve(void *hint, size_t bytes, size_t align)
{
	return refused(0) ? NULL : __real_os_reserve(hint, bytes, align);
}

int __wrap_os_commit(void *addr, size_t bytes)
{
	return refused(bytes) ? -ENOMEM : __real_os_commit(addr, bytes);
}

void *__wrap_os_map(size_t bytes, size_t align)
{
	void *addr = refused(bytes) ? NULL : __real_os_map(bytes, align);

	if (addr)
		record(NULL, addr, bytes);
	return addr;
}

void *__wrap_os_remap(void *addr, size_t old_bytes, size_t new_bytes)
{
	void *now;

	if (refused(new_bytes > old_bytes ? new_bytes - old_bytes : 0))
		return NULL;
	now = __real_os_remap(addr, old_bytes, new_bytes);
	if (now)
		record(addr, now, new_bytes);
	if (now && new_bytes < old_bytes)
		uncharge(old_bytes - new_bytes);
	return now;
}

int __wrap_os_discard(void *addr, size_t bytes)
{
	return refused(0) ? -ENOMEM : __real_os_discard(addr, bytes);
}

void *__wrap_os_reserve_below(uintptr_t limit, size_t bytes)
{
	return refused(0) ? NULL : __real_os_reserve_below(limit, bytes);
}

int __wrap_os_lock(void *addr, size_t bytes)
{
	return refused(0) ? -ENOMEM : __real_os_lock(addr, bytes);
}

int __wrap_os_uncommit(void *addr, size_t bytes)
{
	int error = refused(0) ? -ENOMEM : __real_os_uncommit(addr, bytes);

	if (!error)
		uncharge(bytes);
	return error;
}

int __wrap_os_want_huge(void *addr, size_t bytes)
{
	return refused(0) ? -ENOMEM : __real_os_want_huge(addr, bytes);
}

int __wrap_os_refuse_huge(void *addr, size_t bytes)
{
	return refused(0) ? -ENOMEM : __real_os_refuse_huge(addr, bytes);
}

/* Never refused: nothing depends on its result but the address space. */
int __wrap_os_unmap(void *addr, size_t bytes)
{
	uncharge(record(addr, NULL, 0));
	return __real_os_unmap(addr, bytes);
}
