/* SPDX-License-Identifier: MIT */
#include "os/rseq.h"

#include <errno.h>
#include <sys/auxv.h>

#include "../testing.h"

/* What the kernel says of its rseq; 0: nothing, as before Linux 6.3. */
static unsigned long feature_size;

unsigned long __real_getauxval(unsigned long type);
unsigned long __wrap_getauxval(unsigned long type);

unsigned long __wrap_getauxval(unsigned long type)
{
	/* AT_RSEQ_FEATURE_SIZE, which not all headers have */
	if (type != 27)
		return __real_getauxval(type);
	if (!feature_size)
		errno = ENOENT;
	return feature_size;
}

/* Whether the index is at @offset of the area; true where there are no sequences at all. */
static bool index_is_at(ptrdiff_t offset, bool by_cpu)
{
	struct rseq_place place;

	return !os_rseq_start(&place, by_cpu) || place.index - place.area == offset;
}

START_TEST(which_index)
{
	feature_size = RSEQ_MM_CID + 4;
	ck_assert(index_is_at(RSEQ_MM_CID, false));
	ck_assert(index_is_at(RSEQ_CPU_ID, true));
	feature_size = RSEQ_MM_CID;
	ck_assert(index_is_at(RSEQ_CPU_ID, false));
	feature_size = 0;
	ck_assert(index_is_at(RSEQ_CPU_ID, false));
}
END_TEST

/* free() may be what asks first. */
START_TEST(errno_stays)
{
	struct rseq_place place;

	feature_size = 0;
	errno = EXDEV;
	if (os_rseq_start(&place, false))
		ck_assert(os_rseq_fence());
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("os/rseq");

	tcase_add_test(tc, which_index);
	tcase_add_test(tc, errno_stays);
	return test_run(tc);
}
