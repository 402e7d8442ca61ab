/* SPDX-License-Identifier: MIT */
#include <slabuddy/slabuddy.h>

#include <errno.h>

#include "base/compiler.h"
#include "base/option.h"
#include "buddy/kswapd.h"
#include "malloc/audit.h"
#include "malloc/heap.h"
#include "page/limit.h"
#include "slab/boot.h"

exported const char *slabuddy_version(void)
{
	return SLABUDDY_VERSION_STRING;
}

exported int slabuddy_option(const char *text)
{
	int refused;

	/* first what the environment says, so that it does not undo this */
	slab_boot();
	refused = options_parse(text, "slabuddy_option");
	kswapd_options_changed();
	return refused;
}

exported int slabuddy_set_memory_limit(size_t bytes, slabuddy_limit_handler *handler, void *arg)
{
	if (bytes && (bytes < MEMORY_LIMIT_MIN || bytes > MEMORY_LIMIT_MAX)) {
		errno = EINVAL;
		return -1;
	}
	slab_boot();
	options_set_memory_limit(bytes, handler, arg);
	if (bytes && limit_held_bytes() > bytes)
		heap_trim();
	return 0;
}

exported int slabuddy_worth_vacating(const void *ptr)
{
	return heap_worth_vacating(ptr);
}

exported void *slabuddy_move(void *ptr)
{
	return heap_move(ptr);
}

exported unsigned long slabuddy_validate(void)
{
	return heap_validate(NULL);
}
