/* SPDX-License-Identifier: MIT */
#include "tools/elf_headers.h"

#include <string.h>

bool elf_is_ours(const Elf64_Ehdr *elf)
{
	return !memcmp(elf->e_ident, ELFMAG, SELFMAG) && elf->e_ident[EI_CLASS] == ELFCLASS64 &&
	       elf->e_ident[EI_DATA] == ELFDATA2LSB && elf->e_phentsize == sizeof(Elf64_Phdr);
}

bool elf_headers_read(struct elf_headers *headers,
		      bool (*read)(void *arg, uint64_t offset, void *to, size_t bytes), void *arg)
{
	Elf64_Ehdr elf;

	if (!read(arg, 0, &elf, sizeof(elf)) || !elf_is_ours(&elf) || elf.e_phnum > MAX_ELF_HEADERS)
		return false;
	headers->nr = elf.e_phnum;
	return read(arg, elf.e_phoff, headers->header, elf.e_phnum * sizeof(Elf64_Phdr));
}
