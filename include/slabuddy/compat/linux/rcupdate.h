/* SPDX-License-Identifier: MIT */
/*
 * <linux/rcupdate.h> of kernel-style code: kfree_rcu(), and liburcu's readers where its header is there.
 * A thread that reads must call rcu_register_thread() first, which the kernel does not know.
 */
#ifndef SLABUDDY_COMPAT_LINUX_RCUPDATE_H
#define SLABUDDY_COMPAT_LINUX_RCUPDATE_H

#ifdef __has_include
#if __has_include(<urcu.h>)
#include <urcu.h>
#endif
#endif

#include <slabuddy/rcupdate.h>

#endif
