/* SPDX-License-Identifier: MIT */
#include "model/block.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/bits.h"
#include "malloc/heap.h"

_Noreturn void model_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("model: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

/*
 * Every word of a small block is marked; of larger ones a word a cache line, or two a page, or one
 * in 64 KiB, since page faults would be all that a test does otherwise.
 */
static size_t stride_words(size_t usable)
{
	return usable <= KIB(4) ? 1 : usable <= MIB(1) ? 8 : usable <= MIB(8) ? 256 : 8192;
}

static uint64_t word_of(const struct block *block, size_t index)
{
	return (block->id + index) * 0x9e3779b97f4a7c15u;
}

static void mark(struct block *block)
{
	uint64_t *words = (uint64_t *)(void *)block->ptr;
	size_t nr = block->usable / sizeof(*words);
	size_t stride = stride_words(block->usable);

	for (size_t i = 0; i < nr; i += stride)
		words[i] = word_of(block, i);
	words[nr - 1] = word_of(block, nr - 1);
}

/* The marks of @block in its first @bytes, found at @ptr. */
static void check_marks(const struct block *block, const char *ptr, size_t bytes)
{
	const uint64_t *words = (const uint64_t *)(const void *)ptr;
	size_t nr = bytes / sizeof(*words);
	size_t stride = stride_words(block->usable);

	for (size_t i = 0; i < nr; i += stride) {
		if (words[i] != word_of(block, i))
			model_fail("block %p of %zu bytes: byte %zu was overwritten", (void *)block->ptr,
				   block->size, i * sizeof(*words));
	}
	if (bytes == block->usable && words[nr - 1] != word_of(block, nr - 1))
		model_fail("block %p of %zu bytes: its end was overwritten", (void *)block->ptr,
			   block->size);
}

static void check_zero(const struct block *block)
{
	const uint64_t *words = (const uint64_t *)(const void *)block->ptr;
	size_t stride = block->size <= KIB(64) ? 1 : stride_words(block->size);

	for (size_t i = 0; i < block->size / sizeof(*words); i += stride) {
		if (words[i])
			model_fail("calloc(%zu) at %p: byte %zu is not zero", block->size,
				   (void *)block->ptr, i * sizeof(*words));
	}
	for (size_t i = block->size & ~(size_t)7; i < block->size; i++) {
		if (block->ptr[i])
			model_fail("calloc(%zu) at %p: byte %zu is not zero", block->size,
				   (void *)block->ptr, i);
	}
}

static void check_shape(const struct block *block)
{
	if (!IS_ALIGNED((uintptr_t)block->ptr, MAX(block->align, 16)))
		model_fail("%p is no multiple of %zu", (void *)block->ptr, block->align);
	if (block->usable < block->size || !block->usable || block->usable % 16)
		model_fail("usable size %zu for %zu bytes", block->usable, block->size);
}

static uint64_t next_id(void)
{
	static uint64_t last;

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED) << 32;
}

void block_born(struct block *block, void *ptr, size_t size, size_t align, bool zeroed)
{
	if (!ptr)
		model_fail("no memory for %zu bytes: %s", size, strerror(errno));
	*block = (struct block){ .ptr = ptr, .size = size, .align = align, .id = next_id() };
	block->usable = heap_usable_size(ptr);
	check_shape(block);
	if (zeroed)
		check_zero(block);
	mark(block);
}

void block_check(const struct block *block)
{
	if (heap_usable_size(block->ptr) != block->usable)
		model_fail("block %p: usable size was %zu and is %zu", (void *)block->ptr,
			   block->usable, heap_usable_size(block->ptr));
	check_marks(block, block->ptr, block->usable);
}

void block_free(struct block *block)
{
	block_check(block);
	errno = E2BIG;
	heap_free(block->ptr);
	if (errno != E2BIG)
		model_fail("free changed errno to %d", errno);
	block->ptr = NULL;
}

void block_move(struct block *block)
{
	void *now;

	block_check(block);
	now = heap_move(block->ptr);
	if (!now)
		return;
	if (now == block->ptr)
		model_fail("block %p was moved to where it was", now);
	block->ptr = now;
	check_shape(block);
	block_check(block);
}

bool block_try_realloc(struct block *block, size_t size)
{
	char *now;

	block_check(block);
	now = heap_realloc(block->ptr, size);
	if (!size && now)
		model_fail("realloc to 0 bytes returned %p", (void *)now);
	if (!size) {
		block->ptr = NULL;
		return true;
	}
	if (!now) {
		block_check(block);
		return false;
	}
	check_marks(block, now, MIN(block->usable, size));
	block_born(block, now, size, 16, false);
	return true;
}

void block_realloc(struct block *block, size_t size)
{
	if (!block_try_realloc(block, size))
		model_fail("no memory to make %zu bytes %zu: %s", block->usable, size,
			   strerror(errno));
}
