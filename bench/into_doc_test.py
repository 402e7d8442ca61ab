# SPDX-License-Identifier: MIT
"""bench/into-doc with a report of its own: what it replaces, what it leaves, and
what it refuses without having written anything."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))

DOCUMENT = """# Title

<!-- bench: wall peak -->
old
<!-- bench: end -->

Between.

<!-- bench: cache -->
<!-- bench: end -->

<!-- bench: pictures -->
<!-- bench: end -->
End.
"""

RESULTS = {
    "machine": {key: "?" for key in (
        "cpu", "cpus", "memory_mib", "kernel", "system", "libc", "thp", "overcommit",
    )},
    "options": {"rounds": 1, "SLABUDDY_OPTIONS": ""},
    "base": "glibc",
    "notes": [],
    "allocators": [{"name": "glibc", "library": "", "environment": {}, "missing": ""}],
    "workloads": [
        {"name": "work", "set": "default", "command": [], "real": False, "missing": ""}
    ],
    "runs": [{
        "round": 1, "workload": "work", "allocator": "glibc", "wall_s": 1.25, "user_s": 1,
        "system_s": 0, "peak_kib": 4096, "minor_faults": 10,
    }],
}  # fmt: skip


class IntoDocTest(unittest.TestCase):
    """One document each."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="slabuddy-bench-test.")
        self.addCleanup(self.scratch.cleanup)
        os.mkdir(os.path.join(self.scratch.name, "results"))
        self.write("results/results.json", json.dumps(RESULTS))
        self.write("results/cache.md", "## Pools\n\nhead\n\n### Objects\n\nrows\n\n### Pages\n")
        for name in ("results.svg", "means.svg", "scatter.svg"):
            self.write("results/" + name, "picture " + name)

    def write(self, name, text):
        with open(os.path.join(self.scratch.name, name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(os.path.join(self.scratch.name, name), encoding="utf-8") as file:
            return file.read()

    def fill(self, text):
        self.write("document.md", text)
        top = self.scratch.name
        return subprocess.run(
            [
                sys.executable, os.path.join(HERE, "into-doc"), os.path.join(top, "document.md"),
                "-r", os.path.join(top, "results"),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def refused(self, text, why):
        result = self.fill(text)
        self.assertEqual(result.returncode, 2)
        self.assertIn(why, result.stderr)
        self.assertEqual(self.read("document.md"), text)

    def test_replaced(self):
        self.assertEqual(self.fill(DOCUMENT).returncode, 0)
        text = self.read("document.md")
        self.assertNotIn("old", text)
        self.assertNotIn("### ", text.partition("Between")[0])
        self.assertRegex(text, r"(?s)bench: wall peak.*\| work \| 1.25.*\| work \| 4.00.*Between")
        self.assertIn("(performance-scatter.svg)", text)
        self.assertRegex(text, r"bench: cache -->\n\n### Objects\n\nrows\n\n### Pages\n\n<!--")
        self.assertTrue(text.endswith("<!-- bench: end -->\nEnd.\n"))
        self.assertEqual(self.read("performance-means.svg"), "picture means.svg")
        self.assertEqual(self.fill(text).returncode, 0)
        self.assertEqual(self.read("document.md"), text)

    def test_refused(self):
        self.refused(DOCUMENT.replace("wall", "micro"), "no section micro; there are head, means")
        self.refused("# Title\n", "has no line <!-- bench: NAME -->")
        self.refused(DOCUMENT + "<!-- bench: wall -->\n", "is without its <!-- bench: end -->")
        os.remove(os.path.join(self.scratch.name, "results", "means.svg"))
        self.refused(DOCUMENT, "means.svg")


if __name__ == "__main__":
    unittest.main()
