# SPDX-License-Identifier: MIT
"""The comparison's own test: what fails is shown as failed, what is missing is
named, and the figures are those of the program that ran. A few seconds."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import made_up  # noqa: E402 pylint: disable=wrong-import-position

HERE = os.path.dirname(os.path.realpath(__file__))
BUILD = os.environ.get("abs_top_builddir", os.getcwd())

ALLOCATORS = """
glibc   libc.so.6
plain   -           SET_FOR_IT=1 SET_FOR_IT=2 ALONE=3
absent  libno-such-malloc.so.9
"""

# No shell reads these, so no quotes; and $ is for $BENCH and $BUILD.
WORKLOADS = """
fine     default 20  $BUILD/bench/replace  $BUILD/bench/replace 2 100 8 100 2 1000
memory   default 20  perl     perl -e length("x"x(64<<20))
fails    default 20  perl     perl -e die("as_it_should")
killed   default 20  perl     perl -MPOSIX -e POSIX::raise(9)
hangs    default 1   perl     perl -e sleep(30)
silent   default 20  perl     self: perl -e 1
itself   default 20  perl     self: perl TOP/itself.pl
inside   default 20  perl     self: sh TOP/inside.sh $BUILD/bench/measure
absent   default 20  no-such-program  no-such-program
unasked  other   20  perl     perl -e 1
"""

ITSELF = """
die "preloaded" if $ENV{LD_PRELOAD};
open(my $out, ">", $ENV{BENCH_FIGURES}) or die;
print $out '{"wall_s": 12.5, "peak_kib": 2048}';
"""

INSIDE = """
[ -z "${LD_PRELOAD-}" ] && exec "$1" "$BENCH_FIGURES" 10 perl -e 'exit(7)'
"""


class DriverTest(unittest.TestCase):
    """One comparison, looked at from several sides."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="slabuddy-bench-test.")
        top = cls.scratch.name
        for name, text in (
            ("allocators", ALLOCATORS),
            ("workloads", WORKLOADS.replace("TOP", top)),
            ("itself.pl", ITSELF),
            ("inside.sh", INSIDE),
        ):
            with open(os.path.join(top, name), "w", encoding="utf-8") as file:
                file.write(text)
        cls.result = subprocess.run(
            [
                sys.executable, os.path.join(HERE, "programs"), "--build", BUILD, "-n", "2",
                "--allocators", os.path.join(top, "allocators"),
                "--workloads", os.path.join(top, "workloads"), "-o", os.path.join(top, "out"),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        with open(os.path.join(top, "out", "results.json"), encoding="utf-8") as file:
            cls.raw = json.load(file)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def runs(self, workload, allocator="glibc"):
        return [
            run
            for run in self.raw["runs"]
            if run["workload"] == workload and run["allocator"] == allocator
        ]

    def test_failures_show(self):
        self.assertEqual(self.result.returncode, 1)
        for workload, reason in (
            ("fails", "exit status"),
            ("killed", "signal 9"),
            ("hangs", "timeout"),
            ("silent", "no figures"),
            ("inside", "exit status 7"),
        ):
            for run in self.runs(workload):
                self.assertIn(reason, run["failed"])
            self.assertRegex(self.result.stdout, rf"\| {workload} \| failed \({reason}")
        self.assertIn("as_it_should", self.runs("fails")[0]["stderr"])

    def test_timeout_is_not_repeated(self):
        self.assertEqual(len(self.runs("hangs")), 1)
        self.assertLess(self.runs("hangs")[0]["wall_s"], 10)

    def test_missing_is_named(self):
        self.assertIn("absent is left out: no libno-such-malloc.so.9", self.result.stdout)
        self.assertIn("absent is left out: no no-such-program", self.result.stdout)

        # and have a row and a column
        self.assertRegex(self.result.stdout, r"\| \| glibc \| plain \| absent \|")
        self.assertRegex(self.result.stdout, r"\| absent \| missing \| missing \| missing \|")
        self.assertRegex(self.result.stdout, r"\| fine \| [0-9.]+ .*\| [0-9.]+ .*\| missing \|")

    def test_variables(self):
        environment = {"SET_FOR_IT": "1 2", "ALONE": "3"}
        self.assertEqual(self.raw["allocators"][1]["environment"], environment)

    def test_progress(self):
        # 10 workloads but for the two that do not run, 2 allocators
        self.assertIn("round 1/2, 16/16, ", self.result.stderr)
        self.assertRegex(self.result.stderr, r"round 2/2, 1/16, .* left: fine plain: ")
        self.assertIn("hangs glibc: timeout before, so not tried again", self.result.stderr)

    def test_pictures(self):
        if not shutil.which("gnuplot"):
            self.assertIn("no pictures: gnuplot is not installed", self.result.stdout)
            return
        for name in ("results.svg", "means.svg", "scatter.svg"):
            self.assertIn(f"({name})", self.result.stdout)
            with open(os.path.join(self.scratch.name, "out", name), encoding="utf-8") as file:
                picture = file.read()
            self.assertIn("</svg>", picture)
            self.assertIn("plain", picture)

    def test_figures(self):
        for run in self.runs("fine") + self.runs("fine", "plain"):
            self.assertNotIn("failed", run)
            self.assertGreater(run["wall_s"], 0)
            self.assertLess(run["peak_kib"], 30 << 10)
        for run in self.runs("memory"):
            self.assertGreater(run["peak_kib"], 64 << 10)
            self.assertLess(run["peak_kib"], 200 << 10)
        self.assertEqual([run["wall_s"] for run in self.runs("itself")], [12.5, 12.5])

    def test_rounds_and_order(self):
        order = [run["allocator"] for run in self.raw["runs"] if run["workload"] == "fine"]
        self.assertEqual(order, ["glibc", "plain", "plain", "glibc"])

    def test_sets(self):
        self.assertEqual(self.runs("unasked"), [])


# Stands for bench/micro: does what the variables say that are set for an allocator.
MICRO = """#!/usr/bin/python3
import json, os, sys
options = dict(word.lstrip("-").partition("=")[::2] for word in sys.argv[1:])
names = ["nothing/real_time/threads:1", "pair/64/real_time/threads:1", "pair/9/real_time/threads:1"]
if "benchmark_list_tests" in options:
    print("\\n".join(name for name in names if options["benchmark_filter"] in (".", name[:7])))
    sys.exit()
if "CRASH" in os.environ:
    os.kill(os.getpid(), 11)
threads = 2 if "TWO" in os.environ else 1
rows = [{"name": name, "items_per_second": 1e8, "cpu_time": 12, "real_time": 24, "threads": threads}
        for name in names]
if "LACK" in os.environ:
    rows[1] = {"name": names[1], "error_occurred": True, "error_message": "no luck"}
    del rows[2]
json.dump({"benchmarks": rows}, open(options["benchmark_out"], "w"))
"""

MICRO_ALLOCATORS = """
glibc   -
lacking -           LACK=1
crash   -           CRASH=1
twice   -           TWO=1
absent  libno-such-malloc.so.9
"""


class MicroTest(unittest.TestCase):
    """Single operations, of a program that does as told."""

    @classmethod
    def setUpClass(cls):
        files = {"bench/micro": MICRO, "allocators": MICRO_ALLOCATORS}
        cls.scratch = made_up.build_directory(BUILD, files)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def micro(self, *arguments):
        top = self.scratch.name
        return subprocess.run(
            [
                sys.executable, os.path.join(HERE, "programs"), "--build", top, "--micro",
                "-n", "1", "--allocators", os.path.join(top, "allocators"), *arguments,
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def test_rows(self):
        result = self.micro()
        self.assertEqual(result.returncode, 1)
        self.assertIn("| | glibc | lacking | crash | twice | absent |", result.stdout)
        for name, why in (("pair/64", "no luck"), ("pair/9", "no figures")):
            self.assertIn(
                f"| {name} | 5.00 (1.00) | failed ({why}) | failed (signal 11) | 10.0 (2.00) | missing |",
                result.stdout,
            )
        self.assertIn("and part of each other row: 5.00 ns", result.stdout)

    def test_filter(self):
        result = self.micro("-w", "pair/64", "-a", "glibc")
        self.assertEqual(result.returncode, 0)
        self.assertIn("| pair/64 |", result.stdout)
        self.assertNotIn("| pair/9 |", result.stdout)
        result = self.micro("-w", "no_such")
        self.assertEqual(result.returncode, 2)
        self.assertIn("no such single operation: no_such", result.stderr)


if __name__ == "__main__":
    unittest.main()
