/* SPDX-License-Identifier: MIT */
/*
 * What happens when the process ends by exit(): the report file and the audit, where the options
 * ask for them.
 */
#include <stdio.h>

#include "base/audit.h"
#include "base/lock.h"
#include "base/option.h"
#include "malloc/audit.h"
#include "malloc/info.h"
#include "os/info.h"

static void write_report(void)
{
	struct heap_figures f;
	char text[512];
	int len;

	if (options.exit_report_pid && options.exit_report_pid != os_process_id())
		return;
	/* exit() may come from a signal handler that interrupted a slow path of this very thread */
	lock_freeze_world();
	heap_figures(&f);
	lock_thaw_world();
	len = snprintf(text, sizeof(text),
		       "live_bytes %zu\nlive_objects %zu\ncached_bytes %zu\nslab_free_bytes %zu\n"
		       "free_dirty_bytes %zu\nfree_clean_bytes %zu\nlarge_bytes %zu\n"
		       "huge_bytes %zu\nmetadata_bytes %zu\n",
		       f.slab_live_bytes + f.large_bytes + f.huge_bytes + f.page_bytes,
		       f.slab_live_objects + f.large_blocks + f.huge_blocks, f.cached_bytes,
		       f.slab_free_bytes, f.free_dirty_bytes, f.free_clean_bytes, f.large_bytes,
		       f.huge_bytes, f.metadata_bytes);
	os_write_file(options.exit_report, text, (size_t)len);
}

static void audit_at_exit(void)
{
	unsigned long faults = heap_validate(NULL);

	if (lock_world_is_torn()) {
		warn("audit: exit() came in the middle of an allocation: no verdict");
		return;
	}
	warn("audit: %lu faults", faults);
	if (faults && DEBUG_BUILD)
		fatal("audit: the heap is broken");
}

static __attribute__((destructor)) void at_exit(void)
{
	if (options.exit_report[0])
		write_report();
	if (options.audit == AUDIT_EXIT)
		audit_at_exit();
}
