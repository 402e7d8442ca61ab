# SPDX-License-Identifier: MIT
"""bench/memory: a load that holds, one that fails, words that nobody knows; and the real loads, which
must come to rest with what they say."""

import json
import os
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import made_up  # noqa: E402 pylint: disable=wrong-import-position

HERE = os.path.dirname(os.path.realpath(__file__))
BUILD = os.environ.get("abs_top_builddir", os.getcwd())
MIB = 1024  # in KiB

# Stands for bench/memory_loads: has 30 MiB for a moment and keeps 10, or fails.
LOADS = f"""#!{sys.executable}
import mmap, struct, sys, time
if sys.argv[1] == "large":
    sys.exit("no luck today")
with open(sys.argv[2], "r+b") as file:
    shared = mmap.mmap(file.fileno(), 16)
keep = mmap.mmap(-1, 10 << 20)
keep.write(bytes([1]) * (10 << 20))
more = mmap.mmap(-1, 20 << 20)
more.write(bytes([1]) * (20 << 20))
struct.pack_into("Q", shared, 0, 30 << 20)
time.sleep(0.3)
more.close()
struct.pack_into("QQ", shared, 0, 10 << 20, 1)
sys.stdin.read()
"""


def run_memory(build, *arguments):
    return subprocess.run(
        [sys.executable, os.path.join(HERE, "memory"), "--build", build, "-n", "1", *arguments],
        capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if k != "SLABUDDY_OPTIONS"},
    )  # fmt: skip


def runs_of(out):
    with open(os.path.join(out, "memory.json"), encoding="utf-8") as file:
        return json.load(file)["runs"]


class MadeUpTest(unittest.TestCase):
    def setUp(self):
        self.scratch = made_up.build_directory(BUILD, {"bench/memory_loads": LOADS})
        self.addCleanup(self.scratch.cleanup)
        self.out = os.path.join(self.scratch.name, "out")

    def measure(self, *arguments):
        return run_memory(self.scratch.name, "-a", "glibc", "-o", self.out, *arguments)

    def test_load_that_holds(self):
        done = self.measure("-l", "growth")
        self.assertEqual(done.returncode, 0, done.stderr)
        (run,) = runs_of(self.out)
        self.assertEqual(run["live_kib"], 10 * MIB)
        self.assertGreaterEqual(run["peak_kib"], run["rest_kib"] + 18 * MIB)
        self.assertGreaterEqual(max(live for _, _, live in run["samples"]), 30 * MIB * 1024)
        at = [seconds for seconds, _, _ in run["samples"]]
        self.assertEqual(at, sorted(at))
        self.assertGreaterEqual(at[-1], 2)
        self.assertIn("| growth | 10.0 | **", done.stdout)

    def test_missing_allocator(self):
        done = self.measure("-l", "growth", "-a", "none=/no-such.so")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("none is left out: no /no-such.so.", done.stdout)
        self.assertEqual([run["allocator"] for run in runs_of(self.out)], ["glibc"])

    def test_load_that_fails(self):
        done = self.measure("-l", "large")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("ended with 1", runs_of(self.out)[0]["failed"])
        self.assertIn("failed", done.stdout)

    def test_unknown_words(self):
        done = self.measure("-l", "no-such")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no load no-such", done.stderr)
        self.assertEqual(run_memory(self.scratch.name, "-a", "no-such").returncode, 2)
        self.assertEqual(run_memory("/no-such").returncode, 2)


class RealTest(unittest.TestCase):
    def test_loads_come_to_rest(self):
        scratch = made_up.build_directory(BUILD, {})
        self.addCleanup(scratch.cleanup)
        loads = ["growth", "classes", "lifetimes", "large", "sleeping", "threads"]
        words = [word for load in loads for word in ("-l", load)]
        done = run_memory(BUILD, "-a", "glibc", "-o", scratch.name, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        runs = {run["workload"]: run for run in runs_of(scratch.name)}
        self.assertEqual(list(runs), list(loads[:4]) + ["sleeping", "threads"])
        for load, run in runs.items():
            self.assertGreater(run["rest_kib"], run["live_kib"], load)
            self.assertGreaterEqual(run["peak_kib"], run["rest_kib"], load)
        self.assertEqual(runs["sleeping"]["live_kib"], 0)
        self.assertEqual(runs["threads"]["live_kib"], 0)
        self.assertGreater(runs["growth"]["peak_kib"], 200 * MIB)


if __name__ == "__main__":
    unittest.main()
