# SPDX-License-Identifier: MIT
# The layers make one convenience library, which tests link directly. The two installed libraries
# are that library behind two symbol maps.

noinst_LTLIBRARIES += src/libcore.la
# Each layer's local.mk adds its files to this.
libcore_la_SOURCES =
src_libcore_la_SOURCES = $(libcore_la_SOURCES)

# What only libslabuddy exports: the kernel's names, thin functions over the core. A library of its own,
# since a name that libcore exported would be in libslabuddy-malloc too.
noinst_LTLIBRARIES += src/libapi.la
libapi_la_SOURCES =
src_libapi_la_SOURCES = $(libapi_la_SOURCES)

include $(top_srcdir)/src/base/local.mk
include $(top_srcdir)/src/os/local.mk
include $(top_srcdir)/src/page/local.mk
include $(top_srcdir)/src/buddy/local.mk
include $(top_srcdir)/src/slab/local.mk
include $(top_srcdir)/src/malloc/local.mk
include $(top_srcdir)/src/api/local.mk
include $(top_srcdir)/src/tools/local.mk

slabuddyincludedir = $(includedir)/slabuddy
dist_slabuddyinclude_HEADERS = \
	include/slabuddy/gfp.h \
	include/slabuddy/mempool.h \
	include/slabuddy/rcupdate.h \
	include/slabuddy/report.h \
	include/slabuddy/shrinker.h \
	include/slabuddy/slab.h \
	include/slabuddy/slabuddy.h \
	include/slabuddy/version.h
nodist_slabuddyinclude_HEADERS = include/slabuddy/limits.h
# the kernel's names for them, see compat_includedir in slabuddy.pc
compatincludedir = $(slabuddyincludedir)/compat/linux
dist_compatinclude_HEADERS = \
	include/slabuddy/compat/linux/gfp.h \
	include/slabuddy/compat/linux/mempool.h \
	include/slabuddy/compat/linux/mm.h \
	include/slabuddy/compat/linux/rcupdate.h \
	include/slabuddy/compat/linux/shrinker.h \
	include/slabuddy/compat/linux/slab.h

if !SANITIZER

# malloc's own names, apart from the core, since a test must not get them by linking it.
noinst_LTLIBRARIES += src/libexports.la
src_libexports_la_SOURCES = src/malloc/exports.c src/malloc/cxx.c
src_libexports_la_CFLAGS = $(AM_CFLAGS) -fno-builtin -fexceptions

# -version-info CURRENT:REVISION:AGE. At a release: code changed, REVISION + 1; a symbol added,
# CURRENT + 1, AGE + 1, REVISION 0; a symbol removed or changed, CURRENT + 1, AGE 0, REVISION 0.
# The file's suffix is then (CURRENT - AGE).AGE.REVISION.
lib_LTLIBRARIES += src/libslabuddy.la src/libslabuddy-malloc.la
# libgcc's unwinder comes with us: the libraries need libc and nothing else
library_ldflags = -shared -no-undefined -Wc,-static-libgcc $(SLABUDDY_LDFLAGS) $(START_LDFLAGS)

src_libslabuddy_la_SOURCES =
src_libslabuddy_la_LIBADD = src/libapi.la src/libcore.la $(URCU_LIBS)
src_libslabuddy_la_LDFLAGS = $(AM_LDFLAGS) $(library_ldflags) -version-info 0:0:0 \
	-Wl,--version-script=$(top_srcdir)/src/libslabuddy.map
EXTRA_src_libslabuddy_la_DEPENDENCIES = src/libslabuddy.map src/start.ld

src_libslabuddy_malloc_la_SOURCES = src/malloc/atfork.c
src_libslabuddy_malloc_la_LIBADD = src/libexports.la src/libcore.la
# initfirst: our handlers of fork() must be registered before everybody else's, see slab/boot.c
src_libslabuddy_malloc_la_LDFLAGS = $(AM_LDFLAGS) $(library_ldflags) -version-info 0:0:0 \
	-Wl,-z,initfirst \
	-Wl,--version-script=$(top_srcdir)/src/libslabuddy-malloc.map
EXTRA_src_libslabuddy_malloc_la_DEPENDENCIES = src/libslabuddy-malloc.map src/start.ld

# The static libraries offer what the shared ones do: one object each, in which every other name is
# local. libtool's own would offer all of the core's names to the program that links it.
staticlibdir = $(libdir)
staticlib_DATA = src/libslabuddy.a src/libslabuddy-malloc.a
CLEANFILES += $(staticlib_DATA)
static_library = CC='$(CC)' AR='$(AR)' OBJCOPY='$(OBJCOPY)' NM='$(NM)' \
	$(SHELL) $(top_srcdir)/build-aux/static-library.sh

src/libslabuddy.a: src/libslabuddy.la src/libapi.la src/libcore.la build-aux/static-library.sh
	$(AM_V_GEN)$(static_library) $@ src/.libs/libslabuddy.so src/.libs/libapi.a src/.libs/libcore.a

src/libslabuddy-malloc.a: src/libslabuddy-malloc.la src/libexports.la src/libcore.la \
		build-aux/static-library.sh
	$(AM_V_GEN)$(static_library) $@ src/.libs/libslabuddy-malloc.so \
		src/.libs/libexports.a src/.libs/libcore.a

pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = slabuddy.pc slabuddy-malloc.pc

endif

EXTRA_DIST += src/libslabuddy.map src/libslabuddy-malloc.map src/start.ld build-aux/static-library.sh
