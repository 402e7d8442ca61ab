# SPDX-License-Identifier: MIT
# The public functions, called as a program calls them: these files include <slabuddy/...> and, of src/,
# only what tests/testing.h needs.
test_programs += tests/api/cache_test
tests_api_cache_test_SOURCES = tests/api/cache_test.c $(testing)
test_programs += tests/api/nolock_test
tests_api_nolock_test_SOURCES = tests/api/nolock_test.c $(testing)
test_programs += tests/api/report_test
tests_api_report_test_SOURCES = tests/api/report_test.c tests/api/report_heap.h $(testing)
