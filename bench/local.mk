# SPDX-License-Identifier: MIT
# Comparisons with other allocators: README.md here. Nothing of this is built by plain make.

EXTRA_DIST += \
	bench/README.md \
	bench/allocators.conf \
	bench/callgrind.py \
	bench/compare-pools \
	bench/comparison.py \
	bench/config.py \
	bench/fastpath \
	bench/figure.py \
	bench/goals.py \
	bench/inputs/filter.jq \
	bench/inputs/graph.lua \
	bench/inputs/objects.mjs \
	bench/inputs/repack.sh \
	bench/inputs/table.sql \
	bench/inputs/templates.cc \
	bench/inputs/words.pl \
	bench/inputs/xml.sh \
	bench/into-doc \
	bench/machine.py \
	bench/memory \
	bench/over_time.py \
	bench/made_up.py \
	bench/micro_shim.cc \
	bench/objects.py \
	bench/plot.py \
	bench/programs \
	bench/progress.py \
	bench/purge_kinds.conf \
	bench/redis_load.py \
	bench/report.py \
	bench/results.py \
	bench/runner.py \
	bench/scaling \
	bench/single.py \
	bench/slot_kinds.conf \
	bench/watched.py \
	bench/whole.py \
	bench/workloads.conf

if !SANITIZER

# The programs are anybody's: without the library's flags, config.h and convenience library.
bench_cppflags = -D_GNU_SOURCE
public_cppflags = -I$(top_srcdir)/include -I$(top_builddir)/include
bench_cflags = -std=gnu11 -O2 -pthread $(NO_BUILTIN_MALLOC) $(WARNING_CFLAGS)

EXTRA_PROGRAMS = bench/measure bench/operations bench/replace bench/workload
bench_measure_SOURCES = bench/measure.c
bench_measure_CPPFLAGS = $(bench_cppflags)
bench_measure_CFLAGS = $(bench_cflags)
bench_measure_LDADD =
bench_operations_SOURCES = bench/operations.c
bench_operations_CPPFLAGS = $(bench_cppflags) $(public_cppflags)
bench_operations_CFLAGS = $(bench_cflags)
# No libtool wrapper here and below: valgrind and preloading are for the program, not for a shell.
bench_operations_LDFLAGS = -no-install
bench_operations_LDADD = src/libslabuddy.la
bench_replace_SOURCES = bench/replace.c bench/random.h
bench_replace_CPPFLAGS = $(bench_cppflags)
bench_replace_CFLAGS = $(bench_cflags)
bench_replace_LDADD =

EXTRA_PROGRAMS += bench/scaling_loads
bench_scaling_loads_SOURCES = bench/scaling_loads.c bench/random.h
bench_scaling_loads_CPPFLAGS = $(bench_cppflags)
bench_scaling_loads_CFLAGS = $(bench_cflags)
bench_scaling_loads_LDADD =
check_PROGRAMS += bench/scaling_loads
test_scripts += bench/scaling_test.py

EXTRA_PROGRAMS += bench/memory_loads
bench_memory_loads_SOURCES = bench/memory_loads.c bench/random.h
bench_memory_loads_CPPFLAGS = $(bench_cppflags)
bench_memory_loads_CFLAGS = $(bench_cflags)
bench_memory_loads_LDADD =
check_PROGRAMS += bench/memory_loads
source_scripts += bench/memory_test.py

# One line for each file of workloads.
bench_workload_SOURCES = bench/workloads/workload.c bench/workloads/workload.h bench/random.h
bench_workload_SOURCES += bench/workloads/alloc_test.c
bench_workload_SOURCES += bench/workloads/false_sharing.c
bench_workload_SOURCES += bench/workloads/glibc.c
bench_workload_SOURCES += bench/workloads/large.c
bench_workload_SOURCES += bench/workloads/leak.c
bench_workload_SOURCES += bench/workloads/mstress.c
bench_workload_SOURCES += bench/workloads/prodcons.c
bench_workload_SOURCES += bench/workloads/rptest.c
bench_workload_SOURCES += bench/workloads/sh.c
bench_workload_SOURCES += bench/workloads/strings.c
bench_workload_SOURCES += bench/workloads/threads.c
bench_workload_SOURCES += bench/workloads/trees.c
bench_workload_SOURCES += bench/workloads/web.c
bench_workload_SOURCES += bench/workloads/xmalloc.c
bench_workload_CPPFLAGS = $(bench_cppflags)
bench_workload_CFLAGS = $(bench_cflags)
bench_workload_LDADD =

bench_generated = bench/heavy.c
bench/heavy.c: tests/programs/heavy-c.awk
	$(AM_V_GEN)$(MKDIR_P) bench && \
		$(AWK) -f $(top_srcdir)/tests/programs/heavy-c.awk -v functions=90 >$@.new && \
		mv $@.new $@

if HAVE_BENCHMARK
EXTRA_PROGRAMS += bench/micro
bench_micro_SOURCES = bench/micro.c bench/micro.h
bench_micro_CPPFLAGS = $(bench_cppflags)
bench_micro_CFLAGS = $(bench_cflags)
bench_micro_LDADD = bench/micro_shim.o $(BENCHMARK_LIBS) -lstdc++
bench_micro_DEPENDENCIES = bench/micro_shim.o
bench_generated += bench/micro_shim.o

# One line for each pool.
EXTRA_PROGRAMS += bench/cache
bench_cache_SOURCES = bench/cache.c bench/micro.h bench/pools/pool.h
bench_cache_SOURCES += bench/pools/apr.c
bench_cache_SOURCES += bench/pools/g_slice.c
bench_cache_SOURCES += bench/pools/kmem_cache.c
bench_cache_SOURCES += bench/pools/malloc.c
bench_cache_SOURCES += bench/pools/mmap.c
bench_cache_SOURCES += bench/pools/pages.c
bench_cache_SOURCES += bench/pools/rte_mempool.c
bench_cache_SOURCES += bench/pools/talloc.c
bench_cache_CPPFLAGS = $(bench_cppflags) $(public_cppflags) $(POOL_CPPFLAGS)
bench_cache_CFLAGS = $(bench_cflags)
bench_cache_LDFLAGS = -no-install
bench_cache_LDADD = bench/micro_shim.o src/libslabuddy.la $(BENCHMARK_LIBS) $(POOL_LIBS) -lstdc++
bench_cache_DEPENDENCIES = bench/micro_shim.o src/libslabuddy.la

bench/micro_shim.o: bench/micro_shim.cc bench/micro.h
	$(AM_V_GEN)$(MKDIR_P) bench && \
		$(CXX) -std=c++17 -O2 -Wall -Wextra $(BENCHMARK_CFLAGS) -pthread \
		-c -o $@ $(top_srcdir)/bench/micro_shim.cc
endif

CLEANFILES += $(EXTRA_PROGRAMS) $(bench_generated)

source_scripts += bench/driver_test.py bench/fastpath_test.py bench/into_doc_test.py
source_scripts += bench/pools_test.py bench/report_test.py
test_scripts += bench/workloads_test.sh
check_PROGRAMS += bench/measure bench/operations bench/replace bench/workload

clean-local: clean-bench-results
clean-bench-results:
	rm -rf bench/results

bench-programs: $(EXTRA_PROGRAMS) $(bench_generated)

# Options of bench/programs, as in: make bench BENCH_ARGS='-w redis -n 3'
BENCH_ARGS = --rounds 5 --minutes 8
BENCH_MICRO_ARGS = --rounds 4 --minutes 2 --seconds 0.05
BENCH_FULL_ARGS = --rounds 15 --minutes 60 -w default -w full
BENCH_FULL_MICRO_ARGS = --rounds 7 --minutes 15

# The second comparison runs even if something failed in the first.
bench: all bench-programs
	@$(top_srcdir)/bench/programs --build $(abs_builddir) $(BENCH_ARGS); status=$$?; \
	if test -x bench/micro; then \
		$(top_srcdir)/bench/programs --build $(abs_builddir) --micro $(BENCH_MICRO_ARGS) || \
			status=$$?; \
	else \
		echo 'bench: no single operations: Google Benchmark (libbenchmark-dev) was not found'; \
	fi; \
	exit $$status

bench-full:
	@$(MAKE) bench BENCH_ARGS='$(BENCH_FULL_ARGS)' BENCH_MICRO_ARGS='$(BENCH_FULL_MICRO_ARGS)'

BENCH_CACHE_ARGS = --rounds 5 --minutes 5

bench-cache: all bench-programs
	@if test -x bench/cache; then \
		$(top_srcdir)/bench/compare-pools --build $(abs_builddir) $(BENCH_CACHE_ARGS); \
	else \
		echo 'bench-cache: Google Benchmark (libbenchmark-dev) was not found'; exit 1; \
	fi

BENCH_SCALING_ARGS = --rounds 3

bench-scaling: all bench-programs
	@$(top_srcdir)/bench/scaling --build $(abs_builddir) $(BENCH_SCALING_ARGS)

BENCH_MEMORY_ARGS = --rounds 3

bench-memory: all bench-programs
	@$(top_srcdir)/bench/memory --build $(abs_builddir) $(BENCH_MEMORY_ARGS)

bench-fastpath: all bench-programs
	@$(top_srcdir)/bench/fastpath --build $(abs_builddir)

.PHONY: bench bench-cache bench-fastpath bench-full bench-memory bench-programs \
	bench-scaling clean-bench-results

endif
