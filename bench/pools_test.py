# SPDX-License-Identifier: MIT
"""bench/compare-pools with made-up pools: which is the fastest, what is noisy,
failed or missing, and that two threads are timed by the clock on the wall."""

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

# Stands for bench/cache. A run's wall time is twice its processor time.
CACHE = """#!/usr/bin/python3
import json, os, re, sys
TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
options = dict(word.lstrip("-").partition("=")[::2] for word in sys.argv[1:])
with open(TOP + "/calls", "a+") as calls:
    calls.write("call\\n")
    calls.seek(0)
    number = len(calls.readlines())
names = {"nothing": 0.5, "fast/pair": 4, "slow/pair": 6, "slow/pair, 2 threads": 8,
         "noisy/pair": 10 + number, "broken/pair": 1}
report = {"context": {"pool fast": "", "pool slow": "", "pool noisy": "", "pool broken": "",
                      "pool absent": "libabsent-dev"}, "benchmarks": []}
for name, cpu in names.items():
    threads = 2 if "2" in name else 1
    name += f"/real_time/threads:{threads}"
    if re.search(options["benchmark_filter"], name):
        if "broken" in name:
            sys.exit("no luck today")
        report["benchmarks"].append({"name": name, "threads": threads, "cpu_time": cpu * 3,
            "real_time": cpu * 6, "items_per_second": 1e9 / (cpu * 2)})
out = options.get("benchmark_out")
json.dump(report, open(out, "w") if out else sys.stdout)
"""


class PoolsTest(unittest.TestCase):
    """One comparison, looked at from several sides."""

    @classmethod
    def setUpClass(cls):
        files = {"bench/cache": CACHE, "allocators": "none libno-such-malloc.so.9\n"}
        cls.scratch = made_up.build_directory(BUILD, files)
        top = cls.scratch.name
        cls.result = subprocess.run(
            [
                sys.executable, os.path.join(HERE, "compare-pools"), "--build", top, "-n", "3",
                "--allocators", os.path.join(top, "allocators"),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        with open(os.path.join(top, "bench", "results", "cache.json"), encoding="utf-8") as file:
            cls.raw = json.load(file)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def figure(self, row, case):
        return next(
            one for one in self.raw["figures"] if one["row"] == row and one["case"] == case
        )

    def test_failure_shows(self):
        self.assertEqual(self.result.returncode, 1)
        self.assertIn("| broken (failed: no luck today) | – |", self.result.stdout)

    def test_missing_is_named(self):
        self.assertIn("| absent | not built: libabsent-dev was not found |", self.result.stdout)
        self.assertIn("| malloc, none | no libno-such-malloc.so.9 is installed |", self.result.stdout)

    def test_ratios(self):
        self.assertIn("| fast | **4.00 (1.00)** |", self.result.stdout)
        self.assertIn("| slow | 6.00 (1.50) |", self.result.stdout)
        self.assertAlmostEqual(self.figure("slow", "pair")["ratio_to_fastest"], 1.5)

    def test_noise_is_marked(self):
        self.assertTrue(self.figure("noisy", "pair")["noisy"])
        self.assertFalse(self.figure("fast", "pair")["noisy"])
        self.assertRegex(self.result.stdout, r"\| noisy \| [0-9.]+ \([0-9.]+\) ~ \|")

    def test_time_of_threads(self):
        self.assertAlmostEqual(self.figure("slow", "pair, 2 threads")["nanoseconds"], 16)

    def test_rounds_and_order(self):
        order = [run["row"] for run in self.raw["runs"] if run.get("case", "pair") == "pair"]
        self.assertEqual(order[:4], ["broken", "fast", "noisy", "slow"])
        self.assertEqual(order[4:8], ["fast", "noisy", "slow", "broken"])
        self.assertEqual(len(order), 12)


if __name__ == "__main__":
    unittest.main()
