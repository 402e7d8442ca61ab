# SPDX-License-Identifier: MIT
if !SANITIZER
test_scripts += tests/tools/run_test.sh tests/tools/terminal_test.py
test_helpers += tests/tools/program
endif

tests_tools_program_SOURCES = tests/tools/program.c
tests_tools_program_LDADD =
