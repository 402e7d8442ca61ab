test_programs += \
	tests/page/meta_race_test \
	tests/page/meta_test \
	tests/page/rows_test \
	tests/page/section_test \
	tests/page/short_section_test

tests_page_meta_race_test_SOURCES = tests/page/meta_race_test.c $(testing)
tests_page_meta_race_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_map
tests_page_meta_test_SOURCES = tests/page/meta_test.c $(testing)
tests_page_rows_test_SOURCES = tests/page/rows_test.c $(testing)
tests_page_section_test_SOURCES = tests/page/section_test.c $(testing)
tests_page_short_section_test_SOURCES = tests/page/short_section_test.c $(testing)
tests_page_short_section_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_reserve
