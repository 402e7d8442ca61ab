test_programs += \
	tests/slab/age_test \
	tests/slab/audit_test \
	tests/slab/cache_test \
	tests/slab/geometry_test \
	tests/slab/hollow_test \
	tests/slab/sequence_test \
	tests/slab/teardown_test \
	tests/slab/vacate_test

tests_slab_age_test_SOURCES = tests/slab/age_test.c $(testing)
tests_slab_age_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_rseq_fence
tests_slab_audit_test_SOURCES = tests/slab/audit_test.c $(testing)
tests_slab_cache_test_SOURCES = tests/slab/cache_test.c $(testing)
tests_slab_geometry_test_SOURCES = tests/slab/geometry_test.c $(testing)
tests_slab_hollow_test_SOURCES = tests/slab/hollow_test.c $(testing)
tests_slab_hollow_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_discard
tests_slab_sequence_test_SOURCES = tests/slab/sequence_test.c $(testing)
tests_slab_teardown_test_SOURCES = tests/slab/teardown_test.c $(testing)
tests_slab_vacate_test_SOURCES = tests/slab/vacate_test.c $(testing)

test_programs += tests/slab/nodes_test
tests_slab_nodes_test_SOURCES = tests/slab/nodes_test.c $(testing)
tests_slab_nodes_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_reserve -Wl,--wrap=os_commit

test_programs += tests/slab/debug_test
tests_slab_debug_test_SOURCES = tests/slab/debug_test.c $(testing)
tests_slab_debug_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=meta_alloc
