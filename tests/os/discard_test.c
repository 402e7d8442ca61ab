/* SPDX-License-Identifier: MIT */
/* Many ranges given back by one call, or one by one where the kernel has no such call. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../testing.h"
#include "os/info.h"
#include "os/mem.h"

#define NR 8U

long __real_syscall(long number, long a, long b, long c, long d, long e);
long __wrap_syscall(long number, long a, long b, long c, long d, long e);
int __real_os_discard(void *addr, size_t bytes);
int __wrap_os_discard(void *addr, size_t bytes);

static unsigned int nr_together, nr_alone;
static int lack;	   /* what the kernel says to the first; 0: what it says */
static unsigned int limit; /* ranges that one call takes; 0: all */

long __wrap_syscall(long number, long a, long b, long c, long d, long e)
{
	nr_together++;
	if (lack) {
		errno = lack;
		return -1;
	}
	return __real_syscall(number, a, b, limit && limit < (unsigned long)c ? (long)limit : c, d, e);
}

int __wrap_os_discard(void *addr, size_t bytes)
{
	nr_alone++;
	return __real_os_discard(addr, bytes);
}

static size_t os_page;
static char *memory;
static struct iovec ranges[NR];
static int errors[NR];

/* Ranges of one to three pages with a page between them, all written to. */
static void setup(void)
{
	os_page = os_page_size();
	memory = os_map(4 * NR * os_page, os_page);
	memset(memory, 0x5a, 4 * NR * os_page);
	for (unsigned int i = 0; i < NR; i++) {
		ranges[i].iov_base = memory + 4 * i * os_page;
		ranges[i].iov_len = (1 + i % 3) * os_page;
		errors[i] = 12345;
	}
	errno = EXDEV;
}

static void teardown(void)
{
	ck_assert_int_eq(errno, EXDEV);
}

static bool kernel_can(void)
{
	struct iovec nothing = { memory, 0 };
	bool can = !__real_syscall(SYS_process_madvise, -10001, (long)&nothing, 1, MADV_DONTNEED, 0);

	errno = EXDEV;
	return can;
}

/* All but @not are gone, and nothing else is. */
static void assert_gone_but(unsigned int not)
{
	for (unsigned int i = 0; i < NR; i++) {
		const char *addr = ranges[i].iov_base;

		if (i != not) {
			ck_assert_int_eq(errors[i], 0);
			ck_assert(all_zero(addr, ranges[i].iov_len));
		}
		ck_assert_int_eq(addr[ranges[i].iov_len], 0x5a);
	}
}

START_TEST(by_one_call)
{
	os_discard_ranges(ranges, NR, errors);
	assert_gone_but(NR);
	ck_assert_uint_eq(nr_together, 1);
	ck_assert_uint_eq(nr_alone, kernel_can() ? 0 : NR);
}
END_TEST

START_TEST(one_is_no_batch)
{
	os_discard_ranges(ranges, 1, errors);
	ck_assert_int_eq(errors[0], 0);
	ck_assert(all_zero(memory, os_page));
	ck_assert_uint_eq(nr_together, 0);
	os_discard_ranges(ranges, 0, errors);
}
END_TEST

/* Refused once, it is not asked again. */
START_TEST(kernels_without_it)
{
	static const int lacks[] = { ENOSYS, EBADF, EPERM, EINVAL };

	lack = lacks[_i];
	for (int turn = 0; turn < 2; turn++) {
		memset(memory, 0x5a, 4 * NR * os_page);
		os_discard_ranges(ranges, NR, errors);
		assert_gone_but(NR);
		ck_assert_uint_eq(nr_together, 1);
		ck_assert_uint_eq(nr_alone, NR * (unsigned int)(turn + 1));
	}
}
END_TEST

START_TEST(a_part_at_a_time)
{
	limit = 3;
	os_discard_ranges(ranges, NR, errors);
	assert_gone_but(NR);
	/* it goes on where the call has stopped, by itself and then by calls again */
	if (kernel_can()) {
		ck_assert_uint_eq(nr_alone, 2);
		ck_assert_uint_eq(nr_together, 2);
	}
}
END_TEST

/* What one range is refused for is its own, and no reason to give up on the others. */
START_TEST(a_locked_range)
{
	unsigned int locked = (unsigned int)_i;

	/* not by mlock(), which sanitizers make a no-op; refused, it leaves nothing to test */
	if (!__real_syscall(SYS_mlock, (long)ranges[locked].iov_base, (long)os_page, 0, 0, 0)) {
		os_discard_ranges(ranges, NR, errors);
		ck_assert_int_eq(errors[locked], -EINVAL);
		assert_gone_but(locked);
		if (kernel_can()) {
			ck_assert_uint_eq(nr_alone, 1 + (locked == NR - 2));
			ck_assert_uint_eq(nr_together, 1 + (locked < NR - 2));
		}
	}
	errno = EXDEV;
}
END_TEST

/* After a fork the call is the child's. */
START_TEST(a_child_discards_its_own)
{
	int status;
	pid_t child;

	os_discard_ranges(ranges, 2, errors);
	memset(memory, 0x5a, 4 * NR * os_page);
	child = fork();
	if (!child) {
		os_discard_ranges(ranges, NR, errors);
		_exit(!all_zero(ranges[2].iov_base, ranges[2].iov_len));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	for (unsigned int i = 0; i < NR; i++)
		ck_assert_int_eq(*(char *)ranges[i].iov_base, 0x5a);
	errno = EXDEV;
}
END_TEST

int main(void)
{
	TCase *tc = test_case("os/discard");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, by_one_call);
	tcase_add_test(tc, one_is_no_batch);
	tcase_add_loop_test(tc, kernels_without_it, 0, 4);
	tcase_add_test(tc, a_part_at_a_time);
	tcase_add_loop_test(tc, a_locked_range, 0, NR);
	tcase_add_test(tc, a_child_discards_its_own);
	return test_run(tc);
}
