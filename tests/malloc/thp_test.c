/* SPDX-License-Identifier: MIT */
/*
 * Huge pages as the kernel gives them, by what /proc/self/smaps says of the heap's mappings. A
 * first touch takes no time here: what the machine's huge pages cost is another matter, see
 * tests/buddy/thp_test.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../testing.h"
#include "base/option.h"
#include "base/vm_event.h"
#include "malloc/heap.h"
#include "os/info.h"
#include "os/mem.h"
#include "page/page.h"

uint64_t __wrap_os_thread_cpu_ns(void);

uint64_t __wrap_os_thread_cpu_ns(void)
{
	return 0;
}

static bool kernel_has_them(void)
{
	char text[100] = "";
	int fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		perror("transparent_hugepage/enabled");
	close(fd);
	return strstr(text, "[madvise]") || strstr(text, "[always]");
}

/* Bytes in huge pages, of the mapping around an address. */
static size_t huge_bytes_around(const void *addr)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	unsigned long start, end, kib;
	bool here = false;
	char line[300];
	size_t sum = 0;

	ck_assert_ptr_nonnull(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = (uintptr_t)addr >= start && (uintptr_t)addr < end;
		else if (here && sscanf(line, "AnonHugePages: %lu", &kib) == 1)
			sum = kib << 10;
	}
	fclose(smaps);
	return sum;
}

static char *written(size_t bytes)
{
	char *p = heap_malloc(bytes);

	ck_assert_ptr_nonnull(p);
	memset(p, 1, bytes);
	return p;
}

/* A heap in which large blocks ask, with as much trust as there can be. */
static void large_heap(void)
{
	for (int i = 0; i < 10; i++)
		written(MIB(20));
}

START_TEST(large_blocks_have_them)
{
	char *p;

	large_heap();
	p = written(MIB(20));
	/* all but the ends */
	ck_assert_uint_ge(huge_bytes_around(p + MIB(10)), MIB(16));
	/* a mapping of its own */
	p = written(MIB(80));
	ck_assert_uint_ge(huge_bytes_around(p + MIB(10)), MIB(64));
	ck_assert_uint_eq(vm_event_read(VM_THP_REFUSED), 0);
	assert_heap_sound();
}
END_TEST

/* What is asked for as zero may be a table of which little is used. */
START_TEST(calloc_takes_nothing_that_is_not_touched)
{
	static const size_t sizes[] = { MIB(20), MIB(80) };

	large_heap();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *p = heap_calloc(1, sizes[i]);

		ck_assert_ptr_nonnull(p);
		p[sizes[i] / 2] = 1;
		p = (char *)ALIGN_DOWN((uintptr_t)p, PAGE_SIZE);
		ck_assert_uint_le(os_resident_bytes(p, sizes[i]), MIB(1));
	}
}
END_TEST

#define NR_OBJECTS 400000U

static void *objects[NR_OBJECTS];

/* Objects of 64 to 512 bytes, 115 MiB: what is huge is full, and no more resident than without. */
START_TEST(full_slabs_have_them)
{
	uint64_t rng = 1;
	size_t huge = 0;

	for (unsigned int i = 0; i < NR_OBJECTS; i++) {
		size_t size = 64 + random_below(&rng, 449);

		objects[i] = heap_malloc(size);
		memset(objects[i], 1, size);
		huge += size;
	}
	ck_assert_uint_ge(vm_event_read(VM_THP_ASK), 10);
	ck_assert_uint_ge(huge_bytes_around(objects[NR_OBJECTS - 1]), MIB(10));
	/* a small one never, and not what was there before the heap was large */
	ck_assert_uint_lt(huge_bytes_around(objects[0]), huge);

	/* what most of is free goes back, whatever it was */
	for (unsigned int i = 0; i < NR_OBJECTS; i++) {
		if (i % 4096)
			heap_free(objects[i]);
	}
	heap_trim();
	ck_assert_uint_ge(vm_event_read(VM_THP_BREAK_UP), 10);
	ck_assert_uint_eq(huge_bytes_around(objects[4096 * 97]), 0);
	assert_heap_sound();
}
END_TEST

START_TEST(never)
{
	char *p;

	options.thp = THP_NEVER;
	large_heap();
	p = written(MIB(20));
	ck_assert_uint_eq(huge_bytes_around(p + MIB(10)), 0);
	p = written(MIB(80));
	ck_assert_uint_eq(huge_bytes_around(p + MIB(10)), 0);
	ck_assert_uint_eq(vm_event_read(VM_THP_ASK), 0);
}
END_TEST

START_TEST(always)
{
	char *p;

	options.thp = THP_ALWAYS;
	p = written(MIB(4));
	ck_assert_uint_ge(huge_bytes_around(p + MIB(2)), MIB(2));
	p = written(MIB(80));
	ck_assert_uint_ge(huge_bytes_around(p + MIB(10)), MIB(76));
	ck_assert_uint_eq(vm_event_read(VM_THP_BREAK_UP), 0);
}
END_TEST

/* Parent and child have each their own. */
START_TEST(fork_copies_them)
{
	int status;
	char *p;
	pid_t pid;

	large_heap();
	p = written(MIB(20));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		memset(p, 2, MIB(10));
		heap_free(p);
		heap_trim();
		_exit(heap_validate(NULL) || *written(MIB(20)) != 1);
	}
	memset(p + MIB(10), 3, MIB(10));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(p[0] == 1 && p[MIB(10) - 1] == 1 && p[MIB(10)] == 3);
	assert_heap_sound();
}
END_TEST

int main(void)
{
	TCase *tc = test_case("malloc/thp");

	if (!kernel_has_them() || os_page_size() != PAGE_SIZE) {
		puts("this kernel has no transparent huge pages of 2 MiB");
		return 77;
	}
	tcase_add_test(tc, large_blocks_have_them);
	tcase_add_test(tc, calloc_takes_nothing_that_is_not_touched);
	tcase_add_test(tc, full_slabs_have_them);
	tcase_add_test(tc, never);
	tcase_add_test(tc, always);
	tcase_add_test(tc, fork_copies_them);
	return test_run(tc);
}
