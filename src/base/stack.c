/* SPDX-License-Identifier: MIT */
#include "base/stack.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unwind.h>

struct capture {
	void **addrs;
	unsigned int nr;
	unsigned int max;
	unsigned int skip;
};

static _Unwind_Reason_Code take_frame(struct _Unwind_Context *context, void *arg)
{
	struct capture *capture = arg;
	void *addr = (void *)_Unwind_GetIP(context);

	if (!addr)
		return _URC_END_OF_STACK;
	if (capture->skip) {
		capture->skip--;
		return _URC_NO_REASON;
	}
	if (capture->nr == capture->max)
		return _URC_END_OF_STACK;
	capture->addrs[capture->nr++] = addr;
	return _URC_NO_REASON;
}

/* libgcc's unwinder, which reads the tables that every x86-64 and aarch64 binary has for exceptions. glibc's
 * backtrace() is the same, but loads it with dlopen() at first, which allocates. */
noinline unsigned int stack_capture(void **addrs, unsigned int max, unsigned int skip)
{
	/* the first frame is this one */
	struct capture capture = { .addrs = addrs, .max = max, .skip = skip + 1 };

	_Unwind_Backtrace(take_frame, &capture);
	return capture.nr;
}

/* Where the file is mapped that @addr lies in. */
static uintptr_t file_of(const void *addr)
{
	Dl_info info;

	return dladdr(addr, &info) ? (uintptr_t)info.dli_fbase : 0;
}

unsigned int stack_own_frames(void *const *addrs, unsigned int nr)
{
	static const char anchor;
	uintptr_t own = file_of(&anchor);
	uintptr_t program = file_of((const void *)getauxval(AT_PHDR));
	unsigned int i = 0;

	if (!own || own == program)
		return 0;
	while (i < nr && file_of(addrs[i]) == own)
		i++;
	return i < nr ? i : 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void stack_describe(char line[STACK_LINE_BYTES], const void *addr)
{
	/* a return address may be behind the last instruction of a function that does not return */
	const void *call = (const void *)((uintptr_t)addr - 1);
	ElfW(Sym) *symbol = NULL;
	size_t offset, size;
	Dl_info info;

	if (!dladdr1(call, &info, (void **)&symbol, RTLD_DL_SYMENT) || !info.dli_fname) {
		snprintf(line, STACK_LINE_BYTES, "%p", addr);
		return;
	}
	if (!info.dli_sname) {
		snprintf(line, STACK_LINE_BYTES, "%p [%s+%#zx]", addr, base_name(info.dli_fname),
			 (size_t)((const char *)addr - (const char *)info.dli_fbase));
		return;
	}
	offset = (size_t)((const char *)addr - (const char *)info.dli_saddr);
	size = symbol ? (size_t)symbol->st_size : 0;
	snprintf(line, STACK_LINE_BYTES, "%s+%#zx/%#zx [%s]", info.dli_sname, offset, size,
		 base_name(info.dli_fname));
}
