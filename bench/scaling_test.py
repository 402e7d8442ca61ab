# SPDX-License-Identifier: MIT
"""bench/scaling with a made-up bench/scaling_loads: speeds, ratios, counters for 1,000
operations, what failed; and the real one, whose loads it must know."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import made_up  # noqa: E402 pylint: disable=wrong-import-position

HERE = os.path.dirname(os.path.realpath(__file__))
BUILD = os.environ.get("abs_top_builddir", os.getcwd())
SLABUDDY = os.path.join(BUILD, "src", ".libs", "libslabuddy-malloc.so")

# Stands for bench/scaling_loads: a second for 1,000,000 operations; two threads of "fast" are twice as fast
# as one, those of any other are not; "threads" fails. A shell takes its malloc from libc, Python does not.
LOADS = """#!/bin/sh
[ "$1" = threads ] && { echo "no luck today" >&2; exit 1; }
[ "$1" = --version ] && exit
total=$(($2 * $3))
if [ "$KIND" = fast ]; then
	seconds=$(($3 / 1000000))
	counters='"lock_slot": '$((total / 100))', "lock_slot_wait": '$((total / 1000))',
		"lock_barn": '$((total / 200))', "lock_barn_wait": 0, "lock_node": 0, "lock_node_wait": 0,
		"lock_zone": '$((total / 500))', "lock_zone_wait": '$((total / 5000))', "lock_slots": 0,
		"lock_slots_wait": 0, "lock_meta": 0, "lock_meta_wait": 0,
		"lock_huge": '$((total / 1000))', "lock_huge_wait": 0, "barn_get": '$((total / 400))',
		"barn_put": '$((total / 400))', "barn_remote": '$((total / 800))',
		"remote_free": '$((total / 2))
else
	seconds=$((total / 1000000))
	counters=
fi
echo '{"operations": '$total', "seconds": '$seconds', "counters": {'"$counters"'}}' >"$4"
"""


def run_scaling(build, *arguments):
    return subprocess.run(
        [sys.executable, os.path.join(HERE, "scaling"), "--build", build, *arguments],
        capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if k != "SLABUDDY_OPTIONS"},
    )  # fmt: skip


class MadeUpTest(unittest.TestCase):
    """One measurement, looked at from several sides."""

    @classmethod
    def setUpClass(cls):
        allocators = "fast libc.so.6 KIND=fast\nslow libc.so.6 KIND=slow\nnone libno-such.so.9\n"
        files = {"bench/scaling_loads": LOADS, "allocators": allocators}
        cls.scratch = made_up.build_directory(BUILD, files)
        top = cls.scratch.name
        cls.allocators = os.path.join(top, "allocators")
        cls.result = run_scaling(
            top, "-l", "pairs", "-l", "threads", "-t", "1", "-t", "2", "-n", "2", "-s", "0.01",
            "--allocators", cls.allocators,
        )  # fmt: skip
        results = os.path.join(top, "bench", "results")
        if not os.path.isdir(results):
            raise AssertionError(cls.result.stderr)
        with open(os.path.join(results, "scaling.md"), encoding="utf-8") as file:
            cls.text = file.read()
        with open(os.path.join(results, "scaling.json"), encoding="utf-8") as file:
            cls.raw = json.load(file)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_speeds_and_ratios(self):
        self.assertIn("| fast | **1.00** | **2.00 (2.00)** |", self.text)
        self.assertIn("| slow | **1.00** | 1.00 (1.00) |", self.text)
        self.assertIn("| none | no libno-such.so.9 is installed | |", self.text)

    def test_counters(self):
        # slot, shared; barn, node, zone, slots, meta, others; waits; barns, of another, remote frees
        self.assertIn(
            "| pairs | 2 | 10.0 | 8.00 | 5.00 | 0 | 2.00 | 0 | 0 | 1.00 | 100 | 25.0 | 5.00 "
            "| 1.25 | 500 |",
            self.text,
        )
        rows = self.raw["counters_for_1000_operations"]
        self.assertEqual({(row["load"], row["threads"]) for row in rows}, {("pairs", 1), ("pairs", 2)})

    def test_failures(self):
        self.assertEqual(self.result.returncode, 1)
        self.assertIn("| fast | failed (exit status 1: no luck today) |", self.text)
        failed = [run for run in self.raw["runs"] if "failed" in run]
        self.assertEqual({run["load"] for run in failed}, {"threads"})
        self.assertEqual(len(failed), 2 * 2 * 2)

    def test_refusals(self):
        for arguments in (["-l", "nosuch"], ["-a", "nosuch"], ["-a", "none"]):
            result = run_scaling(self.scratch.name, "--allocators", self.allocators, *arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn("no", result.stderr)


@unittest.skipUnless(os.path.exists(SLABUDDY), "no shared library is built")
class RealTest(unittest.TestCase):
    """Every load runs, and slabuddy's counters come along."""

    def test_each_load(self):
        with tempfile.TemporaryDirectory(prefix="slabuddy-bench-test.") as out:
            result = run_scaling(
                BUILD, "-n", "1", "-s", "0.001", "-t", "1", "-t", "3", "-o", out,
                "-a", "glibc", "-a", "slabuddy",
            )  # fmt: skip
            self.assertEqual(result.returncode, 0, result.stderr)
            with open(os.path.join(out, "scaling.json"), encoding="utf-8") as file:
                raw = json.load(file)
        self.assertEqual(len(raw["runs"]), 2 * 2 * 6)
        for run in raw["runs"]:
            self.assertEqual(bool(run["counters"]), run["allocator"] == "slabuddy")
        rows = {(row["load"], row["threads"]): row for row in raw["counters_for_1000_operations"]}
        self.assertEqual(len(rows), 2 * 6)
        # one to take a slot, one to give it back, for each thread
        self.assertAlmostEqual(rows["threads", 1]["slots"], 2000, delta=100)


if __name__ == "__main__":
    unittest.main()
