/* SPDX-License-Identifier: MIT */
/*
 * The version of slabuddy, written here and nowhere else: configure, the tool and the pkg-config
 * files take it from these three numbers.
 */
#ifndef SLABUDDY_VERSION_H
#define SLABUDDY_VERSION_H

#define SLABUDDY_VERSION_MAJOR 0
#define SLABUDDY_VERSION_MINOR 1
#define SLABUDDY_VERSION_PATCH 0

#define SLABUDDY_VERSION_QUOTE_(major, minor, patch) #major "." #minor "." #patch
#define SLABUDDY_VERSION_EXPAND_(major, minor, patch) \
	SLABUDDY_VERSION_QUOTE_(major, minor, patch)

/* The version as text: "0.1.0". */
#define SLABUDDY_VERSION_STRING                                                 \
	SLABUDDY_VERSION_EXPAND_(SLABUDDY_VERSION_MAJOR, SLABUDDY_VERSION_MINOR, \
				 SLABUDDY_VERSION_PATCH)

#endif
