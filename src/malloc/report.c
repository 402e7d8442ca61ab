/* SPDX-License-Identifier: MIT */
/*
 * Reports of one's own process. Not in api/, since both libraries export them: whoever preloads
 * libslabuddy-malloc asks for its slabinfo too.
 *
 * First a snapshot is collected, by the layer that knows: zones by buddy/, caches and slots by slab/,
 * the blocks that are none of theirs here. Then base/procfs.c prints it, with no lock held and nothing
 * of the heap in hand: the stream may allocate, block, or fail.
 */
#include <slabuddy/report.h>

#include <errno.h>
#include <pthread.h>

#include "base/bits.h"
#include "base/procfs.h"
#include "base/vm_event.h"
#include "buddy/snapshot.h"
#include "malloc/huge.h"
#include "malloc/large.h"
#include "os/info.h"
#include "page/meta.h"
#include "slab/boot.h"
#include "slab/deferred.h"
#include "slab/snapshot.h"

/* Where a report goes to. */
struct sink {
	struct text text;
	FILE *file; /* NULL: to @fd */
	int fd;
};

/* All that one report takes; too large for a stack that may be small. */
struct report {
	struct sink sink;
	struct heap_snapshot heap;
	struct rows rows;
	const struct zone_snapshot *zone; /* the one being printed */
};

/* One kind of report. */
struct report_kind {
	size_t row_bytes;
	bool (*collect)(struct report *report); /* false: no memory */
	void (*print)(struct report *report);
};

/* ---- slabinfo ---- */

static bool collect_slabinfo(struct report *report)
{
	return caches_snapshot(&report->rows);
}

static void print_cache(const void *row, void *arg)
{
	struct report *report = arg;

	procfs_slabinfo_row(&report->sink.text, row);
}

static void print_slabinfo(struct report *report)
{
	procfs_slabinfo_head(&report->sink.text);
	rows_for_each(&report->rows, print_cache, report);
}

static const struct report_kind slabinfo = {
	.row_bytes = sizeof(struct cache_snapshot),
	.collect = collect_slabinfo,
	.print = print_slabinfo,
};

/* ---- aliases ---- */

static bool collect_aliases(struct report *report)
{
	return aliases_snapshot(&report->rows);
}

static void print_alias(const void *row, void *arg)
{
	struct report *report = arg;

	procfs_alias(&report->sink.text, row);
}

static void print_aliases(struct report *report)
{
	rows_for_each(&report->rows, print_alias, report);
}

static const struct report_kind aliases = {
	.row_bytes = sizeof(struct alias_snapshot),
	.collect = collect_aliases,
	.print = print_aliases,
};

/* ---- buddyinfo ---- */

static bool collect_buddyinfo(struct report *report)
{
	zones_snapshot(&report->heap, false);
	return true;
}

static void print_buddyinfo(struct report *report)
{
	procfs_buddyinfo(&report->sink.text, &report->heap);
}

static const struct report_kind buddyinfo = {
	.collect = collect_buddyinfo,
	.print = print_buddyinfo,
};

/* ---- pagetypeinfo ---- */

static bool collect_pagetypeinfo(struct report *report)
{
	zones_snapshot(&report->heap, true);
	return true;
}

static void print_pagetypeinfo(struct report *report)
{
	procfs_pagetypeinfo(&report->sink.text, &report->heap);
}

static const struct report_kind pagetypeinfo = {
	.collect = collect_pagetypeinfo,
	.print = print_pagetypeinfo,
};

/* ---- extfrag_index, unusable_index: of the zones that buddyinfo shows ---- */

static void print_extfrag_index(struct report *report)
{
	procfs_extfrag_index(&report->sink.text, &report->heap);
}

static const struct report_kind extfrag_index = {
	.collect = collect_buddyinfo,
	.print = print_extfrag_index,
};

static void print_unusable_index(struct report *report)
{
	procfs_unusable_index(&report->sink.text, &report->heap);
}

static const struct report_kind unusable_index = {
	.collect = collect_buddyinfo,
	.print = print_unusable_index,
};

/* ---- zoneinfo ---- */

static bool collect_zoneinfo(struct report *report)
{
	zones_snapshot(&report->heap, false);
	slots_snapshot(&report->heap);
	return pagesets_snapshot(&report->rows);
}

static void print_pageset(const void *row, void *arg)
{
	const struct pageset_snapshot *pageset = row;
	struct report *report = arg;

	if (pageset->nid == report->zone->nid)
		procfs_zoneinfo_pageset(&report->sink.text, pageset);
}

static void print_zoneinfo(struct report *report)
{
	struct text *text = &report->sink.text;

	for (unsigned int i = 0; i < report->heap.nr_zones; i++) {
		const struct zone_snapshot *zone = &report->heap.zone[i];

		report->zone = zone;
		procfs_zoneinfo_head(text, &report->heap, zone);
		if (zone->has_pagesets && zone_is_populated(zone))
			rows_for_each(&report->rows, print_pageset, report);
		procfs_zoneinfo_tail(text, zone);
	}
}

static const struct report_kind zoneinfo = {
	.row_bytes = sizeof(struct pageset_snapshot),
	.collect = collect_zoneinfo,
	.print = print_zoneinfo,
};

/* ---- vmstat ---- */

/* Committed pages that are in none of the other figures. */
static unsigned long block_pages(const struct heap_snapshot *heap)
{
	const struct vm_snapshot *vm = &heap->vm;
	unsigned long known = vm->nr_free_pages + vm->nr_purging + vm->nr_pcp_pages +
			      vm->nr_slab_reclaimable + vm->nr_slab_unreclaimable +
			      vm->nr_large_pages;
	unsigned long managed = 0;

	for (unsigned int i = 0; i < heap->nr_zones; i++)
		managed += heap->zone[i].managed;
	return managed - MIN(known, managed);
}

static bool collect_vmstat(struct report *report)
{
	struct vm_snapshot *vm = &report->heap.vm;

	zones_snapshot(&report->heap, false);
	slots_snapshot(&report->heap);
	vm->nr_large_pages = large_total_bytes() >> PAGE_SHIFT;
	vm->nr_large_blocks = large_count();
	vm->nr_huge_pages = huge_total_bytes() >> PAGE_SHIFT;
	vm->nr_huge_blocks = huge_count();
	vm->nr_block_pages = block_pages(&report->heap);
	vm->allocstall_normal = vm_event_read(VM_ALLOCSTALL_NORMAL);
	vm->allocstall_dma32 = vm_event_read(VM_ALLOCSTALL_DMA32);
	vm->allocstall_dma = vm_event_read(VM_ALLOCSTALL_DMA);
	vm->alloc_fail = vm_event_read(VM_ALLOC_FAIL);
	vm->kswapd_run = vm_event_read(VM_KSWAPD_RUN);
	vm->kswapd_pressure = vm_event_read(VM_KSWAPD_PRESSURE);
	vm->kswapd_limit = vm_event_read(VM_KSWAPD_LIMIT);
	vm->kswapd_blind = vm_event_read(VM_KSWAPD_BLIND);
	vm->kswapd_fail = vm_event_read(VM_KSWAPD_FAIL);
	vm->slabs_scanned = vm_event_read(VM_SLABS_SCANNED);
	vm->thp_ask = vm_event_read(VM_THP_ASK);
	vm->thp_break_up = vm_event_read(VM_THP_BREAK_UP);
	vm->thp_dear = vm_event_read(VM_THP_DEAR);
	vm->thp_refused = vm_event_read(VM_THP_REFUSED);
	vm->nr_metadata_pages = meta_mapped_bytes() >> PAGE_SHIFT;
	for (int rank = 0; rank < NR_LOCK_RANKS; rank++)
		lock_count_rank((enum lock_rank)rank, &vm->lock[rank]);
	return true;
}

static void print_vmstat(struct report *report)
{
	procfs_vmstat(&report->sink.text, &report->heap);
}

static const struct report_kind vmstat = {
	.collect = collect_vmstat,
	.print = print_vmstat,
};

/* ---- all of them ---- */

static int write_piece(struct text *text, const char *piece, size_t bytes)
{
	struct sink *sink = container_of(text, struct sink, text);

	if (!sink->file)
		return -os_write_all(sink->fd, piece, bytes);
	errno = 0;
	if (fwrite(piece, 1, bytes, sink->file) == bytes)
		return 0;
	return errno ? errno : EIO;
}

/* What a full disk says about a stream, it says when the stream's buffer goes out. */
static int finish(struct sink *sink)
{
	int error = text_finish(&sink->text);

	if (error || !sink->file)
		return error;
	errno = 0;
	if (!fflush(sink->file))
		return 0;
	return errno ? errno : EIO;
}

/* Return: 0 or an errno value. */
static int run(struct report *report, const struct report_kind *kind)
{
	report->rows.row_bytes = kind->row_bytes;
	if (!kind->collect(report))
		return ENOMEM;
	kind->print(report);
	return finish(&report->sink);
}

static int run_uncancelled(const struct report_kind *kind, FILE *file, int fd)
{
	struct report *report = meta_alloc(sizeof(*report));
	int error;

	if (!report)
		return ENOMEM;
	text_init(&report->sink.text, write_piece);
	report->sink.file = file;
	report->sink.fd = fd;
	/* a report of one piece, whoever else writes to the stream */
	if (file)
		flockfile(file);
	error = run(report, kind);
	if (file)
		funlockfile(file);
	rows_free(&report->rows);
	meta_free(report, sizeof(*report));
	return error;
}

/* Writing is where a thread may be cancelled, and would leave the snapshot behind. */
static int write_report(const struct report_kind *kind, FILE *file, int fd)
{
	int saved_errno = errno;
	int cancel_state;
	int error;

	slab_boot();
	/* what signal handlers have freed is free */
	deferred_drain();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	error = run_uncancelled(kind, file, fd);
	pthread_setcancelstate(cancel_state, NULL);
	errno = error ? error : saved_errno;
	return error ? -1 : 0;
}

exported int slabuddy_slabinfo(FILE *file)
{
	return write_report(&slabinfo, file, -1);
}

exported int slabuddy_slabinfo_fd(int fd)
{
	return write_report(&slabinfo, NULL, fd);
}

exported int slabuddy_buddyinfo(FILE *file)
{
	return write_report(&buddyinfo, file, -1);
}

exported int slabuddy_buddyinfo_fd(int fd)
{
	return write_report(&buddyinfo, NULL, fd);
}

exported int slabuddy_pagetypeinfo(FILE *file)
{
	return write_report(&pagetypeinfo, file, -1);
}

exported int slabuddy_pagetypeinfo_fd(int fd)
{
	return write_report(&pagetypeinfo, NULL, fd);
}

exported int slabuddy_extfrag_index(FILE *file)
{
	return write_report(&extfrag_index, file, -1);
}

exported int slabuddy_extfrag_index_fd(int fd)
{
	return write_report(&extfrag_index, NULL, fd);
}

exported int slabuddy_unusable_index(FILE *file)
{
	return write_report(&unusable_index, file, -1);
}

exported int slabuddy_unusable_index_fd(int fd)
{
	return write_report(&unusable_index, NULL, fd);
}

exported int slabuddy_zoneinfo(FILE *file)
{
	return write_report(&zoneinfo, file, -1);
}

exported int slabuddy_zoneinfo_fd(int fd)
{
	return write_report(&zoneinfo, NULL, fd);
}

exported int slabuddy_vmstat(FILE *file)
{
	return write_report(&vmstat, file, -1);
}

exported int slabuddy_vmstat_fd(int fd)
{
	return write_report(&vmstat, NULL, fd);
}

exported int slabuddy_aliases(FILE *file)
{
	return write_report(&aliases, file, -1);
}

exported int slabuddy_aliases_fd(int fd)
{
	return write_report(&aliases, NULL, fd);
}
