/* SPDX-License-Identifier: MIT */
/* Google Benchmark for C: micro.c says what is measured, micro_shim.cc calls the library. */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#ifdef __cplusplus
extern "C" {
#endif

/* How many turns a benchmark makes between two questions whether to go on: one would cost more
 * than a malloc. A power of two, arbitrary. */
enum { MICRO_BATCH = 1024 };

struct micro; /* a benchmark that is running */
typedef void micro_fn(struct micro *micro, unsigned long arg);

/**
 * micro_go_on() - is there another batch of MICRO_BATCH turns to make?
 * @micro: the benchmark that is running
 *
 * Every thread of a benchmark is given the same number of batches.
 */
int micro_go_on(struct micro *micro);

/* The same for turns that take long: a batch is nr turns. */
int micro_go_on_by(struct micro *micro, unsigned int nr);

/* Which of the benchmark's threads this is, from 0. */
unsigned int micro_thread(const struct micro *micro);

/* How many operations a turn makes: the time shown is that of one operation. */
void micro_operations_a_turn(struct micro *micro, unsigned long nr);

/* Add a benchmark: fn(micro, arg) on each of nr_threads threads. */
void micro_add(const char *name, micro_fn *fn, unsigned long arg, unsigned int nr_threads);

/* Put a line into what the program reports of itself. */
void micro_note(const char *key, const char *text);

/* Defined by micro.c and cache.c: calls micro_add() for each benchmark. */
void micro_add_all(void);

#ifdef __cplusplus
}
#endif

#endif
