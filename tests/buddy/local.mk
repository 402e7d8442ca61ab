arena = tests/buddy/arena.c tests/buddy/arena.h $(testing)
refusing = $(AM_LDFLAGS) -Wl,--wrap=os_reserve -Wl,--wrap=os_commit

test_programs += \
	tests/buddy/age_test \
	tests/buddy/join_test \
	tests/buddy/migrate_test \
	tests/buddy/model_test \
	tests/buddy/numa_test \
	tests/buddy/pcp_test \
	tests/buddy/purge_test \
	tests/buddy/robson_test \
	tests/buddy/run_sheaf_test \
	tests/buddy/run_test \
	tests/buddy/stuck_test \
	tests/buddy/textbook_test \
	tests/buddy/thp_test \
	tests/buddy/wmark_test \
	tests/buddy/zones_test

tests_buddy_age_test_SOURCES = tests/buddy/age_test.c $(arena)
tests_buddy_age_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_discard
tests_buddy_join_test_SOURCES = tests/buddy/join_test.c $(arena)
tests_buddy_join_test_LDFLAGS = $(refusing)
tests_buddy_migrate_test_SOURCES = tests/buddy/migrate_test.c $(arena)
tests_buddy_migrate_test_LDFLAGS = $(refusing)
tests_buddy_model_test_SOURCES = tests/buddy/model_test.c $(arena)
tests_buddy_model_test_LDFLAGS = $(refusing)
tests_buddy_numa_test_SOURCES = tests/buddy/numa_test.c $(arena)
tests_buddy_pcp_test_SOURCES = tests/buddy/pcp_test.c $(arena)
tests_buddy_purge_test_SOURCES = tests/buddy/purge_test.c $(arena)
tests_buddy_purge_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_discard
tests_buddy_robson_test_SOURCES = tests/buddy/robson_test.c $(arena)
tests_buddy_robson_test_LDFLAGS = $(refusing)
tests_buddy_run_sheaf_test_SOURCES = tests/buddy/run_sheaf_test.c $(arena)
tests_buddy_run_test_SOURCES = tests/buddy/run_test.c $(arena)
tests_buddy_stuck_test_SOURCES = tests/buddy/stuck_test.c $(arena)
tests_buddy_stuck_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_page_size \
	-Wl,--wrap=zone_purge_to_low
tests_buddy_textbook_test_SOURCES = tests/buddy/textbook_test.c $(arena)
tests_buddy_thp_test_SOURCES = tests/buddy/thp_test.c $(arena)
tests_buddy_thp_test_LDFLAGS = $(refusing) -Wl,--wrap=os_want_huge,--wrap=os_refuse_huge \
	-Wl,--wrap=os_discard,--wrap=os_thread_cpu_ns
tests_buddy_wmark_test_SOURCES = tests/buddy/wmark_test.c $(arena)
tests_buddy_zones_test_SOURCES = tests/buddy/zones_test.c $(arena)
tests_buddy_zones_test_LDFLAGS = $(refusing) -Wl,--wrap=os_reserve_below \
	-Wl,--wrap=os_lock,--wrap=os_prefer_node \
	-Wl,--wrap=os_allowed_nodes,--wrap=os_current_node
