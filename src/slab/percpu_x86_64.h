/* SPDX-License-Identifier: MIT */
/*
 * The sequences of percpu.h for x86-64. A sequence runs from label 1 to label 2; if it is interrupted, the
 * kernel has it go on at label 4, which leads back to label 0. Nothing is pushed, called or stored before
 * the last instruction, but for an object's address behind the end of a sheaf, which nobody reads there.
 */
#ifndef SLABUDDY_SLAB_PERCPU_X86_64_H
#define SLABUDDY_SLAB_PERCPU_X86_64_H

#define PERCPU_STR2(x) #x
#define PERCPU_STR(x) PERCPU_STR2(x)

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

/* What the kernel must know, and where it goes on. */
#define PERCPU_END                                                \
	".pushsection __rseq_cs, \"aw\"\n\t"                      \
	".balign 32\n\t"                                          \
	"3: .long 0, 0\n\t"                                       \
	".quad 1b, 2b - 1b, 4f\n\t"                               \
	".popsection\n\t"                                         \
	".pushsection __rseq_failure, \"ax\"\n\t"                 \
	".byte 0x0f, 0xb9, 0x3d\n\t" /* ud1: never run into */    \
	".long " PERCPU_STR(RSEQ_SIGNATURE) "\n\t"                \
	"4: jmp 0b\n\t"                                           \
	".popsection"

#define PERCPU_PLACE \
	[area] "r"(percpu_rseq.area), [index] "r"(percpu_rseq.index)

#define PERCPU_WAY \
	[slots] "r"(percpu_slots), [group] "r"(group_place), [sheaf] "r"(sheaf_place)

_Static_assert(offsetof(struct slot_cache, count) == 0 &&
		       offsetof(struct slot_cache, capacity) == 4 &&
		       offsetof(struct slot_cache, objects) == 8,
	       "as below");

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

#undef PERCPU_BEGIN
#undef PERCPU_FIND
#undef PERCPU_END
#undef PERCPU_PLACE
#undef PERCPU_WAY
#undef PERCPU_STR
#undef PERCPU_STR2

#endif
