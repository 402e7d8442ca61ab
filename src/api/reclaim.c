/* SPDX-License-Identifier: MIT */
#include "api/reclaim.h"

#include "base/check.h"
#include "malloc/heap.h"
#include "os/info.h"

/* How often an allocation that may fail tries again. Arbitrary: what has not helped twice will not. */
#define MAX_ATTEMPTS 2

/* Between two tries of one that must not fail. Arbitrary. */
#define PAUSE_MS 10

static unsigned int max_attempts(gfp_t gfp)
{
	if (!(gfp & __GFP_DIRECT_RECLAIM))
		return 0;
	return gfp & __GFP_NORETRY ? 1 : MAX_ATTEMPTS;
}

bool reclaim_and_retry(gfp_t gfp, int nid, unsigned int *attempt)
{
	bool must_not_fail = (gfp & __GFP_NOFAIL) && (gfp & __GFP_DIRECT_RECLAIM);

	(void)nid;
	if (*attempt >= max_attempts(gfp) && !must_not_fail) {
		if (!(gfp & __GFP_NOWARN))
			warn_once("an allocation failed: no memory (gfp %#x)", gfp);
		return false;
	}
	/* from the second time on others must give something back first */
	if ((*attempt)++)
		os_pause(PAUSE_MS);
	heap_trim();
	return true;
}
