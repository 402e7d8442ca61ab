/* SPDX-License-Identifier: MIT */
#include "api/reclaim.h"

#include "api/shrinker.h"
#include "base/check.h"
#include "base/fault.h"
#include "base/vm_event.h"
#include "buddy/gfp.h"
#include "buddy/zone.h"
#include "malloc/heap.h"
#include "malloc/make_room.h"
#include "os/info.h"

/* Between two tries of one that must not fail, when nothing was to be had. Arbitrary. */
#define PAUSE_MS 10

/*
 * What the number of an attempt means: first the heap's own reserves, which cost the program nothing; then the
 * shrinkers at each priority from DEF_PRIORITY to 0; then again at 0.
 */
#define ATTEMPT_TRIM  0
#define ATTEMPT_FIRST 1
#define ATTEMPT_LAST  (ATTEMPT_FIRST + DEF_PRIORITY)

static size_t committed_kib(void)
{
	size_t pages = 0;

	for (unsigned int nid = 0; nid < MAX_NUMNODES; nid++) {
		for (int type = 0; type < MAX_NR_ZONES; type++)
			pages += READ_ONCE(node_data[nid].zones[type].managed_pages);
	}
	return pages << (PAGE_SHIFT - 10);
}

static void count_stall(gfp_t gfp)
{
	switch (gfp_zone(gfp)) {
	case ZONE_DMA:
		vm_event_add(VM_ALLOCSTALL_DMA, 1);
		break;
	case ZONE_DMA32:
		vm_event_add(VM_ALLOCSTALL_DMA32, 1);
		break;
	default:
		vm_event_add(VM_ALLOCSTALL_NORMAL, 1);
	}
}

static cold bool give_up(gfp_t gfp)
{
	vm_event_add(VM_ALLOC_FAIL, 1);
	if (gfp & __GFP_NOWARN)
		return false;
	if (gfpflags_allow_blocking(gfp))
		warn_once("out of memory: gfp=%#x, %zu KiB committed, %u shrinkers asked", gfp,
			  committed_kib(), shrinkers_count());
	else
		warn_once("out of memory: gfp=%#x, %zu KiB committed, no shrinker asked without "
			  "__GFP_DIRECT_RECLAIM", gfp, committed_kib());
	return false;
}

/* Policy: whether shrinkers are called once more. */
static bool may_shrink(gfp_t gfp, unsigned int attempt)
{
	if (gfp & (__GFP_NOFAIL | __GFP_RETRY_MAYFAIL))
		return true;
	if (gfp & __GFP_NORETRY)
		return attempt == ATTEMPT_FIRST;
	return attempt <= ATTEMPT_LAST;
}

/* From the priority that is due on, until they free something. Return: whether they did. */
static bool shrink(gfp_t gfp, int nid, unsigned int *attempt)
{
	unsigned long freed;
	int priority;

	do {
		priority = *attempt <= ATTEMPT_LAST ? (int)(ATTEMPT_LAST - *attempt) : 0;
		freed = shrinkers_scan(gfp, nid, priority);
		if (*attempt <= ATTEMPT_LAST)
			(*attempt)++;
	} while (!freed && priority);
	return freed;
}

/*
 * It failed on purpose, so making room is no help. What must not fail has its way: since one try may ask
 * several times, each is spared one failure more than the last. Return: whether to try again.
 */
static cold bool overrule_fault(gfp_t gfp, unsigned int *attempt)
{
	if (!gfpflags_allow_blocking(gfp) || !(gfp & __GFP_NOFAIL))
		return false;
	fault_answer.spare = ++*attempt;
	return true;
}

bool reclaim_and_retry(gfp_t gfp, int nid, unsigned int *attempt)
{
	size_t refused = limit_answer.refused;
	bool found = false;

	limit_answer.refused = 0;
	if (fault_answer.fail)
		return overrule_fault(gfp, attempt);
	if (!gfpflags_allow_blocking(gfp))
		return give_up(gfp);
	count_stall(gfp);
	if (nid == NUMA_NO_NODE)
		nid = (int)node_here();
	if (*attempt == ATTEMPT_TRIM) {
		*attempt = ATTEMPT_FIRST;
		found = true;
	} else if (may_shrink(gfp, *attempt)) {
		found = shrink(gfp, nid, attempt);
	}
	/* the program's handler comes last, and only where the memory limit is what stands in the way */
	if (!found && refused && !(gfp & __GFP_NORETRY))
		found = ask_limit_handler(refused);
	if (!found && !(gfp & __GFP_NOFAIL))
		return give_up(gfp);
	if (!found)
		os_pause(PAUSE_MS);
	heap_trim();
	return true;
}
