# SPDX-License-Identifier: MIT
if !SANITIZER
test_scripts += \
	tests/tools/core_test.py \
	tests/tools/info_test.py \
	tests/tools/run_test.sh \
	tests/tools/terminal_test.py
test_helpers += \
	tests/tools/broken_root \
	tests/tools/holder \
	tests/tools/other_root \
	tests/tools/program
endif

test_programs += tests/tools/series_test
tests_tools_series_test_SOURCES = tests/tools/series_test.c src/tools/series.c $(testing)

EXTRA_DIST += tests/tools/core_writer.py tests/tools/helper.py

# these are found by what they export
tests_tools_broken_root_SOURCES = tests/tools/broken_root.c
tests_tools_broken_root_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic
tests_tools_other_root_SOURCES = tests/tools/other_root.c
tests_tools_other_root_LDADD =
tests_tools_other_root_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic

tests_tools_holder_SOURCES = tests/tools/holder.c
tests_tools_holder_LDADD =
tests_tools_program_SOURCES = tests/tools/program.c
tests_tools_program_LDADD =
