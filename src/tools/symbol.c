/* SPDX-License-Identifier: MIT */
#include "tools/symbol.h"

#include <elf.h>
#include <string.h>

#include "base/bits.h"
#include "tools/elf_headers.h"

/* Arbitrary: more than any linker makes; what has more is none of ours. */
#define MAX_DYNAMIC    1024
#define MAX_CHAIN      65536
#define MAX_NAME_BYTES 64

struct module {
	const struct target *target;
	uint64_t base;
	uint64_t bias; /* what is to be added to the addresses in the file */
	uint64_t symbols;
	uint64_t strings;
	uint64_t hash; /* DT_GNU_HASH */
};

static bool read_at(void *arg, uint64_t offset, void *to, size_t bytes)
{
	const struct module *module = arg;

	return target_read_image(module->target, module->base + offset, to, bytes);
}

/* The dynamic linker has made some of these absolute. */
static uint64_t absolute(const struct module *module, uint64_t addr)
{
	return addr < module->base ? addr + module->bias : addr;
}

static bool read_dynamic(struct module *module, const Elf64_Phdr *header)
{
	uint64_t at = module->bias + header->p_vaddr;
	Elf64_Dyn entry;

	for (unsigned int i = 0; i < MAX_DYNAMIC; i++, at += sizeof(entry)) {
		if (!target_read_image(module->target, at, &entry, sizeof(entry)))
			return false;
		if (entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_SYMTAB)
			module->symbols = absolute(module, entry.d_un.d_ptr);
		if (entry.d_tag == DT_STRTAB)
			module->strings = absolute(module, entry.d_un.d_ptr);
		if (entry.d_tag == DT_GNU_HASH)
			module->hash = absolute(module, entry.d_un.d_ptr);
	}
	return module->symbols && module->strings && module->hash;
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

/* Return: whether symbol number @index has that name, and an address. */
static bool symbol_is(const struct module *module, uint32_t index, const char *name, uint64_t *addr)
{
	char found[MAX_NAME_BYTES];
	size_t bytes = strlen(name) + 1;
	Elf64_Sym symbol;

	if (bytes > sizeof(found) ||
	    !target_read_image(module->target, module->symbols + index * sizeof(symbol), &symbol,
			       sizeof(symbol)) ||
	    symbol.st_shndx == SHN_UNDEF ||
	    !target_read_image(module->target, module->strings + symbol.st_name, found, bytes) ||
	    memcmp(found, name, bytes))
		return false;
	*addr = module->bias + symbol.st_value;
	return true;
}

/* As the dynamic linker does it. */
static bool look_up(const struct module *module, const char *name, uint64_t *addr)
{
	struct {
		uint32_t nr_buckets, first, nr_bloom, shift;
	} head;
	uint32_t wanted = gnu_hash(name);
	uint64_t buckets, chain;
	uint32_t index, hash;

	if (!target_read_image(module->target, module->hash, &head, sizeof(head)) ||
	    !head.nr_buckets)
		return false;
	buckets = module->hash + sizeof(head) + head.nr_bloom * sizeof(uint64_t);
	chain = buckets + head.nr_buckets * sizeof(uint32_t);
	if (!target_read_image(module->target, buckets + wanted % head.nr_buckets * sizeof(index),
			       &index, sizeof(index)) ||
	    index < head.first)
		return false;
	for (unsigned int i = 0; i < MAX_CHAIN; i++, index++) {
		if (!target_read_image(module->target, chain + (index - head.first) * sizeof(hash),
				       &hash, sizeof(hash)))
			return false;
		if ((hash | 1) == (wanted | 1) && symbol_is(module, index, name, addr))
			return true;
		/* the last of its bucket */
		if (hash & 1)
			return false;
	}
	return false;
}

static void note_segments(const struct module *module, const struct elf_headers *headers,
			  struct image *image)
{
	image->nr_segments = 0;
	for (unsigned int i = 0; i < headers->nr && image->nr_segments < MAX_SEGMENTS; i++) {
		struct range *range = &image->segment[image->nr_segments];
		const Elf64_Phdr *header = &headers->header[i];
		uint64_t size = module->target->page_size;
		uint64_t start, end;

		if (header->p_type != PT_LOAD)
			continue;
		start = module->bias + header->p_vaddr;
		end = ALIGN_UP(start + header->p_memsz, size);
		range->start = ALIGN_DOWN(start, size);
		range->bytes = end - range->start;
		image->nr_segments++;
	}
}

bool symbol_find(const struct target *target, uint64_t base, const char *name, uint64_t *addr,
		 struct image *image)
{
	struct module module = { .target = target, .base = base };
	const Elf64_Phdr *dynamic = NULL;
	struct elf_headers headers;

	if (!elf_headers_read(&headers, read_at, &module))
		return false;
	for (unsigned int i = 0; i < headers.nr; i++) {
		const Elf64_Phdr *header = &headers.header[i];

		/* the header that stands at base is in this one */
		if (header->p_type == PT_LOAD && !header->p_offset)
			module.bias = base - header->p_vaddr;
		if (header->p_type == PT_DYNAMIC)
			dynamic = header;
	}
	note_segments(&module, &headers, image);
	return dynamic && read_dynamic(&module, dynamic) && look_up(&module, name, addr);
}
