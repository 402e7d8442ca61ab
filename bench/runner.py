# SPDX-License-Identifier: MIT
"""One run of one command under one allocator."""

import json
import os
import re
import shutil
import subprocess
import tempfile


def base_environment():
    """The same for every run, whatever the user has set."""
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
    # To be able to try options; they are put in the report.
    if "SLABUDDY_OPTIONS" in os.environ:
        environment["SLABUDDY_OPTIONS"] = os.environ["SLABUDDY_OPTIONS"]
    return environment


def malloc_giver(program, library):
    """Which file does the dynamic linker give program its malloc from? None
    when it does not say. The program runs, with an option that does little."""
    with tempfile.TemporaryDirectory(prefix="slabuddy-bench.") as scratch:
        environment = base_environment()
        environment.update(
            LD_DEBUG="bindings",
            LD_DEBUG_OUTPUT=os.path.join(scratch, "bindings"),
            LD_BIND_NOW="1",
        )
        if library:
            environment["LD_PRELOAD"] = library
        try:
            subprocess.run(
                [program, "--version"],
                env=environment,
                cwd=scratch,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=30,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        text = ""
        for name in sorted(os.listdir(scratch)):
            with open(os.path.join(scratch, name), encoding="utf-8", errors="replace") as file:
                text += file.read()
    # A program whose interpreter is in a shared library leaves malloc to
    # that: so anybody but the C library and the allocators themselves.
    givers = []
    pattern = r"binding file (\S+) \[0\] to (\S+) \[0\]: normal symbol `malloc'"
    for user, giver in re.findall(pattern, text):
        if user == program or not re.search(r"/(libc\.so|ld-linux|lib\w*malloc)", user):
            # A program at a fixed address lends its own PLT entry.
            if giver not in (user, program):
                givers.append(giver)
    return givers[0] if givers else None


def uses_allocator(program, library):
    """Empty when program takes malloc from library, else the reason why not."""
    giver = malloc_giver(program, library)
    if giver is None:
        return f"{program} takes no malloc from a library"
    if library and os.path.realpath(giver) != os.path.realpath(library):
        return f"{program} takes malloc from {giver}"
    return ""


def read_json(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def failure(figures):
    """What went wrong with a run that measure has reported on, or nothing."""
    if figures["timeout"]:
        return "timeout"
    if figures["signal"]:
        return f"signal {figures['signal']}"
    if figures["exit"]:
        return f"exit status {figures['exit']}"
    return ""


def run(measure, command, limit_s, allocator, measures_itself=False, keep=None):
    """Run command once; return its figures, with a key "failed" when it has.
    keep names a file that the command leaves, whose JSON becomes "kept"."""
    scratch = tempfile.mkdtemp(prefix="slabuddy-bench.")
    try:
        work = os.path.join(scratch, "work")
        os.mkdir(work)
        cost = os.path.join(scratch, "cost")
        own = os.path.join(scratch, "own")
        environment = base_environment()
        environment.update(allocator.environment, HOME=scratch, BENCH_FIGURES=own)
        words = [measure, cost, str(limit_s)]
        if measures_itself:
            environment["BENCH_PRELOAD"] = allocator.library
        elif allocator.library:
            # env puts it in, so that measure itself runs without.
            words += ["env", "LD_PRELOAD=" + allocator.library]
        errors = os.path.join(scratch, "errors")
        with open(errors, "wb") as sink:
            subprocess.run(
                words + command,
                env=environment,
                cwd=work,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=sink,
                check=False,
            )
        figures = read_json(cost)
        if figures is None:
            return {"failed": "measure does not report"}
        failed = failure(figures)
        if measures_itself and not failed:
            measured = read_json(own)
            if measured is None:
                failed = "no figures"
            else:
                figures.update(measured)
                # There may be something new in them, when measure has written them.
                failed = failure(figures)
        if keep and not failed:
            figures["kept"] = read_json(os.path.join(work, keep))
            if figures["kept"] is None:
                failed = f"no {keep}"
        if failed:
            figures["failed"] = failed
            with open(errors, encoding="utf-8", errors="replace") as text:
                figures["stderr"] = text.read()[-2000:]
        return figures
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
