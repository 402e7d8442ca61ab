# SPDX-License-Identifier: MIT
bin_PROGRAMS += src/slabuddy
src_slabuddy_SOURCES = \
	src/tools/child.c \
	src/tools/child.h \
	src/tools/core.c \
	src/tools/core.h \
	src/tools/core_file.c \
	src/tools/core_file.h \
	src/tools/core_notes.c \
	src/tools/core_notes.h \
	src/tools/elf_headers.c \
	src/tools/elf_headers.h \
	src/tools/figures.c \
	src/tools/figures.h \
	src/tools/format.c \
	src/tools/format.h \
	src/tools/growth.c \
	src/tools/growth.h \
	src/tools/heaps.c \
	src/tools/heaps.h \
	src/tools/info.c \
	src/tools/info.h \
	src/tools/info_json.c \
	src/tools/info_print.h \
	src/tools/info_text.c \
	src/tools/layout.c \
	src/tools/layout.h \
	src/tools/main.c \
	src/tools/maps.c \
	src/tools/maps.h \
	src/tools/preload.c \
	src/tools/preload.h \
	src/tools/proc.c \
	src/tools/proc.h \
	src/tools/program.c \
	src/tools/program.h \
	src/tools/report.c \
	src/tools/report.h \
	src/tools/residence.c \
	src/tools/residence.h \
	src/tools/room.c \
	src/tools/room.h \
	src/tools/run.c \
	src/tools/run.h \
	src/tools/say.c \
	src/tools/say.h \
	src/tools/scratch.c \
	src/tools/scratch.h \
	src/tools/series.c \
	src/tools/series.h \
	src/tools/symbol.c \
	src/tools/symbol.h \
	src/tools/target.c \
	src/tools/target.h \
	src/tools/view.c \
	src/tools/view.h \
	src/tools/view_caches.c \
	src/tools/view_mappings.c \
	src/tools/view_pages.c \
	src/tools/view_zones.c \
	src/tools/walk.h
src_slabuddy_CPPFLAGS = $(AM_CPPFLAGS) -DSLABUDDY_LIBDIR='"$(libdir)"'
# Of ours only what src/base has without a heap: the tool looks at heaps from outside. A convenience library, so it needs
# no libtool wrapper.
src_slabuddy_LDADD = src/libcore.la
dist_man_MANS += src/tools/slabuddy.1
