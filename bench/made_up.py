# SPDX-License-Identifier: MIT
"""For the tests: a build directory with nothing but bench/measure and programs that do as told."""

import os
import tempfile


def build_directory(real, files):
    """A temporary one, with measure from the build directory real. files: what is to be in it, by its
    path there; what begins with #! becomes a program. Return: it, to be cleaned up."""
    scratch = tempfile.TemporaryDirectory(prefix="slabuddy-bench-test.")
    os.mkdir(os.path.join(scratch.name, "bench"))
    measure = os.path.join("bench", "measure")
    os.symlink(os.path.join(real, measure), os.path.join(scratch.name, measure))
    for name, text in files.items():
        path = os.path.join(scratch.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        if text.startswith("#!"):
            os.chmod(path, 0o755)
    return scratch
