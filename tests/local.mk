# SPDX-License-Identifier: MIT
# The folders mirror src/; beside them stand kinds of test that cross layers. A folder's local.mk
# adds to these lists:
#
#	test_programs	C programs that are tests. They link the convenience library and check:
#			  test_programs += tests/base/list_test
#			  tests_base_list_test_SOURCES = tests/base/list_test.c
#	test_scripts	shell (.sh) and Python (.py) tests, distributed too. Exit status 77 is "skipped".
#	source_scripts	the same, where it does not matter how the library was built: of the sources, the documents,
#			  and tools with a made-up library. "./dev test" runs them in one of its builds.
#	program_scripts	real programs under the library: lib.sh beside them. "./dev test" runs them in one build
#			  with the libraries of two.
#	test_helpers	programs that tests start
#
# Tests of the installed libraries or the tool go between "if !SANITIZER" and "endif".

test_programs =
test_helpers =
test_scripts =
source_scripts =
program_scripts =

check_PROGRAMS += $(test_programs) $(test_helpers)
EXTRA_DIST += tests/own_slot.h tests/preload.sh
dist_check_SCRIPTS += $(test_scripts) $(source_scripts) $(program_scripts)
TESTS += $(test_programs) $(test_scripts) $(source_scripts) $(program_scripts)

LDADD = src/libapi.la src/libcore.la $(URCU_LIBS) $(CHECK_LIBS)

TEST_EXTENSIONS = .sh .py
SH_LOG_COMPILER = bash
PY_LOG_COMPILER = python3
AM_TESTS_ENVIRONMENT = \
	abs_top_srcdir='$(abs_top_srcdir)'; export abs_top_srcdir; \
	abs_top_builddir='$(abs_top_builddir)'; export abs_top_builddir; \
	CC='$(CC)'; export CC; \
	CXX="$${CXX-g++}"; export CXX; \
	PKG_CONFIG='$(PKG_CONFIG)'; export PKG_CONFIG;

include $(top_srcdir)/tests/base/local.mk
include $(top_srcdir)/tests/os/local.mk
include $(top_srcdir)/tests/page/local.mk
include $(top_srcdir)/tests/buddy/local.mk
include $(top_srcdir)/tests/slab/local.mk
include $(top_srcdir)/tests/malloc/local.mk
include $(top_srcdir)/tests/api/local.mk
include $(top_srcdir)/tests/model/local.mk
include $(top_srcdir)/tests/death/local.mk
include $(top_srcdir)/tests/fault/local.mk
include $(top_srcdir)/tests/stress/local.mk
include $(top_srcdir)/tests/programs/local.mk
include $(top_srcdir)/tests/tools/local.mk
include $(top_srcdir)/tests/doc/local.mk
include $(top_srcdir)/tests/tree/local.mk
