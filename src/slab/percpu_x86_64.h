/* SPDX-License-Identifier: MIT */
/*
 * The sequences of percpu.h, which includes this and says what the labels mean, for x86-64.
 */
#ifndef SLABUDDY_SLAB_PERCPU_X86_64_H
#define SLABUDDY_SLAB_PERCPU_X86_64_H

/* In front of the signature: ud1, never run into. */
#define PERCPU_TRAP ".byte 0x0f, 0xb9, 0x3d\n\t.long "
#define PERCPU_JUMP "jmp "

/* Tell the kernel that a sequence begins. */
#define PERCPU_BEGIN                                            \
	"leaq 3f(%%rip), %[at]\n\t"                             \
	"movq %[at], %%fs:" PERCPU_STR(RSEQ_CS) "(%[area])\n\t" \
	"1:\n\t"

/* From the processor to the slot's sheaf of a cache; to label 5 when there is none, or no processor's number:
 * a thread that the kernel was not told of. */
#define PERCPU_FIND                               \
	"movl %%fs:(%[index]), %k[at]\n\t"        \
	"cmpl $" PERCPU_STR(OS_MAX_CPUS) ", %k[at]\n\t" \
	"jae 5f\n\t"                              \
	"movq (%[slots], %[at], 8), %[at]\n\t"    \
	"testq %[at], %[at]\n\t"                  \
	"jz 5f\n\t"                               \
	"movq (%[at], %[group]), %[at]\n\t"       \
	"testq %[at], %[at]\n\t"                  \
	"jz 5f\n\t"                               \
	"addq %[sheaf], %[at]\n\t"

#define PERCPU_PLACE \
	[area] "r"(percpu_rseq.area), [index] "r"(percpu_rseq.index)

static always_inline void *percpu_take(size_t group_place, size_t sheaf_place)
{
	size_t at, count;
	void *object;

	__asm__ volatile("0: xorl %k[object], %k[object]\n\t"
			 PERCPU_BEGIN
			 PERCPU_FIND
			 "movl (%[at]), %k[count]\n\t"
			 "subl $1, %k[count]\n\t"
			 "jb 5f\n\t"
			 "movq 8(%[at]), %[object]\n\t"
			 "movq (%[object], %[count], 8), %[object]\n\t"
			 "movl %k[count], (%[at])\n\t"
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
	size_t at, count, objects;
	uint32_t done;

	__asm__ volatile("0: xorl %[done], %[done]\n\t"
			 PERCPU_BEGIN
			 PERCPU_FIND
			 /* both at once: who opens the sheaf from afar may do so at any moment */
			 "movq (%[at]), %[count]\n\t"
			 "movq %[count], %[objects]\n\t"
			 "shrq $32, %[objects]\n\t"
			 "cmpl %k[objects], %k[count]\n\t"
			 "jae 5f\n\t"
			 "movl %k[count], %k[count]\n\t"
			 "movq 8(%[at]), %[objects]\n\t"
			 "movq %[object], (%[objects], %[count], 8)\n\t"
			 "addl $1, %k[count]\n\t"
			 "movl %k[count], (%[at])\n\t"
			 "2:\n\t"
			 "movl $1, %[done]\n\t"
			 "5:\n\t"
			 PERCPU_END
			 : [at] "=&r"(at), [count] "=&r"(count), [objects] "=&r"(objects),
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

	__asm__ volatile("0: xorl %[done], %[done]\n\t"
			 PERCPU_BEGIN
			 "cmpl %%fs:(%[index]), %[cpu]\n\t"
			 "jne 5f\n\t"
			 "movq (%[sc]), %[was]\n\t"
			 "movq $0, (%[sc])\n\t"
			 "2:\n\t"
			 "movl $1, %[done]\n\t"
			 "5:\n\t"
			 PERCPU_END
			 : [at] "=&r"(at), [was] "=&r"(was), [done] "=&r"(done)
			 : PERCPU_PLACE, [cpu] "r"(slot->cpu), [sc] "r"(sc)
			 : "memory", "cc");
	*state = done ? was : 0;
	return done;
}

#endif
