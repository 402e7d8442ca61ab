/* SPDX-License-Identifier: MIT */
#include "os/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../testing.h"
#include "os/info.h"

static size_t os_page;

static void setup(void)
{
	os_page = os_page_size();
	/* no call may leave a mark in it, whether it succeeds or fails */
	errno = EXDEV;
}

static void teardown(void)
{
	ck_assert_int_eq(errno, EXDEV);
}

static bool readable(const void *addr)
{
	char byte;

	return os_copy_from_self(&byte, addr, 1);
}

START_TEST(reserve_is_aligned_and_inaccessible)
{
	for (size_t align = os_page; align <= MIB(1024); align *= 2) {
		char *addr = os_reserve(NULL, os_page, align);

		ck_assert_ptr_nonnull(addr);
		ck_assert(IS_ALIGNED((uintptr_t)addr, align));
		ck_assert(!readable(addr));
		ck_assert_int_eq(os_unmap(addr, os_page), 0);
	}
}
END_TEST

START_TEST(aligning_leaves_nothing_behind)
{
	/* the hint makes the first try land on an address that must be given up */
	char *all = os_reserve(NULL, MIB(8), MIB(4));
	char *addr;

	ck_assert_int_eq(os_unmap(all, MIB(8)), 0);
	addr = os_reserve(all + os_page, MIB(1), MIB(1));
	ck_assert(IS_ALIGNED((uintptr_t)addr, MIB(1)));
	ck_assert_int_eq(os_commit(addr, MIB(1)), 0);
	/* what follows it is not part of the mapping */
	ck_assert(!readable(addr + MIB(1)) || !readable(addr - 1));
	ck_assert_int_eq(os_unmap(addr, MIB(1)), 0);
	ck_assert(!readable(addr));
}
END_TEST

START_TEST(hint_is_taken_when_free)
{
	char *addr = os_reserve(NULL, MIB(4), MIB(4));

	ck_assert_int_eq(os_unmap(addr, MIB(4)), 0);
	ck_assert_ptr_eq(os_reserve(addr, MIB(4), MIB(4)), addr);
	/* and ignored when not */
	ck_assert_ptr_ne(os_reserve(addr, MIB(4), MIB(4)), addr);
}
END_TEST

START_TEST(commit_part_of_a_reservation)
{
	char *addr = os_reserve(NULL, 4 * os_page, os_page);

	ck_assert_int_eq(os_commit(addr + os_page, 2 * os_page), 0);
	ck_assert(!readable(addr));
	ck_assert(!readable(addr + 3 * os_page));
	ck_assert(all_zero(addr + os_page, 2 * os_page));
	memset(addr + os_page, 0xff, 2 * os_page);
}
END_TEST

START_TEST(commit_of_nothing_fails)
{
	char *addr = os_reserve(NULL, os_page, os_page);

	ck_assert_int_eq(os_unmap(addr, os_page), 0);
	ck_assert_int_eq(os_commit(addr, os_page), -ENOMEM);
}
END_TEST

START_TEST(map_is_aligned_and_zero)
{
	for (size_t align = os_page; align <= MIB(1024); align *= 4) {
		char *addr = os_map(3 * os_page, align);

		ck_assert_ptr_nonnull(addr);
		ck_assert(IS_ALIGNED((uintptr_t)addr, align));
		ck_assert(all_zero(addr, 3 * os_page));
		memset(addr, 0xff, 3 * os_page);
	}
}
END_TEST

START_TEST(impossible_sizes)
{
	size_t most = ALIGN_DOWN(SIZE_MAX, os_page);

	ck_assert_ptr_null(os_map(most, os_page));
	ck_assert_ptr_null(os_map(most / 2, os_page));
	ck_assert_ptr_null(os_reserve(NULL, most, MIB(64)));
	ck_assert_ptr_null(os_map(os_page, (size_t)1 << 63));
}
END_TEST

START_TEST(discard_reads_zero)
{
	char *addr = os_map(4 * os_page, os_page);

	memset(addr, 0x5a, 4 * os_page);
	ck_assert_int_eq(os_discard(addr + os_page, 2 * os_page), 0);
	ck_assert(all_zero(addr + os_page, 2 * os_page));
	ck_assert_int_eq(addr[os_page - 1], 0x5a);
	ck_assert_int_eq(addr[3 * os_page], 0x5a);
}
END_TEST

START_TEST(discard_of_locked_memory_fails)
{
	char *addr = os_map(os_page, os_page);

	/* not by mlock(), which sanitizers make a no-op; refused, it leaves nothing to test */
	if (!syscall(SYS_mlock, addr, os_page))
		ck_assert_int_eq(os_discard(addr, os_page), -EINVAL);
	errno = EXDEV;
}
END_TEST

START_TEST(remap_keeps_contents)
{
	char *addr = os_map(2 * os_page, os_page);
	char *now;

	fill_bytes(addr, 2 * os_page, 1);
	now = os_remap(addr, 2 * os_page, 1000 * os_page);
	ck_assert_ptr_nonnull(now);
	ck_assert(filled_with(now, 2 * os_page, 1));
	ck_assert(all_zero(now + 2 * os_page, 998 * os_page));
	now = os_remap(now, 1000 * os_page, os_page);
	ck_assert(filled_with(now, os_page, 1));
	ck_assert(!readable(now + os_page));
	/* refused: as it was */
	ck_assert_ptr_null(os_remap(now, os_page, ALIGN_DOWN(SIZE_MAX / 2, os_page)));
	ck_assert(filled_with(now, os_page, 1));
}
END_TEST

START_TEST(resident_bytes)
{
	size_t pages = 1000;
	char *addr = os_map(pages * os_page, os_page);

	/* a huge page would be resident at once */
	madvise(addr, pages * os_page, MADV_NOHUGEPAGE);
	errno = EXDEV;
	ck_assert_uint_eq(os_resident_bytes(addr, pages * os_page), 0);
	for (size_t i = 0; i < pages; i += 2)
		addr[i * os_page] = 1;
	ck_assert_uint_eq(os_resident_bytes(addr, pages * os_page), pages / 2 * os_page);
	ck_assert_uint_eq(os_resident_bytes(addr, 10 * os_page), 5 * os_page);
	ck_assert_int_eq(os_discard(addr, pages * os_page), 0);
	ck_assert_uint_eq(os_resident_bytes(addr, pages * os_page), 0);
	ck_assert_int_eq(os_unmap(addr, pages * os_page), 0);
	ck_assert_uint_eq(os_resident_bytes(addr, pages * os_page), 0);
}
END_TEST

/* What the kernel notes of each mapping: "hg" and "nh" in its VmFlags. */
static bool has_flag(const void *addr, const char *flag)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	unsigned long start, end;
	bool here = false, found = false;
	char line[300];

	ck_assert_ptr_nonnull(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = (uintptr_t)addr >= start && (uintptr_t)addr < end;
		else if (here && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, flag);
	}
	fclose(smaps);
	return found;
}

START_TEST(wishes_for_huge_pages)
{
	char *addr = os_reserve(NULL, MIB(8), MIB(2));
	int error;

	errno = EXDEV;
	error = os_want_huge(addr + MIB(2), MIB(2));
	/* the one error that a kernel without them has */
	ck_assert(!error || error == -EINVAL);
	ck_assert_int_eq(has_flag(addr + MIB(2), " hg"), !error);
	ck_assert(!has_flag(addr, " hg") && !has_flag(addr + MIB(4), " hg"));
	ck_assert_int_eq(os_refuse_huge(addr, MIB(8)), error);
	ck_assert_int_eq(has_flag(addr + MIB(2), " nh"), !error);
	ck_assert(!has_flag(addr + MIB(2), " hg"));
	ck_assert_int_eq(os_unmap(addr, MIB(8)), 0);
	ck_assert_int_lt(os_want_huge(addr, MIB(2)), 0);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(reserve_below_takes_the_highest_place)
{
	uintptr_t limit = (uintptr_t)1 << 32;
	char *first = os_reserve_below(limit, MIB(64));
	char *second = os_reserve_below(limit, MIB(64));
	char *third;

	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_nonnull(second);
	ck_assert(IS_ALIGNED((uintptr_t)first, MIB(64)));
	ck_assert_uint_le((uintptr_t)first + MIB(64), limit);
	ck_assert_uint_lt((uintptr_t)second, (uintptr_t)first);
	ck_assert(!readable(first));
	ck_assert_int_eq(os_commit(first, os_page), 0);
	*first = 1;
	/* a place that was given up is found again */
	ck_assert_int_eq(os_unmap(first, MIB(64)), 0);
	ck_assert_ptr_eq(os_reserve_below(limit, MIB(64)), first);
	/* not above a lower limit */
	third = os_reserve_below((uintptr_t)second, MIB(1));
	ck_assert_ptr_nonnull(third);
	ck_assert_uint_le((uintptr_t)third + MIB(1), (uintptr_t)second);
	/* no room at all */
	ck_assert_ptr_null(os_reserve_below(MIB(1), MIB(1)));
	ck_assert_ptr_null(os_reserve_below(MIB(64), MIB(64)));
}
END_TEST

START_TEST(uncommit_takes_the_memory)
{
	char *addr = os_reserve(NULL, 4 * os_page, os_page);

	ck_assert_int_eq(os_commit(addr, 4 * os_page), 0);
	memset(addr, 1, 4 * os_page);
	ck_assert_int_eq(os_uncommit(addr + os_page, os_page), 0);
	ck_assert(readable(addr));
	ck_assert(!readable(addr + os_page));
	ck_assert(readable(addr + 2 * os_page));
	ck_assert_int_eq(os_commit(addr + os_page, os_page), 0);
	ck_assert(all_zero(addr + os_page, os_page));
	ck_assert_int_eq(os_unmap(addr, 4 * os_page), 0);
	ck_assert_int_eq(os_uncommit(addr, os_page), -ENOMEM);
}
END_TEST

START_TEST(locked_memory_is_there)
{
	const struct rlimit limit = { 2 * os_page, 2 * os_page };
	char *addr = os_map(4 * os_page, os_page);

	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	if (!geteuid())
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	ck_assert_int_eq(os_lock(addr, 2 * os_page), 0);
	ck_assert_uint_eq(os_resident_bytes(addr, 4 * os_page), 2 * os_page);
	/* one page more is too much, and what was locked stays so */
	ck_assert_int_eq(os_lock(addr + 2 * os_page, os_page), -ENOMEM);
	ck_assert_int_eq(os_discard(addr, os_page), -EINVAL);
	ck_assert_int_eq(os_discard(addr + 2 * os_page, os_page), 0);
	/* a part that is not there: none of it is locked */
	ck_assert_int_eq(os_unmap(addr + 3 * os_page, os_page), 0);
	ck_assert_int_eq(syscall(SYS_munlock, addr, 2 * os_page), 0);
	ck_assert_int_eq(os_lock(addr + 2 * os_page, 2 * os_page), -ENOMEM);
	ck_assert_int_eq(os_discard(addr + 2 * os_page, os_page), 0);
}
END_TEST

START_TEST(prefer_node)
{
	char *addr = os_reserve(NULL, MIB(1), MIB(1));
	int error = os_prefer_node(addr, MIB(1), 0);

	/* kernels without NUMA and some containers refuse */
	ck_assert(!error || error == -ENOSYS || error == -EPERM);
	ck_assert_int_eq(os_prefer_node(addr, MIB(1), OS_MAX_NODES), -EINVAL);
	/* one bit more or less in the mask, and the last number would not be known */
	if (!error)
		ck_assert_int_eq(os_prefer_node(addr, MIB(1), OS_MAX_NODES - 1), -EINVAL);
	ck_assert_int_eq(os_commit(addr, MIB(1)), 0);
	addr[MIB(1) - 1] = 1;
}
END_TEST

int main(void)
{
	TCase *tc = test_case("os/mem");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, reserve_is_aligned_and_inaccessible);
	tcase_add_test(tc, aligning_leaves_nothing_behind);
	tcase_add_test(tc, hint_is_taken_when_free);
	tcase_add_test(tc, commit_part_of_a_reservation);
	tcase_add_test(tc, commit_of_nothing_fails);
	tcase_add_test(tc, map_is_aligned_and_zero);
	tcase_add_test(tc, impossible_sizes);
	tcase_add_test(tc, discard_reads_zero);
	tcase_add_test(tc, discard_of_locked_memory_fails);
	tcase_add_test(tc, remap_keeps_contents);
	tcase_add_test(tc, resident_bytes);
	tcase_add_test(tc, wishes_for_huge_pages);
	tcase_add_test(tc, reserve_below_takes_the_highest_place);
	tcase_add_test(tc, uncommit_takes_the_memory);
	tcase_add_test(tc, locked_memory_is_there);
	tcase_add_test(tc, prefer_node);
	return test_run(tc);
}
