/* SPDX-License-Identifier: MIT */
/*
 * The sequences of percpu.h when nothing interrupts them: they need no kernel for that, only something that
 * stands for the area which it would serve.
 */
#include "slab/percpu.h"
#include "../testing.h"

enum { TAG = TAG_FIRST_CACHE, ROOM = 3 };

static struct {
	_Alignas(32) uint32_t words[8];
} area;

static struct slot slot;
static void *objects[ROOM + 1];
static struct slot_cache *const sc = &slot.cache[TAG];
static const size_t group = offsetof(struct slot, self), sheaf = TAG * sizeof(struct slot_cache);

static uint32_t *processor(void)
{
	return &area.words[RSEQ_CPU_ID / sizeof(uint32_t)];
}

static void setup(void)
{
	percpu_rseq.area = (ptrdiff_t)((uintptr_t)&area - thread_identity());
	percpu_rseq.index = percpu_rseq.area + RSEQ_CPU_ID;
	*processor() = 5;
	percpu_slots[5] = &slot;
	slot.self = &slot;
	slot.cpu = 5;
	sc->objects = objects;
	sc->capacity = ROOM;
}

static void *nth(uintptr_t n)
{
	return (void *)(n * 16);
}

START_TEST(last_in_first_out)
{
	for (uintptr_t n = 1; n <= ROOM; n++)
		ck_assert(percpu_put(group, sheaf, nth(n)));
	ck_assert_uint_eq(sc->count, ROOM);
	ck_assert_uint_eq(sc->capacity, ROOM);
	ck_assert(!percpu_put(group, sheaf, nth(4)));
	ck_assert_uint_eq(sc->count, ROOM);
	ck_assert_ptr_null(objects[ROOM]);
	for (uintptr_t n = ROOM; n >= 1; n--)
		ck_assert_ptr_eq(percpu_take(group, sheaf), nth(n));
	ck_assert_ptr_null(percpu_take(group, sheaf));
	ck_assert_uint_eq(sc->count, 0);
	ck_assert_uint_eq(sc->capacity, ROOM);
}
END_TEST

/* No slot, none of that group, no processor: nothing is done, and nothing else is read. */
START_TEST(no_way_to_a_sheaf)
{
	ck_assert(percpu_put(group, sheaf, nth(1)));
	percpu_slots[5] = NULL;
	ck_assert_ptr_null(percpu_take(group, sheaf));
	ck_assert(!percpu_put(group, sheaf, nth(2)));
	percpu_slots[5] = &slot;
	slot.self = NULL;
	ck_assert_ptr_null(percpu_take(group, sheaf));
	ck_assert(!percpu_put(group, sheaf, nth(2)));
	slot.self = &slot;
	*processor() = OS_MAX_CPUS;
	ck_assert_ptr_null(percpu_take(group, sheaf));
	*processor() = UINT32_MAX;
	ck_assert(!percpu_put(group, sheaf, nth(2)));
	*processor() = 5;
	ck_assert_uint_eq(sc->count, 1);
	ck_assert_ptr_eq(percpu_take(group, sheaf), nth(1));
}
END_TEST

START_TEST(closed_on_its_processor_only)
{
	uint64_t state = 1;

	ck_assert(percpu_put(group, sheaf, nth(1)));
	*processor() = 4;
	ck_assert(!percpu_close(&slot, sc, &state));
	ck_assert_uint_eq(state, 0);
	ck_assert_uint_eq(sc->count, 1);
	*processor() = 5;
	ck_assert(percpu_close(&slot, sc, &state));
	ck_assert_uint_eq(state, (uint64_t)ROOM << 32 | 1);
	ck_assert_uint_eq(sc->state, 0);
	ck_assert_ptr_null(percpu_take(group, sheaf));
	ck_assert(!percpu_put(group, sheaf, nth(2)));
	ck_assert_ptr_eq(objects[0], nth(1));
}
END_TEST

int main(void)
{
	TCase *tc = test_case("slab/sequence");

#ifdef PERCPU_MISSING
	return 77; /* skipped: there are none for this architecture */
#endif
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, last_in_first_out);
	tcase_add_test(tc, no_way_to_a_sheaf);
	tcase_add_test(tc, closed_on_its_processor_only);
	return test_run(tc);
}
