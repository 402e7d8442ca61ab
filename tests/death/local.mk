# SPDX-License-Identifier: MIT
# One message for each mistake, word for word.
death_helpers = tests/death/child.c tests/death/child.h
mistakes = tests/death/mistake.c tests/death/mistake.h

test_programs += \
	tests/death/bad_cache_free_test \
	tests/death/bad_free_test \
	tests/death/bad_page_test \
	tests/death/moved_object_test \
	tests/death/secure_test
tests_death_bad_cache_free_test_SOURCES = tests/death/bad_cache_free_test.c $(mistakes) $(death_helpers)
tests_death_bad_cache_free_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_death_bad_free_test_SOURCES = tests/death/bad_free_test.c $(death_helpers)
tests_death_bad_free_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_death_bad_page_test_SOURCES = tests/death/bad_page_test.c $(mistakes) $(death_helpers)
tests_death_bad_page_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_death_moved_object_test_SOURCES = tests/death/moved_object_test.c $(death_helpers)
tests_death_moved_object_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_death_secure_test_SOURCES = tests/death/secure_test.c $(death_helpers)
tests_death_secure_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_death_secure_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_is_secure

test_programs += tests/death/no_rcu_test
tests_death_no_rcu_test_SOURCES = tests/death/no_rcu_test.c src/api/no_rcu.c $(death_helpers)
tests_death_no_rcu_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
if HAVE_URCU
test_programs += tests/death/bad_rcu_free_test
tests_death_bad_rcu_free_test_SOURCES = tests/death/bad_rcu_free_test.c $(mistakes) $(death_helpers)
tests_death_bad_rcu_free_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
endif
