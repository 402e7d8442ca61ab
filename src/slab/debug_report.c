/* SPDX-License-Identifier: MIT */
#include "slab/debug_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/stack.h"
#include "base/text.h"
#include "os/info.h"
#include "slab/slab.h"

#define BAR	  "============================================================================="
#define THIN_BAR  "-----------------------------------------------------------------------------"
#define BYTES_A_LINE 16U
#define STACK_FRAMES 22

static int write_to_stderr(struct text *text, const char *piece, size_t bytes)
{
	(void)text;
	return os_write_all(STDERR_FILENO, piece, bytes);
}

static unsigned long number(const void *addr)
{
	return (unsigned long)(uintptr_t)addr;
}

static void take_dump(struct debug_dump *dump, const char *title, const char *addr, size_t len)
{
	dump->title = title;
	dump->addr = (const unsigned char *)addr;
	dump->len = (unsigned int)len;
	memcpy(dump->bytes, addr, len);
}

/* The part of @len bytes at @addr that a report shows: the first ones, or those before @around. */
static void dump_around(struct debug_dump *dump, const char *title, const char *addr, size_t len,
			const void *around)
{
	const char *seen = around;
	size_t skip = 0;

	if (seen >= addr + DUMP_BYTES / 2 && seen < addr + len && len > DUMP_BYTES) {
		skip = ALIGN_DOWN((size_t)(seen - addr), BYTES_A_LINE) - DUMP_BYTES / 2;
		skip = MIN(skip, ALIGN_UP(len - DUMP_BYTES, BYTES_A_LINE));
	}
	take_dump(dump, title, addr + skip, MIN(len - skip, DUMP_BYTES));
}

const void *debug_first_free(struct kmem_cache *cache, struct page *slab)
{
	for (unsigned int i = 0; i < cache->objects; i += BITS_PER_WORD) {
		uint64_t free = READ_ONCE(*slab_map_word(slab, i));

		if (free)
			return (char *)page_start(slab) + cache->first_offset +
			       (size_t)(i + first_bit(free)) * cache->size;
	}
	return NULL;
}

static void look_at_object(struct kmem_cache *cache, struct page *slab, const char *object,
			   const void *around, struct debug_view *view)
{
	const struct cache_debug *debug = cache->debug;
	const struct debug_slab *table = debug_slab_of(cache, slab);
	size_t left = MIN(debug->red_left, ZONE_DUMP_BYTES);
	const char *next = object + cache->size - debug->red_left;

	if (table)
		view->tracks = table->objects[slab_object_number(cache, object)];
	if (left)
		take_dump(&view->before, "Redzone", object - left, left);
	dump_around(&view->content, "Object", object, cache->object_size, around);
	if (cache->flags & SLAB_RED_ZONE)
		take_dump(&view->behind, "Redzone", object + cache->object_size,
			  MIN(debug->inuse - cache->object_size, ZONE_DUMP_BYTES));
	if (next > object + debug->padding)
		take_dump(&view->padding, "Padding", object + debug->padding,
			  MIN((size_t)(next - object) - debug->padding, ZONE_DUMP_BYTES));
}

void debug_look(struct kmem_cache *cache, struct page *slab, const char *object, const void *around,
		struct debug_view *view)
{
	memset(view, 0, sizeof(*view));
	view->slab = page_start(slab);
	view->objects = slab->objects;
	view->inuse = READ_ONCE(slab->inuse);
	view->free = debug_first_free(cache, slab);
	view->object = object;
	if (object)
		look_at_object(cache, slab, object, around, view);
	else if (around)
		take_dump(&view->padding, "Padding", around,
			  MIN((size_t)((char *)page_start(slab) + cache->slab_mask + 1 -
				       (const char *)around), ZONE_DUMP_BYTES));
}

static void write_bytes(struct text *text, const struct debug_dump *dump)
{
	for (unsigned int at = 0; at < dump->len; at += BYTES_A_LINE) {
		unsigned int len = MIN(dump->len - at, BYTES_A_LINE);
		char hex[BYTES_A_LINE * 3 + 1], ascii[BYTES_A_LINE + 1];

		memset(hex, ' ', sizeof(hex));
		for (unsigned int i = 0; i < len; i++) {
			unsigned char c = dump->bytes[at + i];

			hex[i * 3] = "0123456789abcdef"[c >> 4];
			hex[i * 3 + 1] = "0123456789abcdef"[c & 15];
			ascii[i] = c >= ' ' && c <= '~' ? (char)c : '.';
		}
		hex[sizeof(hex) - 1] = '\0';
		ascii[len] = '\0';
		text_printf(text, "%-8s %lx: %s %s\n", dump->title, number(dump->addr + at), hex, ascii);
	}
}

static void write_frame(struct text *text, const char *indent, const void *addr)
{
	char line[STACK_LINE_BYTES];

	stack_describe(line, addr);
	text_printf(text, "%s%s\n", indent, line);
}

static void write_track(struct text *text, const char *what, const struct track *track)
{
	unsigned int own;

	if (!track->when)
		return;
	own = track->stack ? stack_own_frames(track->stack->addrs, track->stack->nr) : 0;
	if (track->stack) {
		char line[STACK_LINE_BYTES];

		stack_describe(line, track->stack->addrs[own]);
		text_printf(text, "%s in %s", what, line);
	} else {
		text_printf(text, "%s in an unknown place", what);
	}
	text_printf(text, " age=%lu cpu=%u pid=%u\n", (unsigned long)(os_milliseconds() - track->when),
		    track->cpu, track->tid);
	for (unsigned int i = own; track->stack && i < track->stack->nr; i++)
		write_frame(text, " ", track->stack->addrs[i]);
}

static void write_tracks(struct text *text, const struct kmem_cache *cache,
			 const struct debug_object *object)
{
	if (!(cache->flags & SLAB_STORE_USER))
		return;
	write_track(text, "Allocated", &object->allocated);
	write_track(text, "Freed", &object->freed);
}

static void write_here(struct text *text)
{
	void *addrs[STACK_FRAMES];
	unsigned int nr = stack_capture(addrs, STACK_FRAMES, 0);

	text_printf(text, "CPU: %u PID: %u\nCall Trace:\n", os_current_cpu(), os_thread_id());
	for (unsigned int i = stack_own_frames(addrs, nr); i < nr; i++)
		write_frame(text, " ", addrs[i]);
}

static void write_view(struct text *text, const struct kmem_cache *cache,
		       const struct debug_view *view)
{
	write_tracks(text, cache, &view->tracks);
	text_printf(text, "Slab 0x%lx objects=%u used=%u fp=0x%lx flags=0x%x\n", number(view->slab),
		    view->objects, view->inuse, number(view->free), cache->flags);
	if (view->object)
		text_printf(text, "Object 0x%lx @offset=%lu fp=0x%lx\n", number(view->object),
			    number(view->object) - number(view->slab), number(view->free));
	text_printf(text, "\n");
	write_bytes(text, &view->before);
	write_bytes(text, &view->content);
	write_bytes(text, &view->behind);
	write_bytes(text, &view->padding);
}

static void write_bug(struct text *text, const struct kmem_cache *cache, const char *what,
		      const char *more)
{
	text_printf(text, BAR "\nBUG %s (Not tainted): %s%s\n" THIN_BAR "\n\n", cache->name, what,
		    more);
}

static void write_fix(struct text *text, const struct kmem_cache *cache,
		      const struct debug_fault *fault)
{
	text_printf(text, "FIX %s: Restoring %s 0x%lx-0x%lx=0x%x\n\n", cache->name, fault->what,
		    number(fault->start), number(fault->end - 1), fault->value);
}

void debug_write_fault(struct kmem_cache *cache, const struct debug_view *view,
		       const struct debug_fault *fault, bool here)
{
	struct text text;

	text_init(&text, write_to_stderr);
	write_bug(&text, cache, fault->what, " overwritten");
	text_printf(&text, "0x%lx-0x%lx @offset=%lu. First byte 0x%x instead of 0x%x\n",
		    number(fault->first), number(fault->last - 1),
		    number(fault->first) - number(view->slab), fault->found, fault->value);
	write_view(&text, cache, view);
	if (here)
		write_here(&text);
	write_fix(&text, cache, fault);
	text_finish(&text);
}

void debug_report_fault(struct kmem_cache *cache, struct page *slab, const char *object,
			const struct debug_fault *fault)
{
	struct debug_view view;

	debug_look(cache, slab, object, fault->first, &view);
	debug_write_fault(cache, &view, fault, true);
}

void debug_report_fix(const struct kmem_cache *cache, const char *fmt, ...)
{
	char line[128];
	struct text text;
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	text_init(&text, write_to_stderr);
	text_printf(&text, "FIX %s: %s\n\n", cache->name, line);
	text_finish(&text);
}

void debug_report_slab(struct kmem_cache *cache, const struct debug_view *view, const char *what)
{
	struct text text;

	text_init(&text, write_to_stderr);
	write_bug(&text, cache, what, "");
	write_view(&text, cache, view);
	text_printf(&text, "\n");
	text_finish(&text);
}

/* The object that @addr lies in or in front of. */
static const char *object_around(struct kmem_cache *cache, struct page *slab, const void *addr)
{
	const char *base = (char *)page_start(slab) + cache->first_offset;
	size_t offset = (const char *)addr < base ? 0 : (size_t)((const char *)addr - base);
	size_t object = MIN(offset / cache->size, cache->objects - 1U);

	return base + object * cache->size;
}

void debug_report_bad_free(struct kmem_cache *cache, const void *addr, const char *what)
{
	struct page *slab;
	struct debug_view view;
	struct text text;

	if (!cache->debug)
		return;
	slab = slab_of(cache, addr);
	if (slab)
		debug_look(cache, slab, object_around(cache, slab, addr), addr, &view);
	text_init(&text, write_to_stderr);
	write_bug(&text, cache, what, "");
	if (slab)
		write_view(&text, cache, &view);
	write_here(&text);
	text_printf(&text, "FIX %s: Object at 0x%lx not freed\n\n", cache->name, number(addr));
	text_finish(&text);
}

void debug_print_tracks(struct kmem_cache *cache, const void *object)
{
	struct page *slab = slab_of(cache, object);
	const struct debug_slab *table = cache->debug && slab ? debug_slab_of(cache, slab) : NULL;
	struct text text;

	if (!table)
		return;
	text_init(&text, write_to_stderr);
	write_tracks(&text, cache, &table->objects[slab_object_number(cache, object)]);
	text_finish(&text);
}
