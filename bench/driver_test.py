# SPDX-License-Identifier: MIT
"""The comparison's own test: what fails is shown as failed, what is missing is
named, and the figures are those of the program that ran. A few seconds."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
BUILD = os.environ.get("abs_top_builddir", os.getcwd())

ALLOCATORS = """
glibc   libc.so.6
plain   -           SET_FOR_IT=1
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
absent   default 20  no-such-program  no-such-program
unasked  other   20  perl     perl -e 1
"""

ITSELF = """
die "preloaded" if $ENV{LD_PRELOAD};
open(my $out, ">", $ENV{BENCH_FIGURES}) or die;
print $out '{"wall_s": 12.5, "peak_kib": 2048}';
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


if __name__ == "__main__":
    unittest.main()
