/* SPDX-License-Identifier: MIT */
/*
 * C++'s operators new and delete, by their mangled names.
 *
 * A failing new calls the program's new_handler until that gives up, then throws std::bad_alloc.
 * C cannot throw, so libstdc++ does it for us; this file is compiled with -fexceptions so that what
 * it throws gets through. Nor can C catch what a handler throws, which the nothrow forms must; so
 * when one of them finds no memory it calls libstdc++'s own, which catches, around a call of our
 * throwing form. In a process without libstdc++ nobody can throw or catch anything.
 */
#include <dlfcn.h>
#include <stddef.h>

#include "base/check.h"
#include "base/compiler.h"
#include "malloc/heap.h"

typedef void (*new_handler)(void);

/* std::get_new_handler() and std::__throw_bad_alloc(), if libstdc++ is there. */
extern new_handler std_get_new_handler(void) __asm__("_ZSt15get_new_handlerv") exported
	__attribute__((weak));
extern void std_throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv") exported
	__attribute__((weak, noreturn));

/* std::nothrow_t is an empty class, passed by reference. */
struct nothrow;

/*
 * A C++ extension of a C program brings libstdc++ after our references were resolved, and in a scope
 * of its own.
 */
static cold void *late_symbol(const char *name)
{
	void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);

	return library ? dlsym(library, name) : NULL;
}

static cold new_handler current_handler(void)
{
	new_handler (*get)(void) = std_get_new_handler;

	if (!get)
		*(void **)&get = late_symbol("_ZSt15get_new_handlerv");
	return get ? get() : NULL;
}

/* The new_handler may free something. Return: false when there is none, so that it is over. */
static cold bool handler_helped(void)
{
	new_handler handler = current_handler();

	if (!handler)
		return false;
	handler();
	return true;
}

static cold _Noreturn void throw_bad_alloc(size_t size)
{
	void (*throw)(void) = std_throw_bad_alloc;

	if (!throw)
		*(void **)&throw = late_symbol("_ZSt17__throw_bad_allocv");
	if (throw)
		throw();
	fatal("operator new of %zu bytes failed, and there is no libstdc++ to throw bad_alloc", size);
}

static noinline void *new_slow(size_t align, size_t size)
{
	void *ptr;

	while (!(ptr = heap_aligned(align, size))) {
		if (!handler_helped())
			throw_bad_alloc(size);
	}
	return ptr;
}

static always_inline void *new_plain(size_t size)
{
	void *ptr = heap_malloc(size);

	return likely(ptr) ? ptr : new_slow(1, size);
}

static always_inline void *new_aligned(size_t align, size_t size)
{
	void *ptr = heap_aligned(align, size);

	return likely(ptr) ? ptr : new_slow(align, size);
}

/* libstdc++'s version of one of our names, however libstdc++ came. */
static cold void *libstdcxx(const char *name)
{
	void *next = dlsym(RTLD_NEXT, name);

	return next ? next : late_symbol(name);
}

static cold void *nothrow_slow(const char *name, size_t size, const struct nothrow *tag)
{
	void *(*next)(size_t, const struct nothrow *);

	*(void **)&next = libstdcxx(name);
	return next ? next(size, tag) : NULL;
}

static cold void *nothrow_aligned_slow(const char *name, size_t size, size_t align,
				       const struct nothrow *tag)
{
	void *(*next)(size_t, size_t, const struct nothrow *);

	*(void **)&next = libstdcxx(name);
	return next ? next(size, align, tag) : NULL;
}

static always_inline void *new_nothrow(const char *name, size_t size, const struct nothrow *tag)
{
	void *ptr = heap_malloc(size);

	return likely(ptr) ? ptr : nothrow_slow(name, size, tag);
}

static always_inline void *new_nothrow_aligned(const char *name, size_t size, size_t align,
					       const struct nothrow *tag)
{
	void *ptr = heap_aligned(align, size);

	return likely(ptr) ? ptr : nothrow_aligned_slow(name, size, align, tag);
}

/* Sizes and alignments of delete are what the caller believes; they are not needed. */
#define NEW(name, params, call)						\
	exported void *name params;					\
	exported void *name params					\
	{								\
		return call;						\
	}
#define DELETE(name, params)						\
	exported void name params;					\
	exported void name params					\
	{								\
		heap_free(ptr);						\
	}

#define NEWS(op)									\
	NEW(op##m, (size_t size), new_plain(size))					\
	NEW(op##mRKSt9nothrow_t, (size_t size, const struct nothrow *tag),		\
	    new_nothrow(#op "mRKSt9nothrow_t", size, tag))				\
	NEW(op##mSt11align_val_t, (size_t size, size_t align), new_aligned(align, size))	\
	NEW(op##mSt11align_val_tRKSt9nothrow_t,						\
	    (size_t size, size_t align, const struct nothrow *tag),			\
	    new_nothrow_aligned(#op "mSt11align_val_tRKSt9nothrow_t", size, align, tag))

#define DELETES(op)									\
	DELETE(op##Pv, (void *ptr))							\
	DELETE(op##PvRKSt9nothrow_t, (void *ptr, maybe_unused const struct nothrow *tag)) \
	DELETE(op##Pvm, (void *ptr, maybe_unused size_t size))				\
	DELETE(op##PvSt11align_val_t, (void *ptr, maybe_unused size_t align))		\
	DELETE(op##PvmSt11align_val_t,							\
	       (void *ptr, maybe_unused size_t size, maybe_unused size_t align))	\
	DELETE(op##PvSt11align_val_tRKSt9nothrow_t,					\
	       (void *ptr, maybe_unused size_t align, maybe_unused const struct nothrow *tag))

NEWS(_Znw)
NEWS(_Zna)
DELETES(_Zdl)
DELETES(_Zda)
