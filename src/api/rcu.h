/* SPDX-License-Identifier: MIT */
#ifndef SLABUDDY_API_RCU_H
#define SLABUDDY_API_RCU_H

#include <slabuddy/rcupdate.h>

/* Wait for what was given to kfree_rcu() and is not freed yet; mostly there is nothing. */
void rcu_finish_frees(void);

#endif
