/* SPDX-License-Identifier: MIT */
/*
 * The names that programs know. Nothing is decided here: each export is one call, inlined.
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>

#include "base/compiler.h"
#include "malloc/heap.h"
#include "malloc/info.h"
#include "os/info.h"

/* Declared by newer C libraries only. */
exported void free_sized(void *ptr, size_t size);
exported void free_aligned_sized(void *ptr, size_t align, size_t size);
exported void *reallocarray(void *ptr, size_t nr, size_t size);
exported void *aligned_alloc(size_t align, size_t size);
exported int posix_memalign(void **result, size_t align, size_t size);
/* jemalloc's. */
exported size_t nallocx(size_t size, int flags);
exported void sdallocx(void *ptr, size_t size, int flags);
/* Long gone from glibc's headers. */
exported void cfree(void *ptr);

exported void *malloc(size_t size)
{
	return heap_malloc(size);
}

exported void free(void *ptr)
{
	heap_free(ptr);
}

exported void *calloc(size_t nr, size_t size)
{
	return heap_calloc(nr, size);
}

exported void *realloc(void *ptr, size_t size)
{
	return heap_realloc(ptr, size);
}

exported void *reallocarray(void *ptr, size_t nr, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return heap_realloc(ptr, bytes);
}

/* C23: the size and alignment are what the caller believes; they are not needed. */
exported void free_sized(void *ptr, size_t size)
{
	(void)size;
	heap_free(ptr);
}

exported void free_aligned_sized(void *ptr, size_t align, size_t size)
{
	(void)align;
	(void)size;
	heap_free(ptr);
}

exported void cfree(void *ptr)
{
	heap_free(ptr);
}

exported void *aligned_alloc(size_t align, size_t size)
{
	if (!is_power_of_2(align)) {
		errno = EINVAL;
		return NULL;
	}
	return heap_aligned(align, size);
}

exported int posix_memalign(void **result, size_t align, size_t size)
{
	int saved_errno = errno;
	void *ptr;

	if (!is_power_of_2(align) || align % sizeof(void *))
		return EINVAL;
	ptr = heap_aligned(align, size);
	errno = saved_errno;
	if (!ptr)
		return ENOMEM;
	*result = ptr;
	return 0;
}

/* As glibc: an alignment that is no power of two is rounded up to one. */
exported void *memalign(size_t align, size_t size)
{
	if (align > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	return heap_aligned(roundup_pow2(align), size);
}

exported void *valloc(size_t size)
{
	return heap_aligned(os_page_size(), size);
}

exported void *pvalloc(size_t size)
{
	size_t page = os_page_size();

	if (size > SIZE_MAX - page) {
		errno = ENOMEM;
		return NULL;
	}
	return heap_aligned(page, MAX(ALIGN_UP(size, page), page));
}

exported size_t malloc_usable_size(void *ptr)
{
	return heap_usable_size(ptr);
}

/* The low six bits of jemalloc's flags are the logarithm of the alignment. */
exported size_t nallocx(size_t size, int flags)
{
	return heap_good_size((size_t)1 << (flags & 63), size);
}

exported void sdallocx(void *ptr, size_t size, int flags)
{
	(void)size;
	(void)flags;
	heap_free(ptr);
}

exported int malloc_trim(size_t pad)
{
	(void)pad;
	return heap_trim();
}

/* glibc's knobs turn things that are not here; programs only want to hear that it worked. */
exported int mallopt(int param, int value)
{
	(void)value;
	return param == M_MXFAST || (param <= M_TRIM_THRESHOLD && param >= M_ARENA_MAX);
}

exported struct mallinfo2 mallinfo2(void)
{
	struct heap_figures f;

	heap_figures(&f);
	return (struct mallinfo2){
		.arena = f.slab_live_bytes + f.cached_bytes + f.slab_free_bytes + f.large_bytes +
			 f.free_dirty_bytes,
		.ordblks = f.free_objects,
		.hblks = f.huge_blocks,
		.hblkhd = f.huge_bytes,
		.uordblks = f.slab_live_bytes + f.large_bytes,
		.fordblks = f.cached_bytes + f.slab_free_bytes + f.free_dirty_bytes,
		.keepcost = f.free_dirty_bytes,
	};
}

static int as_int(size_t n)
{
	return n > INT32_MAX ? INT32_MAX : (int)n;
}

/* The old one, whose members are too small: they stop at INT_MAX instead of wrapping. */
exported struct mallinfo mallinfo(void)
{
	struct mallinfo2 m = mallinfo2();

	return (struct mallinfo){
		.arena = as_int(m.arena),
		.ordblks = as_int(m.ordblks),
		.hblks = as_int(m.hblks),
		.hblkhd = as_int(m.hblkhd),
		.uordblks = as_int(m.uordblks),
		.fordblks = as_int(m.fordblks),
		.keepcost = as_int(m.keepcost),
	};
}

exported int malloc_info(int options_must_be_zero, FILE *file)
{
	if (options_must_be_zero) {
		errno = EINVAL;
		return -1;
	}
	return heap_write_xml(file);
}

exported void malloc_stats(void)
{
	heap_write_stats(stderr);
}
