/* SPDX-License-Identifier: MIT */
/*
 * The sequences of percpu.h for aarch64; see percpu_x86_64.h. The state is loaded with acquire, since who
 * opens a sheaf from another processor stores it with release.
 */
#ifndef SLABUDDY_SLAB_PERCPU_AARCH64_H
#define SLABUDDY_SLAB_PERCPU_AARCH64_H

#define PERCPU_TRAP ".inst "
#define PERCPU_JUMP "b "

#define PERCPU_BEGIN                                            \
	"adrp %[at], 3f\n\t"                                    \
	"add %[at], %[at], :lo12:3f\n\t"                        \
	"str %[at], [%[area], #" PERCPU_STR(RSEQ_CS) "]\n\t"    \
	"1:\n\t"

#define PERCPU_FIND                               \
	"ldr %w[at], [%[index]]\n\t"              \
	"cmp %w[at], #(" PERCPU_STR(OS_MAX_CPUS) " >> 12), lsl #12\n\t" \
	"b.hs 5f\n\t"                             \
	"ldr %[at], [%[slots], %[at], lsl #3]\n\t" \
	"cbz %[at], 5f\n\t"                       \
	"ldr %[at], [%[at], %[group]]\n\t"        \
	"cbz %[at], 5f\n\t"                       \
	"add %[at], %[at], %[sheaf]\n\t"

#define PERCPU_PLACE                                                                 \
	[area] "r"((char *)__builtin_thread_pointer() + percpu_rseq.area),           \
		[index] "r"((char *)__builtin_thread_pointer() + percpu_rseq.index)

static always_inline void *percpu_take(size_t group_place, size_t sheaf_place)
{
	size_t at, count;
	void *object;

	__asm__ volatile("0: mov %[object], xzr\n\t"
			 PERCPU_BEGIN
			 PERCPU_FIND
			 "ldar %w[count], [%[at]]\n\t"
			 "cbz %w[count], 5f\n\t"
			 "sub %w[count], %w[count], #1\n\t"
			 "ldr %[object], [%[at], #8]\n\t"
			 "ldr %[object], [%[object], %[count], lsl #3]\n\t"
			 "str %w[count], [%[at]]\n\t"
			 "2:\n\t"
			 "5:\n\t"
			 PERCPU_END
			 : [at] "=&r"(at), [count] "=&r"(count), [object] "=&r"(object)
			 : PERCPU_PLACE, PERCPU_WAY
			 : "memory", "cc");
	return object;
}

static always_inline bool percpu_put(size_t group_place, size_t sheaf_place, void *object)
{
	size_t at, count, other;
	uint32_t done;

	__asm__ volatile("0: mov %w[done], wzr\n\t"
			 PERCPU_BEGIN
			 PERCPU_FIND
			 "ldar %[count], [%[at]]\n\t"
			 "lsr %[other], %[count], #32\n\t"
			 "cmp %w[count], %w[other]\n\t"
			 "b.hs 5f\n\t"
			 "ldr %[other], [%[at], #8]\n\t"
			 "mov %w[count], %w[count]\n\t"
			 "str %[object], [%[other], %[count], lsl #3]\n\t"
			 "add %w[count], %w[count], #1\n\t"
			 "str %w[count], [%[at]]\n\t"
			 "2:\n\t"
			 "mov %w[done], #1\n\t"
			 "5:\n\t"
			 PERCPU_END
			 : [at] "=&r"(at), [count] "=&r"(count), [other] "=&r"(other),
			   [done] "=&r"(done)
			 : PERCPU_PLACE, PERCPU_WAY, [object] "r"(object)
			 : "memory", "cc");
	return done;
}

static always_inline bool percpu_close(const struct slot *slot, struct slot_cache *sc, uint64_t *state)
{
	uint64_t was;
	uint32_t done;
	size_t at;

	__asm__ volatile("0: mov %w[done], wzr\n\t"
			 PERCPU_BEGIN
			 "ldr %w[at], [%[index]]\n\t"
			 "cmp %w[at], %w[cpu]\n\t"
			 "b.ne 5f\n\t"
			 "ldr %[was], [%[sc]]\n\t"
			 "str xzr, [%[sc]]\n\t"
			 "2:\n\t"
			 "mov %w[done], #1\n\t"
			 "5:\n\t"
			 PERCPU_END
			 : [at] "=&r"(at), [was] "=&r"(was), [done] "=&r"(done)
			 : PERCPU_PLACE, [cpu] "r"(slot->cpu), [sc] "r"(sc)
			 : "memory", "cc");
	*state = done ? was : 0;
	return done;
}

#endif
