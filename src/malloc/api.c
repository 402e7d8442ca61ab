/* SPDX-License-Identifier: MIT */
#include <slabuddy/slabuddy.h>

#include "base/compiler.h"
#include "base/option.h"
#include "malloc/audit.h"
#include "slab/boot.h"

exported const char *slabuddy_version(void)
{
	return SLABUDDY_VERSION_STRING;
}

exported int slabuddy_option(const char *text)
{
	/* first what the environment says, so that it does not undo this */
	slab_boot();
	return options_parse(text, "slabuddy_option");
}

exported unsigned long slabuddy_validate(void)
{
	return heap_validate(NULL);
}
