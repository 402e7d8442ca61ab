/* SPDX-License-Identifier: MIT */
#include "malloc/foreign.h"

#include <dlfcn.h>
#include <errno.h>

#include "base/bits.h"
#include "os/info.h"
#include "slab/report.h"

/* What stands before a block of glibc's heap: two words, the low bits of the second being flags. */
struct glibc_chunk {
	size_t prev_size;
	size_t size;
};

#define GLIBC_IS_MMAPPED 0x2UL
#define GLIBC_NON_MAIN_ARENA 0x4UL
#define GLIBC_FLAGS 0x7UL

/* A thread's arena starts at a multiple of this with a pointer to the arena. */
#define GLIBC_HEAP_BYTES MIB(64)

static bool is_mapped_chunk(uintptr_t addr, const struct glibc_chunk *chunk)
{
	size_t bytes = chunk->size & ~GLIBC_FLAGS;
	uintptr_t start = addr - sizeof(*chunk) - chunk->prev_size;

	return chunk->size & GLIBC_IS_MMAPPED && bytes && IS_ALIGNED(start, os_page_size()) &&
	       IS_ALIGNED(bytes + chunk->prev_size, os_page_size());
}

static bool is_arena_chunk(uintptr_t addr, const struct glibc_chunk *chunk)
{
	uintptr_t heap = ALIGN_DOWN(addr, GLIBC_HEAP_BYTES);
	size_t bytes = chunk->size & ~GLIBC_FLAGS;
	uintptr_t words[4]; /* arena, previous heap, size, bytes that may be used */
	uintptr_t first_byte;

	if (!(chunk->size & GLIBC_NON_MAIN_ARENA) || chunk->size & GLIBC_IS_MMAPPED || !bytes)
		return false;
	if (!os_copy_from_self(words, (const void *)heap, sizeof(words)))
		return false;
	return words[0] && IS_ALIGNED(words[0], sizeof(void *)) && words[2] <= GLIBC_HEAP_BYTES &&
	       words[2] <= words[3] && addr - heap + bytes <= words[2] + sizeof(*chunk) &&
	       os_copy_from_self(&first_byte, (const void *)words[0], sizeof(first_byte));
}

/* glibc's main heap is the brk() heap; nobody else is known to use that. */
static bool looks_like_libc(void *ptr)
{
	uintptr_t addr = (uintptr_t)ptr;
	struct glibc_chunk chunk;

	if (!IS_ALIGNED(addr, 2 * sizeof(void *)) || addr < sizeof(chunk))
		return false;
	if (os_in_brk_heap(ptr))
		return true;
	if (!os_copy_from_self(&chunk, (const void *)(addr - sizeof(chunk)), sizeof(chunk)))
		return false;
	return is_mapped_chunk(addr, &chunk) || is_arena_chunk(addr, &chunk);
}

static void *next_in_line(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static const char not_ours[] = "not from this heap";

void foreign_free(void *ptr)
{
	int saved_errno = errno;
	void (*next)(void *) = NULL;

	if (looks_like_libc(ptr))
		*(void **)&next = next_in_line("free");
	if (next)
		next(ptr);
	else
		report_bad_free(ptr, not_ours);
	errno = saved_errno;
}

void *foreign_realloc(void *ptr, size_t size)
{
	void *(*next)(void *, size_t) = NULL;

	if (looks_like_libc(ptr))
		*(void **)&next = next_in_line("realloc");
	if (next)
		return next(ptr, size);
	report_bad_free(ptr, not_ours);
	errno = ENOMEM;
	return NULL;
}

size_t foreign_usable_size(void *ptr)
{
	size_t (*next)(void *) = NULL;

	if (looks_like_libc(ptr))
		*(void **)&next = next_in_line("malloc_usable_size");
	return next ? next(ptr) : 0;
}
