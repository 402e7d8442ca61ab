/* SPDX-License-Identifier: MIT */
#include "api/reclaim.h"

#include "base/check.h"
#include "malloc/heap.h"
#include "os/info.h"

/* Between two tries of one that must not fail. Arbitrary. */
#define PAUSE_MS 10

bool reclaim_and_retry(gfp_t gfp, int nid, unsigned int *attempt)
{
	bool may_reclaim = gfp & __GFP_DIRECT_RECLAIM;
	bool must_not_fail = may_reclaim && (gfp & __GFP_NOFAIL);

	(void)nid;
	if (!may_reclaim || (*attempt && !must_not_fail)) {
		if (!(gfp & __GFP_NOWARN))
			warn_once("an allocation failed: no memory (gfp %#x)", gfp);
		return false;
	}
	/* from the second time on somebody else must give something back first */
	if ((*attempt)++)
		os_pause(PAUSE_MS);
	heap_trim();
	return true;
}
