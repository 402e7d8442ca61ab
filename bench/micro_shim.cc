// SPDX-License-Identifier: MIT
// The only file here in C++: Google Benchmark behind the C calls of micro.h.
#include "micro.h"

#include <benchmark/benchmark.h>

struct micro {
	benchmark::State &state;
	unsigned long operations;
};

int micro_go_on(struct micro *micro)
{
	return micro->state.KeepRunningBatch(MICRO_BATCH);
}

int micro_go_on_by(struct micro *micro, unsigned int nr)
{
	return micro->state.KeepRunningBatch(nr);
}

unsigned int micro_thread(const struct micro *micro)
{
	return micro->state.thread_index();
}

void micro_operations_a_turn(struct micro *micro, unsigned long nr)
{
	micro->operations = nr;
}

void micro_add(const char *name, micro_fn *fn, unsigned long arg, unsigned int nr_threads)
{
	benchmark::RegisterBenchmark(name, [fn, arg](benchmark::State &state) {
		struct micro micro = { state, 1 };

		fn(&micro, arg);
		// Items are operations, counted by one thread for all: the driver
		// turns items a second into nanoseconds an operation, where the
		// library's own time of a turn is divided by the threads.
		if (state.thread_index() == 0)
			state.SetItemsProcessed(state.iterations() * micro.operations);
	})->Threads(nr_threads)->UseRealTime();
}

void micro_note(const char *key, const char *text)
{
	benchmark::AddCustomContext(key, text);
}

int main(int argc, char **argv)
{
	micro_add_all();
	benchmark::Initialize(&argc, argv);
	if (benchmark::ReportUnrecognizedArguments(argc, argv))
		return 2;
	benchmark::RunSpecifiedBenchmarks();
	return 0;
}
