/* SPDX-License-Identifier: MIT */
/* <linux/mempool.h> of kernel-style code: pools with a reserve. */
#ifndef SLABUDDY_COMPAT_LINUX_MEMPOOL_H
#define SLABUDDY_COMPAT_LINUX_MEMPOOL_H

#include <slabuddy/mempool.h>

#endif
