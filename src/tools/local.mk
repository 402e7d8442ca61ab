# SPDX-License-Identifier: MIT
bin_PROGRAMS += src/slabuddy
src_slabuddy_SOURCES =	\
	src/tools/main.c
src_slabuddy_CPPFLAGS = $(AM_CPPFLAGS) -DSLABUDDY_LIBDIR='"$(libdir)"'
# Nothing of ours: the tool looks at heaps from outside, and needs no libtool wrapper.
src_slabuddy_LDADD =
