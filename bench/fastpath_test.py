# SPDX-License-Identifier: MIT
"""Counting instructions: what callgrind writes is read right, and a pair of
malloc and free is these two functions and no other."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import callgrind  # noqa: E402  # pylint: disable=wrong-import-position

BUILD = os.environ.get("abs_top_builddir", os.getcwd())

# main calls work in the library three times; work calls main's file and itself.
CALLGRIND = """\
version: 1
positions: line
events: Ir
ob=(1) /tmp/main
fl=(1) main.c
fn=(1) main
5 100
cob=(2) /lib/libours.so.0.0.0
cfi=(2) work.c
cfn=(2) work
calls=3 10
6 900
+1 20

ob=(2)
fl=(2)
fn=(2)
10 60
cob=(1)
cfn=(3) back
calls=1 0
* 700
-1 40
cfn=(2)
calls=1 10
12 50
fn=(4) other
9 7

ob=(3) ???
fn=(5) elsewhere
0 3

ob=(1)
fn=(3)
1 700
"""

ALLOCATORS = """
glibc    libc.so.6
absent   libno-such-malloc.so.9
slabuddy $BUILD/src/.libs/libslabuddy-malloc.so
"""


class CallgrindTest(unittest.TestCase):
    """Reading its output."""

    def test_own_costs(self):
        lines = CALLGRIND.splitlines(keepends=True)
        self.assertEqual(callgrind.own_costs(lines, "/libours.so"), {"work": 100, "other": 7, "elsewhere": 3})
        self.assertEqual(callgrind.own_costs(lines, "/main"), {"main": 120, "back": 700, "elsewhere": 3})


@unittest.skipUnless(shutil.which("valgrind") and shutil.which("objdump"), "no valgrind or objdump")
class FastpathTest(unittest.TestCase):
    """The whole of it."""

    def test_report(self):
        why = callgrind.refusal([os.path.join(BUILD, "bench", "operations")])
        if why:
            self.skipTest(why)
        with tempfile.TemporaryDirectory(prefix="slabuddy-bench-test.") as out:
            allocators = os.path.join(out, "allocators")
            with open(allocators, "w", encoding="utf-8") as file:
                file.write(ALLOCATORS)
            text = subprocess.run(
                [
                    sys.executable, os.path.join(HERE, "fastpath"), "--build", BUILD, "-o", out,
                    "--allocators", allocators,
                ],
                stdout=subprocess.PIPE, check=True, text=True,
            ).stdout  # fmt: skip
            with open(os.path.join(out, "fastpath.md"), encoding="utf-8") as file:
                self.assertIn("<malloc", file.read())
            with open(os.path.join(out, "fastpath.s"), encoding="utf-8") as file:
                code = file.read()
        rows = dict(re.findall(r"^\| (\w+)[^|]* \| [0-9.]+ \| (.*) \|$", text, re.MULTILINE))
        for row, functions in (
            ("malloc", {"malloc", "free"}),
            ("malloc_batch", {"malloc", "free"}),
            ("kmalloc", {"kmalloc", "kfree"}),
            ("kmem_cache", {"kmem_cache_alloc", "kmem_cache_free"}),
            ("kmem_cache_bulk", {"kmem_cache_alloc_bulk", "kmem_cache_free_bulk"}),
            ("page", {"alloc_pages", "__free_pages"}),
            ("pages_order_3", {"alloc_pages", "__free_pages"}),
        ):
            costs = dict(re.findall(r"(\w+) ([0-9.]+)", rows[row]))
            self.assertLessEqual(functions, set(costs), row)
            for function in functions:
                self.assertGreater(float(costs[function]), 3, row)
                self.assertLess(float(costs[function]), 1000, row)
        self.assertIn("| absent | missing | missing | no libno-such-malloc.so.9", text)
        totals = dict(re.findall(r"^\| (glibc|slabuddy) \| ([0-9.]+) \|", text, re.MULTILINE))
        self.assertGreater(float(totals["glibc"]), 50)
        verdict = "met" if float(totals["slabuddy"]) <= 30 else "not met"
        goal = f"in the library: {totals['slabuddy']}; the best of the others {totals['glibc']}"
        self.assertIn(f"{goal}: **{verdict}**", text)
        for function in ("malloc", "free", "kmem_cache_alloc", "alloc_pages", "__free_pages"):
            self.assertRegex(code, rf"(?m)^[0-9a-f]+ <{function}(@@\w+)?>:$")


if __name__ == "__main__":
    unittest.main()
