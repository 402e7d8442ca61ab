# SPDX-License-Identifier: MIT
bin_PROGRAMS += src/slabuddy
src_slabuddy_SOURCES = \
	src/tools/child.c \
	src/tools/child.h \
	src/tools/format.c \
	src/tools/format.h \
	src/tools/main.c \
	src/tools/preload.c \
	src/tools/preload.h \
	src/tools/program.c \
	src/tools/program.h \
	src/tools/report.c \
	src/tools/report.h \
	src/tools/run.c \
	src/tools/run.h \
	src/tools/say.c \
	src/tools/say.h \
	src/tools/scratch.c \
	src/tools/scratch.h
src_slabuddy_CPPFLAGS = $(AM_CPPFLAGS) -DSLABUDDY_LIBDIR='"$(libdir)"'
# Nothing of ours: the tool looks at heaps from outside, and needs no libtool wrapper.
src_slabuddy_LDADD =
dist_man_MANS += src/tools/slabuddy.1
