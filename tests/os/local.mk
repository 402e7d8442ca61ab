test_programs += \
	tests/os/discard_test \
	tests/os/info_test \
	tests/os/mem_test \
	tests/os/page_size_test \
	tests/os/pressure_test \
	tests/os/rseq_test

tests_os_discard_test_SOURCES = tests/os/discard_test.c $(testing)
tests_os_discard_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=syscall -Wl,--wrap=os_discard
tests_os_info_test_SOURCES = tests/os/info_test.c $(testing)
tests_os_mem_test_SOURCES = tests/os/mem_test.c $(testing)
tests_os_page_size_test_SOURCES = tests/os/page_size_test.c $(testing)
tests_os_page_size_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_page_size -Wl,--wrap=os_reserve \
	-Wl,--wrap=os_commit -Wl,--wrap=os_map -Wl,--wrap=os_remap -Wl,--wrap=os_discard \
	-Wl,--wrap=os_unmap -Wl,--wrap=os_resident_bytes
tests_os_pressure_test_SOURCES = tests/os/pressure_test.c $(testing)
tests_os_rseq_test_SOURCES = tests/os/rseq_test.c $(testing)
tests_os_rseq_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getauxval
