/* SPDX-License-Identifier: MIT */
/* <linux/gfp.h> of kernel-style code: pages and how to ask for them. */
#ifndef SLABUDDY_COMPAT_LINUX_GFP_H
#define SLABUDDY_COMPAT_LINUX_GFP_H

#include <slabuddy/gfp.h>

#endif
