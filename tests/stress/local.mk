# SPDX-License-Identifier: MIT
# Forks, threads that end, and the order in which a process comes to life.
test_programs += \
	tests/stress/fork_test \
	tests/stress/kswapd_test \
	tests/stress/last_round_test \
	tests/stress/thread_test
tests_stress_fork_test_SOURCES = \
	tests/model/block.c \
	tests/model/block.h \
	tests/model/rng.h \
	tests/stress/fork_test.c
tests_stress_fork_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_stress_kswapd_test_SOURCES = \
	tests/model/block.c \
	tests/model/block.h \
	tests/model/rng.h \
	tests/stress/kswapd_test.c
tests_stress_kswapd_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_stress_kswapd_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_pressure_open,--wrap=os_pressure_wait \
	-Wl,--wrap=os_cgroup_is_near_limit,--wrap=os_own_files,--wrap=os_thread_start
tests_stress_last_round_test_SOURCES = tests/model/rng.h tests/stress/last_round_test.c
tests_stress_last_round_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_stress_thread_test_SOURCES = \
	tests/model/block.c \
	tests/model/block.h \
	tests/model/rng.h \
	tests/stress/thread_test.c
tests_stress_thread_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

if !SANITIZER
test_helpers += tests/stress/smaps
tests_stress_smaps_SOURCES = tests/stress/smaps.c
tests_stress_smaps_LDADD =

test_scripts += \
	tests/stress/exit_test.sh \
	tests/stress/footprint_test.py \
	tests/stress/kswapd_preload_test.sh \
	tests/stress/others_test.sh \
	tests/stress/preload_test.sh \
	tests/stress/settled_test.sh

# Signal handlers run late under a sanitizer, and fork() in one is not for it.
test_programs += tests/stress/interrupted_test
tests_stress_interrupted_test_SOURCES = \
	tests/death/child.c \
	tests/death/child.h \
	tests/stress/interrupted_test.c
tests_stress_interrupted_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_stress_interrupted_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=os_commit

# What a sanitizer looks at cannot be a restartable sequence.
test_programs += tests/stress/percpu_test
tests_stress_percpu_test_SOURCES = \
	tests/model/block.c \
	tests/model/block.h \
	tests/model/rng.h \
	tests/stress/percpu_test.c
tests_stress_percpu_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
endif
EXTRA_DIST += \
	tests/stress/atfork.c \
	tests/stress/atfork_lock.c \
	tests/stress/deepbind.c \
	tests/stress/dlopen.c \
	tests/stress/early.c \
	tests/stress/exit_in_handler.c \
	tests/stress/foreign.c \
	tests/stress/idle_threads.c \
	tests/stress/kswapd.c \
	tests/stress/late_free.c \
	tests/stress/settled.c

# The same for long, with new seeds each round: "make soak SOAK_MINUTES=600" on an idle machine. The seed that
# fails is printed.
SOAK_MINUTES = 60
SOAK_SCALE = 5
soak_tests = tests/model/model_test tests/stress/fork_test tests/stress/thread_test
soak: $(soak_tests) src/libslabuddy-malloc.la
	@end=$$(($$(date +%s) + 60 * $(SOAK_MINUTES))); \
	while :; do \
		for test in $(soak_tests); do \
			echo "$$test"; SLABUDDY_SCALE=$(SOAK_SCALE) ./$$test || exit 1; \
		done; \
		for seed in 1 2 3 4 5; do \
			abs_top_builddir=$(abs_top_builddir) $(srcdir)/tests/stress/settled_test.sh || exit 1; \
		done; \
		[ "$$(date +%s)" -lt "$$end" ] || break; \
	done
