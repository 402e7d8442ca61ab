/* SPDX-License-Identifier: MIT */
/* Two threads that map memory for metadata at the same time: both chunks are used up. */
#include <pthread.h>

#include "../testing.h"
#include "os/mem.h"
#include "page/meta.h"
#include "page/page.h"

void *__real_os_map(size_t bytes, size_t align);
void *__wrap_os_map(size_t bytes, size_t align);

static bool armed;
static size_t other_wants;

static void *be_other(maybe_unused void *arg)
{
	return meta_alloc(other_wants);
}

/* While the first thread is here, another one comes and goes all the way. */
void *__wrap_os_map(size_t bytes, size_t align)
{
	if (armed) {
		pthread_t thread;
		void *piece;

		armed = false;
		ck_assert_int_eq(pthread_create(&thread, NULL, be_other, NULL), 0);
		pthread_join(thread, &piece);
		ck_assert_ptr_nonnull(piece);
	}
	return __real_os_map(bytes, align);
}

/* All that is at hand, the largest pieces first. */
static void use_up(void)
{
	for (size_t bytes = MIB(1); bytes >= 64; bytes /= 2) {
		while (meta_alloc_cached(bytes))
			;
	}
}

/* Sizes that make the chunks equal, and each of the two the larger one. */
static const struct {
	size_t one, other;
} wanted[] = { { 64, 64 }, { 64, KIB(512) }, { KIB(512), 64 }, { MIB(1), KIB(512) } };

START_TEST(both_are_kept)
{
	armed = true;
	other_wants = wanted[_i].other;
	ck_assert_ptr_nonnull(meta_alloc(wanted[_i].one));
	ck_assert(!armed);
	use_up();
	/* but for what alignment leaves unused in each */
	ck_assert_uint_ge(meta_used_bytes() + 2 * PAGE_SIZE, meta_mapped_bytes());
	ck_assert_uint_le(meta_used_bytes(), meta_mapped_bytes());
}
END_TEST

int main(void)
{
	TCase *tc = test_case("page/meta_race");

	tcase_add_loop_test(tc, both_are_kept, 0, ARRAY_SIZE(wanted));
	return test_run(tc);
}
