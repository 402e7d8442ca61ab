/* SPDX-License-Identifier: MIT */
#include "malloc/audit.h"

#include "base/lock.h"
#include "buddy/zone.h"
#include "slab/boot.h"
#include "slab/percpu.h"
#include "slab/validate.h"

unsigned long heap_validate(void (*report)(struct audit *audit, const char *line))
{
	struct audit audit = { .report = report };
	bool stopped;

	slab_boot();
	lock_freeze_world();
	/* what no thread is about to change can be checked more closely */
	stopped = percpu_stop();
	zone_validate_all(&audit);
	slab_validate_all(&audit);
	if (stopped)
		percpu_restart();
	lock_thaw_world();
	return audit.faults;
}
