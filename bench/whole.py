# SPDX-License-Identifier: MIT
"""The comparison of whole programs: results.json, results.md and pictures."""

import os

import comparison
import config
import results
import runner


def chosen_workloads(options, places):
    known = config.read_workloads(options.workloads, places)
    return config.choose(known, options.workload or ["default"], "workload")


class Programs(comparison.Comparison):
    """Whole programs, each a line of workloads.conf."""

    def __init__(self, options, places):
        super().__init__(options, places)
        self.listed = chosen_workloads(options, places)
        self.workloads = [w for w in self.listed if not w.missing]
        for workload in self.listed:
            if workload.missing:
                self.note(f"{workload.name} is left out: {workload.missing}")
        if not self.workloads:
            raise config.ConfigError("no workload is left to run")
        self.given_up = set()  # (workload, allocator) that ran out of time
        self.not_used = {}  # (workload, allocator) -> why
        self.ask_linker()

    def ask_linker(self):
        """Once for a program, however many workloads run it."""
        programs = {w.program: [] for w in self.workloads}
        for workload in self.workloads:
            programs[workload.program].append(workload.name)
        for program, names in programs.items():
            for allocator in self.allocators:
                why = runner.uses_allocator(program, allocator.library)
                if why:
                    self.note(f"{', '.join(names)}, {allocator.name}: {why}")
                    self.not_used.update({(name, allocator.name): why for name in names})
            giver = runner.malloc_giver(program, "")
            if giver and not os.path.basename(giver).startswith("libc.so"):
                self.note(
                    f"{program} is linked with {giver}: each row's library, glibc's too, is "
                    "preloaded before it and gives it malloc; its statistics calls (mallctl) "
                    "still go to the one it is linked with"
                )

    def run_keys(self):
        return [(w.name, a.name) for w in self.workloads for a in self.allocators]

    def one_round(self):
        for workload in self.workloads:
            for allocator in self.in_turn():
                self.run_done((workload.name, allocator.name), self.one_run(workload, allocator))

    def one_run(self, workload, allocator):
        """Returns what came out, in words."""
        key = (workload.name, allocator.name)
        if key in self.not_used:
            self.record(workload.name, allocator, {"failed": "not in use"})
            return "FAILED: not in use"
        if key in self.given_up:
            return "timeout before, so not tried again"
        figures = runner.run(
            self.measure, workload.command, workload.limit_s, allocator, workload.measures_itself
        )
        self.record(workload.name, allocator, figures)
        if figures.get("failed") == "timeout":
            self.given_up.add(key)
            self.note(f"{workload.name}, {allocator.name}: timeout; not tried again")
        if "failed" in figures:
            return "FAILED: " + figures["failed"]
        return f"{figures['wall_s']:.2f} s, {figures['peak_kib'] / 1024:.1f} MiB"

    def raw(self):
        raw = super().raw()
        # One that is compiled here is there to measure allocators; the others are for real.
        ours = os.path.join(self.build, "bench") + os.sep
        raw["workloads"] = [
            {
                "name": w.name,
                "set": w.set,
                "command": w.command,
                "real": not w.program.startswith(ours),
                "missing": w.missing,
            }
            for w in self.listed
        ]
        return raw

    def write(self):
        raw = self.raw()
        self.save_raw("results.json", raw)
        pictures = results.draw_programs(raw, self.out)
        self.save("results.md", results.join(results.program_sections(raw, pictures)))
