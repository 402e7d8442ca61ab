test_programs += \
	tests/malloc/heap_test \
	tests/malloc/info_test \
	tests/malloc/limit_test \
	tests/malloc/size_class_test \
	tests/malloc/stuck_mapping_test

tests_malloc_heap_test_SOURCES = tests/malloc/heap_test.c $(testing)
tests_malloc_info_test_SOURCES = tests/malloc/info_test.c $(testing)
tests_malloc_limit_test_SOURCES = tests/malloc/limit_test.c $(testing)
tests_malloc_size_class_test_SOURCES = tests/malloc/size_class_test.c $(testing)
tests_malloc_stuck_mapping_test_SOURCES = tests/malloc/stuck_mapping_test.c $(testing)
tests_malloc_stuck_mapping_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_unmap,--wrap=os_discard

if !SANITIZER
# a sanitizer has mappings of its own
test_programs += tests/malloc/mappings_test tests/malloc/thp_test
tests_malloc_thp_test_SOURCES = tests/malloc/thp_test.c $(testing)
tests_malloc_thp_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_thread_cpu_ns
tests_malloc_mappings_test_SOURCES = tests/malloc/mappings_test.c $(testing)
tests_malloc_mappings_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_thread_cpu_ns

test_scripts += tests/malloc/posix_test.sh
test_helpers += tests/malloc/posix

# A program like any other: it has nothing of the library but what is preloaded.
tests_malloc_posix_SOURCES = tests/malloc/posix.c
tests_malloc_posix_CFLAGS = $(AM_CFLAGS) -fno-builtin
tests_malloc_posix_LDADD = $(CHECK_LIBS)
endif
