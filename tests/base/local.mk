# Every C test has the helpers in tests/testing.c.
testing = tests/testing.c tests/testing.h

test_programs += \
	tests/base/bits_test \
	tests/base/check_test \
	tests/base/fault_test \
	tests/base/list_test \
	tests/base/lock_test \
	tests/base/option_test \
	tests/base/procfs_test \
	tests/base/slab_debug_test \
	tests/base/stack_test

tests_base_bits_test_SOURCES = tests/base/bits_test.c $(testing)
tests_base_check_test_SOURCES = tests/base/check_test.c $(testing)
tests_base_fault_test_SOURCES = tests/base/fault_test.c $(testing)
tests_base_list_test_SOURCES = tests/base/list_test.c $(testing)
tests_base_lock_test_SOURCES = tests/base/lock_test.c $(testing)
tests_base_option_test_SOURCES = tests/base/option_test.c $(testing)
tests_base_procfs_test_SOURCES = tests/base/procfs_test.c $(testing)
tests_base_slab_debug_test_SOURCES = tests/base/slab_debug_test.c $(testing)
tests_base_stack_test_SOURCES = tests/base/stack_test.c $(testing)
# the dynamic linker knows the names of exported functions only
tests_base_stack_test_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
test_programs += tests/base/event_test
tests_base_event_test_SOURCES = tests/base/event_test.c $(testing)
