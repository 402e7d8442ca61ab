# SPDX-License-Identifier: MIT
"""The report of made-up runs, whose means, noise and goals can be worked out by hand."""

import os
import sys
import tempfile
import unittest
import unittest.mock

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

# pylint: disable=wrong-import-position
import goals  # noqa: E402
import progress  # noqa: E402
import report  # noqa: E402
import results  # noqa: E402

# Wall times by workload and allocator; None is a run that failed.
TIMES = {
    "even": {"glibc": [2, 2, 2], "jemalloc": [1, 1, 1], "slabuddy": [1, 1, 1]},
    "slow": {"glibc": [4, 4, 4], "jemalloc": [2, 2, 2], "slabuddy": [4, 4, 4]},
    "close": {"glibc": [9, 9, 9], "jemalloc": [1, 1.02, 1.1], "slabuddy": [1, 1.06, 1.12]},
    "replace-1": {"glibc": [2, 2, 2], "jemalloc": [2, 2, 2], "slabuddy": [1.7, 1.8, 2.4]},
    "broken": {"glibc": [1, 1, 1], "jemalloc": [1, None, 1], "slabuddy": [None, None, None]},
}


def one_run(workload, allocator, seconds):
    run = {"round": 1, "workload": workload, "allocator": allocator}
    if seconds is None:
        return {**run, "failed": "signal 11"}
    return {
        **run,
        "wall_s": seconds,
        "user_s": seconds / 2,
        "system_s": seconds / 4,
        "peak_kib": 1024 * (3 if allocator == "slabuddy" else 2),
        "minor_faults": 5000,
    }


def raw_results(workloads=tuple(TIMES), missing=()):
    """As results.json; missing: allocators."""
    allocators = ["glibc", "jemalloc", "mimalloc", "slabuddy"]
    return {
        "machine": {key: "?" for key in (
            "cpu", "cpus", "memory_mib", "kernel", "system", "libc", "thp", "overcommit",
        )},
        "options": {"rounds": 3, "SLABUDDY_OPTIONS": ""},
        "base": "glibc",
        "notes": [],
        "allocators": [
            {"name": a, "library": a, "environment": {}, "missing": "none" if a in missing else ""}
            for a in allocators if a != "mimalloc" or a in missing
        ],
        "workloads": [
            {"name": w, "set": "default", "command": [], "real": w == "close", "missing": ""}
            for w in workloads
        ] + [{"name": "gone", "set": "default", "command": [], "real": True, "missing": "no gone"}],
        "runs": [
            one_run(workload, allocator, seconds)
            for workload in workloads
            for allocator, times in TIMES[workload].items()
            for seconds in times
        ],
    }  # fmt: skip


def lines_of(section):
    return [line for line in section.splitlines() if line.startswith("- ")]


class ReportTest(unittest.TestCase):
    """Sections of Markdown."""

    def setUp(self):
        self.sections = results.program_sections(raw_results(missing=["mimalloc"]))

    def row(self, section, name):
        for line in self.sections[section].splitlines():
            if line.startswith(f"| {name} |"):
                return [cell.strip() for cell in line.split("|")[2:-1]]
        self.fail(f"no row {name} in {section}")

    def test_cells(self):
        self.assertEqual(
            self.row("wall", "replace-1"),
            ["2.00 (1.00)", "2.00 (1.00)", "missing", "1.80 (0.90) ~"],
        )
        self.assertEqual(self.row("wall", "gone"), ["missing"] * 4)
        self.assertEqual(
            self.row("wall", "broken"),
            ["1.00 (1.00)", "1.00 (1.00), 1 of 3 failed", "missing", "failed (signal 11)"],
        )
        self.assertEqual(self.row("processor", "slow")[3], "2.00 + 1.00 (1.00)")
        self.assertEqual(self.row("peak", "even")[3], "3.00 (1.50)")
        self.assertEqual(self.row("faults", "even")[0], "5.00 (1.00)")

    def test_means(self):
        # slabuddy's ratios to the best: 1, 2, 1.06 / 1.02, 0.9 / 0.9
        self.assertEqual(
            self.row("means", "wall time, ratio to the best of all in each row")[2], "1.20 of 4"
        )
        self.assertEqual(
            self.row("means", "wall time · peak memory, ratio to the best of all")[2],
            "1.20 of 4 · 1.50 of 4",
        )
        # and to glibc: 0.5, 1, 1.06 / 9, 0.9
        self.assertEqual(self.row("means", "wall time, ratio to glibc")[2], "0.48 of 4")
        self.assertEqual(self.row("means", "peak memory, ratio to glibc")[2], "1.50 of 4")

    def test_behind(self):
        lines = lines_of(self.sections["behind"])
        self.assertEqual(len(lines), 5)
        self.assertTrue(lines[0].startswith("- even: peak memory 1.50 times glibc's"))
        self.assertIn("slow: wall time 2.00 times jemalloc's; processor", lines[1])
        self.assertIn("close: wall time 1.04 times jemalloc's (inside the noise)", lines[2])
        self.assertNotIn("wall time", lines[3])
        self.assertEqual(lines[4], "- broken: failed, see the table")

    def test_without_ours(self):
        raw = raw_results()
        raw["allocators"].pop()
        raw["runs"] = [run for run in raw["runs"] if run["allocator"] != "slabuddy"]
        sections = results.program_sections(raw)
        self.assertNotIn("behind", sections)
        self.assertNotIn("goals", sections)

    def test_nothing_measured(self):
        raw = raw_results(["broken"])
        raw["runs"] = [one_run("broken", a, None) for a in ("glibc", "jemalloc", "slabuddy")]
        sections = results.program_sections(raw)
        self.assertIn("failed (signal 11)", sections["wall"])
        self.assertIn("failed: broken: **not met**", sections["goals"])


class GoalsTest(unittest.TestCase):
    """Met, not met, not known."""

    def goals(self, *workloads, missing=()):
        return lines_of(results.program_sections(raw_results(workloads, missing))["goals"])

    def test_each_workload(self):
        self.assertIn("0 of 2 above", self.goals("even", "close")[0])
        self.assertTrue(self.goals("even", "close")[0].endswith("**met**"))
        line = self.goals("even", "close", "slow")[0]
        self.assertIn("1 of 3 above, 0 of these inside the noise; the most 2.00 (slow, jem", line)
        self.assertTrue(line.endswith("**not met**"))
        self.assertIn("failed: broken: **not met**", self.goals("even", "broken")[0])

    def test_mean(self):
        line = self.goals("replace-1")[1]
        self.assertIn("0.90 times jemalloc's (processor time: 0.90): **met**", line)
        self.assertIn("1.00 times jemalloc's (processor time: 1.00): **not", self.goals("even")[1])

    def test_memory(self):
        self.assertIn("not measured: mimalloc: **not known**", self.goals("even")[2])
        self.assertIn("**not known**", self.goals("even", missing=["mimalloc"])[2])
        raw = raw_results(["even"])
        raw["allocators"].append(dict(raw["allocators"][0], name="mimalloc"))
        raw["runs"].append(one_run("even", "mimalloc", 1))
        line = lines_of(results.program_sections(raw)["goals"])[2]
        self.assertIn("1.50 times", line)
        self.assertTrue(line.endswith("**not met**"))

    def test_real_programs(self):
        self.assertIn("none: **met**", self.goals("close", "slow")[3])
        raw = raw_results(["slow"])
        raw["workloads"][0]["real"] = True
        line = lines_of(results.program_sections(raw)["goals"])[3]
        self.assertIn("geometric mean wall time 2.00, processor time 2.00 times", line)
        self.assertIn("slow processor time 2.00 times jemalloc's: **not met**", line)
        # one of the two times is enough
        for run in raw["runs"]:
            run["wall_s"] = 1
        line = lines_of(results.program_sections(raw)["goals"])[3]
        self.assertIn("; slow processor time 2.00 times jemalloc's: **not met**", line)

    def test_some_workloads(self):
        line = self.goals("replace-1", "even")[4]
        self.assertIn("large set: at most 0.9 times the best peer's time: replace-1 0.90", line)
        self.assertTrue(line.endswith("**met**"))
        self.assertIn("not measured: **not known**", self.goals("even")[4])

    def test_operations(self):
        cells = {
            ("pair/64", "glibc"): report.Cell([10]),
            ("pair/64", "slabuddy"): report.Cell([7.1]),
        }
        lines = goals.of_operations(cells, ["pair/64"], ["glibc", "slabuddy"], "slabuddy")
        self.assertIn("pair/64 0.71 (glibc): **not met**", lines[0])
        self.assertIn("**not known**", lines[1])


class PicturesTest(unittest.TestCase):
    """Without a gnuplot, and with one that fails."""

    def draw_with(self, gnuplot):
        with tempfile.TemporaryDirectory(prefix="slabuddy-bench-test.") as scratch:
            if gnuplot:
                path = os.path.join(scratch, "gnuplot")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(gnuplot)
                os.chmod(path, 0o755)
            with unittest.mock.patch.dict(os.environ, {"PATH": scratch}):
                return results.draw_programs(raw_results(), os.path.join(scratch, "out"))

    def test_no_gnuplot(self):
        self.assertEqual(self.draw_with(""), ["no pictures: gnuplot is not installed"])

    def test_failing_gnuplot(self):
        lines = self.draw_with("#!/bin/sh\necho no terminal >&2\nexit 1\n")
        self.assertEqual(lines[0], "no results.svg: gnuplot: no terminal")
        self.assertEqual(len(lines), 3)

    def test_fine_gnuplot(self):
        lines = self.draw_with("#!/bin/sh\n")
        self.assertEqual(lines[2], "![time against memory](scatter.svg)")


class NoiseTest(unittest.TestCase):
    """Quartiles that overlap."""

    def test_within_noise(self):
        one = report.Cell([10, 11, 12, 13, 30])  # 11 to 13
        self.assertTrue(report.within_noise(one, report.Cell([12.9, 14, 14, 14, 15])) is False)
        self.assertTrue(report.within_noise(one, report.Cell([12, 12.9, 14, 15, 15])))
        self.assertTrue(report.within_noise(report.Cell([5]), report.Cell([5])))
        self.assertFalse(report.within_noise(report.Cell([5]), report.Cell([6])))

    def test_mark(self):
        self.assertFalse(report.Cell([100, 114]).noisy)
        self.assertTrue(report.Cell([100, 120]).noisy)
        self.assertFalse(report.Cell([]).noisy)


class ProgressTest(unittest.TestCase):
    """With a clock of its own."""

    def setUp(self):
        self.now = 1000.0

    def some(self, rounds, limit_s):
        return progress.Progress(["a", "b", "c"], rounds, limit_s, lambda: self.now)

    def run_all(self, those):
        for key, seconds in (("a", 10), ("b", 20), ("c", 30)):
            self.now += seconds
            those.run_done(key)
        those.end_round()

    def test_left(self):
        those = self.some(3, 0)
        self.assertTrue(those.may_begin())
        self.now += 10
        those.run_done("a")
        # b and c as long as a, and two more rounds of three
        self.assertEqual(those.left_s(), 20 + 2 * 30)
        self.now += 20
        those.run_done("b")
        self.assertEqual(those.left_s(), 15 + 2 * 45)
        self.assertEqual(those.text(), "round 1/3, 2/3, 2 min left")

    def test_limit(self):
        those = self.some(9, 130)
        self.assertTrue(those.may_begin())
        self.run_all(those)
        self.assertEqual(those.left_s(), 60)  # one more fits
        self.assertTrue(those.may_begin())
        self.run_all(those)
        self.assertEqual(those.left_s(), 0)
        self.assertFalse(those.may_begin())

    def test_first_round_is_always(self):
        those = self.some(2, 1)
        self.assertTrue(those.may_begin())
        self.run_all(those)
        self.assertFalse(those.may_begin())

    def test_rounds(self):
        those = self.some(1, 0)
        self.assertTrue(those.may_begin())
        self.assertFalse(those.may_begin())


if __name__ == "__main__":
    unittest.main()
