/* SPDX-License-Identifier: MIT */
/*
 * operator new at the memory limit of the environment: what is free makes room, then new_handler is called, then
 * bad_alloc is thrown; and the process holds no more than the limit allows.
 */
#include <cstdio>
#include <cstring>
#include <new>

#include <sys/resource.h>

static const size_t limit = 64UL << 20;
static const size_t block = 3UL << 20;

static char *blocks[64];
static unsigned int nr_blocks;
static unsigned int handled;

/* A block may be freed twice over; then it is over. */
static void handler()
{
	if (++handled > 2)
		std::set_new_handler(nullptr);
	else
		delete[] blocks[--nr_blocks];
}

static char *filled(size_t size)
{
	return static_cast<char *>(memset(new char[size], 1, size));
}

static int fail(const char *what)
{
	std::printf("%s: %u blocks, %u handled\n", what, nr_blocks, handled);
	return 1;
}

int main()
{
	static char *small[30000];
	struct rusage usage;
	bool thrown = false;

	/* 30 MB of one kind, free again */
	for (char *&p : small)
		p = filled(1000);
	for (char *&p : small)
		delete[] p;
	try {
		while (nr_blocks < 64) {
			blocks[nr_blocks] = filled(block);
			nr_blocks++;
		}
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	if (!thrown || nr_blocks * block > limit || nr_blocks * block < limit - limit / 8)
		return fail("fill");
	if (new (std::nothrow) char[block])
		return fail("nothrow");
	std::set_new_handler(handler);
	blocks[nr_blocks++] = filled(2 * block - 100000);
	if (handled != 2)
		return fail("handler");
	try {
		filled(block);
		return fail("second fill");
	} catch (const std::bad_alloc &) {
	}
	getrusage(RUSAGE_SELF, &usage);
	/* the program, its libraries and the C++ library beside the heap: 8 MiB */
	if (static_cast<size_t>(usage.ru_maxrss) * 1024 > limit + (8UL << 20))
		return fail("resident");
	std::puts("good");
	return 0;
}
