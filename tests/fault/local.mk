# SPDX-License-Identifier: MIT
# The OS refuses: call by call in one process, and by real limits around whole programs.
refused_calls = \
	tests/death/child.c \
	tests/death/child.h \
	tests/fault/each_call.c \
	tests/fault/each_call.h \
	tests/fault/faulty_os.c \
	tests/fault/faulty_os.h

test_programs += tests/fault/nth_call_test
tests_fault_nth_call_test_SOURCES = \
	$(refused_calls) \
	tests/fault/nth_call_test.c \
	tests/model/block.c \
	tests/model/block.h \
	tests/model/rng.h
tests_fault_nth_call_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_fault_nth_call_test_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=os_reserve,--wrap=os_commit,--wrap=os_map,--wrap=os_remap \
	-Wl,--wrap=os_discard,--wrap=os_unmap \
	-Wl,--wrap=os_reserve_below,--wrap=os_uncommit,--wrap=os_lock \
	-Wl,--wrap=os_want_huge,--wrap=os_refuse_huge

test_programs += tests/fault/nth_call_api_test
tests_fault_nth_call_api_test_SOURCES = $(refused_calls) tests/fault/nth_call_api_test.c
tests_fault_nth_call_api_test_CPPFLAGS = $(tests_fault_nth_call_test_CPPFLAGS)
tests_fault_nth_call_api_test_LDFLAGS = $(tests_fault_nth_call_test_LDFLAGS)

test_programs += tests/fault/nth_call_pages_test
tests_fault_nth_call_pages_test_SOURCES = $(refused_calls) tests/fault/nth_call_pages_test.c
tests_fault_nth_call_pages_test_CPPFLAGS = $(tests_fault_nth_call_test_CPPFLAGS)
tests_fault_nth_call_pages_test_LDFLAGS = $(tests_fault_nth_call_test_LDFLAGS)

if !SANITIZER
test_scripts += tests/fault/limits_test.sh
endif
EXTRA_DIST += tests/fault/exhaust.c tests/fault/new_limit.cc
