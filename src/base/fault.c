/* SPDX-License-Identifier: MIT */
#include "base/fault.h"

#include <string.h>

#include "base/bits.h"

/* As in the kernel: single pages do not fail unless asked for. */
#define DEFAULT_MIN_ORDER 1

/* A minute of CPU time and a large process: bounds against typing errors only. */
#define MAX_NUMBER 1000000000L

thread_local_word struct fault_answer fault_answer;

struct fault_attr failslab;
struct fault_attr fail_page_alloc = { .min_order = DEFAULT_MIN_ORDER };

/* Uniform in 0 to 99. SplitMix64 (Steele, Lea, Flood 2014), whose state is a counter. */
static unsigned int random_percent(struct fault_attr *attr)
{
	uint64_t z = __atomic_add_fetch(&attr->state, 0x9e3779b97f4a7c15u, __ATOMIC_RELAXED);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (unsigned int)((z >> 32) % 100);
}

/* Count a failure. Return: false when there were enough of them. */
static bool take_time(struct fault_attr *attr)
{
	long times = READ_ONCE(attr->times);

	do {
		if (times <= 0)
			return times < 0;
	} while (!__atomic_compare_exchange_n(&attr->times, &times, times - 1, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

static bool would_fail(struct fault_attr *attr, size_t bytes)
{
	unsigned long probability = READ_ONCE(attr->probability);
	unsigned long interval = READ_ONCE(attr->interval);

	if (!probability || !READ_ONCE(attr->times))
		return false;
	if (READ_ONCE(attr->space) > 0) {
		/* racy between threads: a few bytes more or less */
		__atomic_fetch_sub(&attr->space, (long)MIN(bytes, (size_t)MAX_NUMBER),
				   __ATOMIC_RELAXED);
		return false;
	}
	if (interval > 1 &&
	    __atomic_add_fetch(&attr->calls, 1, __ATOMIC_RELAXED) % interval)
		return false;
	if (random_percent(attr) >= probability)
		return false;
	if (fault_answer.spare) {
		fault_answer.spare--;
		return false;
	}
	return take_time(attr);
}

noinline bool should_fail(struct fault_attr *attr, size_t bytes)
{
	fault_answer.fail = would_fail(attr, bytes);
	return fault_answer.fail;
}

/* A decimal number at *@text, up to @end. Return: false when there is none, or it is out of bounds. */
static bool take_number(const char **text, const char *end, long min, long max, long *number)
{
	bool minus = *text < end && **text == '-';
	const char *p = *text + minus;
	long n = 0;

	if (p == end || *p < '0' || *p > '9')
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (n > MAX_NUMBER)
			return false;
		n = n * 10 + (*p - '0');
	}
	n = minus ? -n : n;
	*text = p;
	*number = n;
	return n >= min && n <= max;
}

static bool take_text(const char **text, const char *end, const char *expected)
{
	size_t len = strlen(expected);

	if ((size_t)(end - *text) < len || memcmp(*text, expected, len))
		return false;
	*text += len;
	return true;
}

bool fault_attr_parse(struct fault_attr *attr, const char *text, size_t len)
{
	const char *end = text + len;
	long interval, probability, space, times, min_order = DEFAULT_MIN_ORDER;

	if (!take_number(&text, end, 0, MAX_NUMBER, &interval) || !take_text(&text, end, ",") ||
	    !take_number(&text, end, 0, 100, &probability) || !take_text(&text, end, ",") ||
	    !take_number(&text, end, 0, MAX_NUMBER, &space) || !take_text(&text, end, ",") ||
	    !take_number(&text, end, -1, MAX_NUMBER, &times))
		return false;
	if (text < end && (!take_text(&text, end, ",min-order=") ||
			   !take_number(&text, end, 0, 63, &min_order)))
		return false;
	if (text < end)
		return false;
	/* the probability last: until then nothing fails by what is half set */
	WRITE_ONCE(attr->probability, 0);
	WRITE_ONCE(attr->interval, (unsigned long)interval);
	WRITE_ONCE(attr->space, space);
	WRITE_ONCE(attr->times, times);
	WRITE_ONCE(attr->min_order, (unsigned long)min_order);
	WRITE_ONCE(attr->calls, 0);
	WRITE_ONCE(attr->state, 0);
	WRITE_ONCE(attr->probability, (unsigned long)probability);
	return true;
}
