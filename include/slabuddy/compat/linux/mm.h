/* SPDX-License-Identifier: MIT */
/* <linux/mm.h> of kernel-style code: what a process has of it, kvmalloc() included. */
#ifndef SLABUDDY_COMPAT_LINUX_MM_H
#define SLABUDDY_COMPAT_LINUX_MM_H

#include <slabuddy/gfp.h>
#include <slabuddy/slab.h>

#endif
