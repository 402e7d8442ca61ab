/* SPDX-License-Identifier: MIT */
/* <linux/slab.h> of kernel-style code: caches and the kmalloc family. */
#ifndef SLABUDDY_COMPAT_LINUX_SLAB_H
#define SLABUDDY_COMPAT_LINUX_SLAB_H

#include <slabuddy/slab.h>

#endif
