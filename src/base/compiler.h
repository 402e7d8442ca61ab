/* SPDX-License-Identifier: MIT */
/*
 * Words for the compiler: the only place that spells GCC attributes.
 */
#ifndef SLABUDDY_BASE_COMPILER_H
#define SLABUDDY_BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define always_inline	inline __attribute__((__always_inline__))
#define noinline	__attribute__((__noinline__))
#define cold		__attribute__((__cold__, __noinline__))
#define format_printf(fmt, args) __attribute__((format(printf, fmt, args)))
#define maybe_unused	__attribute__((__unused__))

/*
 * -fvisibility=hidden is about definitions: a declared variable is still looked up through the table of those
 * that might be elsewhere. This is for variables that fast paths read.
 */
#define hidden		__attribute__((visibility("hidden")))

/* The compiler computes nothing with variable @x earlier than here, so that one register does for it. */
#define not_before_here(x) __asm__ volatile("" : "+r"(x))

/* Every symbol is hidden by default; this marks the few that a symbol map may export. */
#define exported	__attribute__((visibility("default")))

/* What two threads write must not share; SLAB_HWCACHE_ALIGN aligns to it. */
#define CACHE_LINE_BYTES 64

/*
 * For a variable that all threads read and hardly anybody writes, so that it lies in no line with one that is
 * written: among the variables that do not begin as zero, which are all of that kind.
 */
#define read_mostly	__attribute__((__section__(".data.read_mostly")))

/* A sanitizer looks at each access. gcc and clang say so in different ways. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* One TLS word, at a fixed offset from the thread pointer, so that dlopen() always finds room. */
#define thread_local_word _Thread_local __attribute__((tls_model("initial-exec")))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/*
 * Relaxed accesses for a word that another thread may touch at the same time. What makes each of
 * them correct is said where it stands.
 */
#define READ_ONCE(x)	   __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)   __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
/* For a counter that only its lock's holder changes, and others peek at. */
#define ADD_ONCE(x, n)	   WRITE_ONCE(x, (x) + (n))
#define SUB_ONCE(x, n)	   WRITE_ONCE(x, (x) - (n))
#define load_acquire(p)	   __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

#endif
