# SPDX-License-Identifier: MIT
"""The comparison of single operations, by Google Benchmark: micro.json and micro.md."""

import os
import subprocess

import comparison
import config
import figure
import results
import runner

LIMIT_S = 300


class Micro(comparison.Comparison):
    """Each run of bench/micro is all operations under one allocator."""

    def __init__(self, options, places):
        super().__init__(options, places)
        self.program = os.path.join(self.build, "bench", "micro")
        if not os.path.exists(self.program):
            raise config.ConfigError(
                "bench/micro is not built: it needs Google Benchmark (libbenchmark-dev), "
                "configure, and `make bench-programs`"
            )
        self.filter = "--benchmark_filter=" + ("|".join(options.workload) or ".")
        self.names = self.ask_names()
        self.not_used = {}
        for allocator in self.allocators:
            why = runner.uses_allocator(self.program, allocator.library)
            if why:
                self.note(f"{allocator.name}: {why}")
                self.not_used[allocator.name] = why

    def ask_names(self):
        """Of the operations, before any of them has run: a failure is one of each."""
        listing = subprocess.run(
            [self.program, "--benchmark_list_tests=true", self.filter],
            stdout=subprocess.PIPE, env=runner.base_environment(), check=False, text=True,
        )  # fmt: skip
        names = [figure.name_of(line) for line in listing.stdout.split()]
        if listing.returncode or not names:
            raise config.ConfigError("no such single operation: " + " ".join(self.options.workload))
        return names

    def run_keys(self):
        return [(a.name,) for a in self.allocators]

    def one_round(self):
        for allocator in self.in_turn():
            self.run_done((allocator.name,), self.one_run(allocator))

    def one_run(self, allocator):
        """Returns what came out, in words."""
        if allocator.name in self.not_used:
            return self.all_failed(allocator, "not in use")
        command = [
            self.program,
            "--benchmark_out=out.json",
            "--benchmark_out_format=json",
            f"--benchmark_min_time={self.options.seconds}",
            self.filter,
        ]
        figures = runner.run(self.measure, command, LIMIT_S, allocator, keep="out.json")
        if "failed" in figures:
            return self.all_failed(allocator, figures["failed"])
        done = {figure.name_of(one["name"]): one for one in figures["kept"]["benchmarks"]}
        for name in self.names:
            one = done.get(name, {"error_message": "no figures"})
            if "error_message" in one:
                self.record(name, allocator, {"failed": one["error_message"]})
            else:
                self.record(name, allocator, figure.figure_of(one))
        return "done"

    def all_failed(self, allocator, why):
        for name in self.names:
            self.record(name, allocator, {"failed": why})
        return "FAILED: " + why

    def raw(self):
        raw = super().raw()
        raw["workloads"] = [{"name": name, "missing": ""} for name in self.names]
        return raw

    def write(self):
        raw = self.raw()
        self.save_raw("micro.json", raw)
        self.save("micro.md", results.join(results.micro_sections(raw)))
