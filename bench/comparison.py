# SPDX-License-Identifier: MIT
"""What comparisons of programs and of single operations have in common: who takes part, rounds,
progress, notes, and files that are replaced after each round."""

import json
import os
import sys

import config
import machine
import progress


def say(text):
    print("bench: " + text, file=sys.stderr, flush=True)


class Comparison:
    """Everything that one call of bench/programs measures."""

    def __init__(self, options, places):
        self.options = options
        self.build = places["BUILD"]
        self.measure = os.path.join(self.build, "bench", "measure")
        self.out = os.path.abspath(options.out or os.path.join(self.build, "bench", "results"))
        self.notes = []
        self.runs = []
        self.progress = None
        self.everybody = config.chosen_allocators(options, places)
        self.allocators = [a for a in self.everybody if not a.missing]
        for allocator in self.everybody:
            if allocator.missing:
                self.note(f"{allocator.name} is left out: {allocator.missing}")
        if not self.allocators:
            raise config.ConfigError("no allocator is left to measure")
        names = [a.name for a in self.allocators]
        self.base = "glibc" if "glibc" in names else names[0]
        self.machine = machine.describe()

    def note(self, text):
        say(text)
        self.notes.append(text)

    def record(self, workload, allocator, figures):
        self.runs.append(
            {
                "round": self.progress.round,
                "workload": workload,
                "allocator": allocator.name,
                **figures,
            }
        )

    def run_keys(self):
        """What a round consists of, for the progress shown."""
        raise NotImplementedError

    def one_round(self):
        raise NotImplementedError

    def write(self):
        """The report, of all rounds so far."""
        raise NotImplementedError

    def rounds(self):
        """As many as asked for and as time allows."""
        options = self.options
        self.progress = progress.Progress(self.run_keys(), options.rounds, options.minutes * 60)
        while self.progress.may_begin():
            self.one_round()
            self.progress.end_round()
            self.write()
        if self.progress.round < options.rounds:
            self.note(
                f"{self.progress.round} of {options.rounds} rounds, for lack of time: "
                f"a round takes {self.progress.longest_s:.0f} s"
            )
            self.write()

    def in_turn(self):
        """The allocators, beginning with another one each round."""
        at = (self.progress.round - 1) % len(self.allocators)
        return self.allocators[at:] + self.allocators[:at]

    def run_done(self, key, result):
        self.progress.run_done(key)
        say(f"{self.progress.text()}: {' '.join(key)}: {result}")

    def raw(self):
        return {
            "machine": self.machine,
            "options": {
                "rounds": self.options.rounds,
                "SLABUDDY_OPTIONS": os.environ.get("SLABUDDY_OPTIONS", ""),
            },
            "base": self.base,
            "allocators": [
                {
                    "name": a.name,
                    "library": a.library,
                    "environment": a.environment,
                    "missing": a.missing,
                }
                for a in self.everybody
            ],
            "notes": self.notes,
            "runs": self.runs,
        }

    def save(self, name, text):
        os.makedirs(self.out, exist_ok=True)
        path = os.path.join(self.out, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)

    def save_raw(self, name, raw):
        self.save(name, json.dumps(raw, indent=1) + "\n")
