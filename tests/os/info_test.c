/* SPDX-License-Identifier: MIT */
#include "os/info.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../testing.h"

START_TEST(machine)
{
	cpu_set_t set;

	errno = EXDEV;
	ck_assert_uint_eq(os_page_size(), (size_t)sysconf(_SC_PAGESIZE));
	ck_assert_uint_eq(os_process_id(), (unsigned long)getpid());
	ck_assert(!os_is_secure());
	if (!sched_getaffinity(0, sizeof(set), &set))
		ck_assert_uint_eq(os_nr_cpus(), (unsigned int)CPU_COUNT(&set));
	ck_assert_uint_ge(os_nr_cpus(), 1);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(cpus_follow_the_affinity)
{
	cpu_set_t all, one;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++) {
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	}
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	ck_assert_uint_eq(os_nr_cpus(), 1);
}
END_TEST

START_TEST(copy_from_self)
{
	size_t page = os_page_size();
	char *addr =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char text[8] = "";

	memcpy(addr + page - 8, "letters", 8);
	munmap(addr + page, page);
	errno = EXDEV;
	ck_assert(os_copy_from_self(text, addr + page - 8, 8));
	ck_assert_str_eq(text, "letters");
	/* half of it is not there */
	ck_assert(!os_copy_from_self(text, addr + page - 4, 8));
	ck_assert(!os_copy_from_self(text, NULL, 8));
	ck_assert(!os_copy_from_self(text, (void *)~(uintptr_t)15, 8));
	ck_assert(!os_copy_from_self(text, (void *)((uintptr_t)1 << 63), 8));
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* Where the brk() heap begins; the library may have marked its end before a test runs, glibc's malloc has not used it then. */
static char *start_of_brk(void)
{
	unsigned long start = 0;
	FILE *stat = fopen("/proc/self/stat", "r");

	ck_assert_ptr_nonnull(stat);
	/* the 47th, see proc(5); the name, the 2nd, has no blank */
	for (int field = 1; field < 47; field++)
		ck_assert_int_eq(fscanf(stat, "%*s"), 0);
	ck_assert_int_eq(fscanf(stat, "%lu", &start), 1);
	fclose(stat);
	return (char *)start;
}

START_TEST(brk_heap)
{
	char *before;
	int local;

	os_mark_brk_heap();
	before = sbrk(0);
	ck_assert_ptr_ne(sbrk(65536), (void *)-1);
	ck_assert(os_in_brk_heap(before + 4096));
	ck_assert(!os_in_brk_heap(start_of_brk()));
	ck_assert(!os_in_brk_heap(start_of_brk() - 1));
	ck_assert(!os_in_brk_heap(before + 65536));
	ck_assert(!os_in_brk_heap(&local));
	ck_assert(!os_in_brk_heap(NULL));
}
END_TEST

START_TEST(write_file)
{
	char dir[] = "/tmp/slabuddy-info-test-XXXXXX";
	char path[100], link[100], text[10] = "";
	struct stat st;
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	errno = EXDEV;
	ck_assert_int_eq(os_write_file(path, "long text", 9), 0);
	ck_assert_int_eq(os_write_file(path, "text", 4), 0);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 4);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	fclose(file);
	ck_assert_str_eq(text, "text");

	errno = EXDEV;
	ck_assert_int_eq(os_write_file(dir, "text", 4), -EISDIR);
	ck_assert_int_eq(os_write_file("/nonsense/file", "text", 4), -ENOENT);
	ck_assert_int_eq(errno, EXDEV);
	/* somebody else's link must not lead anywhere */
	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert_int_eq(os_write_file(link, "evil", 4), -ELOOP);
	unlink(link);
	unlink(path);
	rmdir(dir);
}
END_TEST

START_TEST(write_file_to_a_full_device)
{
	ck_assert_int_eq(os_write_file("/dev/full", "text", 4), -ENOSPC);
}
END_TEST

START_TEST(nodes)
{
	unsigned int found[4] = { 77, 77, 77, 77 };
	unsigned int nr;

	errno = EXDEV;
	nr = os_allowed_nodes(found, 1);
	ck_assert_uint_eq(found[1], 77);
	if (nr)
		ck_assert_uint_lt(found[0], OS_MAX_NODES);
	ck_assert_uint_eq(os_allowed_nodes(found, 0), nr);
	ck_assert_uint_lt(os_current_node(), OS_MAX_NODES);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

int main(void)
{
	TCase *tc = test_case("os/info");

	tcase_add_test(tc, machine);
	tcase_add_test(tc, nodes);
	tcase_add_test(tc, cpus_follow_the_affinity);
	tcase_add_test(tc, copy_from_self);
	tcase_add_test(tc, brk_heap);
	tcase_add_test(tc, write_file);
	tcase_add_test(tc, write_file_to_a_full_device);
	return test_run(tc);
}
