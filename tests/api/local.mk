# SPDX-License-Identifier: MIT
# The public functions, called as a program calls them: these files include <slabuddy/...> and, of src/,
# only what tests/testing.h needs.
test_programs += \
	tests/api/cache_test \
	tests/api/nolock_test \
	tests/api/report_test
test_scripts += \
	tests/api/report_format_test.py \
	tests/api/report_tools_test.sh
test_helpers += tests/api/report_dump
tests_api_cache_test_SOURCES = tests/api/cache_test.c $(testing)
tests_api_nolock_test_SOURCES = tests/api/nolock_test.c $(testing)
tests_api_report_test_SOURCES = tests/api/report_test.c $(testing)
tests_api_report_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_map,--wrap=os_commit
tests_api_report_dump_SOURCES = tests/api/report_dump.c

if !SANITIZER
test_scripts += tests/api/report_preload_test.sh
endif
EXTRA_DIST += tests/api/report_preload.c tests/api/report_two_heaps.c
test_programs += tests/api/pages_test
tests_api_pages_test_SOURCES = tests/api/pages_test.c $(testing)
tests_api_pages_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_commit

test_programs += tests/api/kmalloc_test
tests_api_kmalloc_test_SOURCES = \
	tests/api/kmalloc_test.c \
	tests/fault/faulty_os.c \
	tests/fault/faulty_os.h \
	tests/model/rng.h \
	$(testing)
tests_api_kmalloc_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_api_kmalloc_test_LDFLAGS = $(tests_fault_nth_call_test_LDFLAGS)

test_programs += tests/api/shrinker_test
tests_api_shrinker_test_SOURCES = \
	tests/api/shrinker_test.c \
	tests/death/child.c \
	tests/death/child.h \
	tests/fault/faulty_os.c \
	tests/fault/faulty_os.h \
	tests/model/rng.h \
	$(testing)
tests_api_shrinker_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_api_shrinker_test_LDFLAGS = $(tests_fault_nth_call_test_LDFLAGS)

test_programs += tests/api/mempool_test
tests_api_mempool_test_SOURCES = \
	tests/api/mempool_test.c \
	tests/fault/faulty_os.c \
	tests/fault/faulty_os.h \
	tests/model/rng.h \
	$(testing)
tests_api_mempool_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_api_mempool_test_LDFLAGS = $(tests_fault_nth_call_test_LDFLAGS)
source_scripts += tests/api/headers_test.sh
EXTRA_DIST += tests/api/compat_headers.c tests/api/headers.cc
test_programs += tests/api/limit_test
tests_api_limit_test_SOURCES = tests/api/limit_test.c $(testing)
test_programs += tests/api/kunit_test
tests_api_kunit_test_SOURCES = tests/api/kunit_test.c $(testing)

if HAVE_URCU
test_programs += tests/api/rcu_test
tests_api_rcu_test_SOURCES = tests/api/rcu_test.c $(testing)
test_programs += tests/api/rcu_reader_test
tests_api_rcu_reader_test_SOURCES = \
	tests/api/rcu_reader_test.c \
	tests/fault/faulty_os.c \
	tests/fault/faulty_os.h \
	tests/model/rng.h \
	$(testing)
tests_api_rcu_reader_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_api_rcu_reader_test_LDFLAGS = $(tests_fault_nth_call_test_LDFLAGS)
test_programs += tests/api/rcu_fork_test
tests_api_rcu_fork_test_SOURCES = tests/api/rcu_fork_test.c $(testing)
tests_api_rcu_fork_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=urcu_memb_call_rcu
endif
test_programs += tests/api/fault_test
tests_api_fault_test_SOURCES = tests/api/fault_test.c $(testing)

test_programs += tests/api/locks_test
tests_api_locks_test_SOURCES = tests/api/locks_test.c $(testing)

# A sanitizer keeps words of its own beside the allocator's, and watches who reads them.
if !SANITIZER
test_programs += tests/api/shared_writes_test
tests_api_shared_writes_test_SOURCES = tests/api/shared_writes_test.c $(testing)
tests_api_shared_writes_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_map
endif
