/* SPDX-License-Identifier: MIT */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const char *case_name;

TCase *test_case(const char *name)
{
	TCase *tc = tcase_create(name);

	case_name = name;
	tcase_set_timeout(tc, 0);
	return tc;
}

int test_run(TCase *tc)
{
	Suite *suite = suite_create(case_name);
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void say_nothing(struct audit *audit, const char *line)
{
	(void)audit;
	(void)line;
}

unsigned long count_faults(void)
{
	return heap_validate(say_nothing);
}

uint64_t test_seed(void)
{
	const char *wanted = getenv("SLABUDDY_SEED");
	uint64_t seed = wanted ? strtoull(wanted, NULL, 0) : 0;
	struct timespec now;

	if (!seed) {
		clock_gettime(CLOCK_REALTIME, &now);
		seed = (uint64_t)now.tv_sec * 1000000007 ^ (uint64_t)now.tv_nsec ^
		       (uint64_t)getpid() << 32;
	}
	printf("SLABUDDY_SEED=%#llx\n", (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

/* SplitMix64 (Steele, Lea, Flood 2014): any seed is a good one. */
uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

unsigned int random_below(uint64_t *state, unsigned int n)
{
	return (unsigned int)(random_next(state) % n);
}

void fill_bytes(void *ptr, size_t bytes, uint64_t seed)
{
	unsigned char *p = ptr;

	for (size_t done = 0; done < bytes; done += sizeof(seed)) {
		uint64_t word = random_next(&seed);

		memcpy(p + done, &word, MIN(bytes - done, sizeof(word)));
	}
}

bool filled_with(const void *ptr, size_t bytes, uint64_t seed)
{
	const unsigned char *p = ptr;

	for (size_t done = 0; done < bytes; done += sizeof(seed)) {
		uint64_t word = random_next(&seed);

		if (memcmp(p + done, &word, MIN(bytes - done, sizeof(word))))
			return false;
	}
	return true;
}

bool all_zero(const void *ptr, size_t bytes)
{
	const unsigned char *p = ptr;

	/* the first byte is zero, and each one equals the one before it */
	return !bytes || (!p[0] && !memcmp(p, p + 1, bytes - 1));
}

static int memory_fd = -1;
static int stderr_copy;

void stderr_capture(void)
{
	fflush(stderr);
	memory_fd = memfd_create("stderr", MFD_CLOEXEC);
	stderr_copy = dup(STDERR_FILENO);
	ck_assert_int_ge(memory_fd, 0);
	ck_assert_int_ge(stderr_copy, 0);
	ck_assert_int_eq(dup2(memory_fd, STDERR_FILENO), STDERR_FILENO);
}

const char *stderr_captured(void)
{
	static char text[1 << 16];
	ssize_t len;

	fflush(stderr);
	dup2(stderr_copy, STDERR_FILENO);
	close(stderr_copy);
	len = pread(memory_fd, text, sizeof(text) - 1, 0);
	close(memory_fd);
	ck_assert_int_ge(len, 0);
	text[len] = '\0';
	return text;
}

unsigned int count_char(const char *text, char c)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}
