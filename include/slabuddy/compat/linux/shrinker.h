/* SPDX-License-Identifier: MIT */
/* <linux/shrinker.h> of kernel-style code: whom to ask for memory. */
#ifndef SLABUDDY_COMPAT_LINUX_SHRINKER_H
#define SLABUDDY_COMPAT_LINUX_SHRINKER_H

#include <slabuddy/shrinker.h>

#endif
