#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""slabuddy run on a terminal: Ctrl-Z stops both processes, a continue wakes both, and Ctrl-C
reaches the program once."""

import os
import pty
import signal
import sys
import time

TOOL = os.environ["abs_top_builddir"] + "/src/slabuddy"
PROGRAM = r"""
import signal, sys, time
def interrupted(*args):
    print("interrupted", flush=True)
    time.sleep(0.3)      # a second signal would come now
    sys.exit(7)
signal.signal(signal.SIGINT, interrupted)
print("ready", flush=True)
while True:
    time.sleep(0.05)
"""
DEADLINE = time.monotonic() + 60


def fail(text):
    print("FAIL:", text)
    sys.exit(1)


def read_until(fd, word, seen):
    while word not in seen:
        if time.monotonic() > DEADLINE:
            fail(f"no {word!r} in {seen!r}")
        try:
            seen += os.read(fd, 4096).decode()
        except OSError:
            fail(f"end of output; no {word!r} in {seen!r}")
    return seen


def state_of(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]


def child_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return int(children.read().split()[0])


def await_state(pid, states):
    while state_of(pid) not in states:
        if time.monotonic() > DEADLINE:
            fail(f"process {pid} is {state_of(pid)}, not one of {states}")
        time.sleep(0.01)


def session(report):
    """The terminal's session leader, doing what a shell does for a job in the foreground."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpgrp())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execv(TOOL, [TOOL, "run", sys.executable, "-c", PROGRAM])
    os.write(report, b"%d\n" % pid)
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            os.write(report, b"stopped\n")
        else:
            os.write(report, b"exit %d\n" % os.waitstatus_to_exitcode(status))
            os._exit(0)


def main():
    report_read, report_write = os.pipe()
    leader, terminal = pty.fork()
    if leader == 0:
        session(report_write)
    os.close(report_write)
    report = os.fdopen(report_read)
    tool = int(report.readline())
    seen = read_until(terminal, "ready", "")
    program = child_of(tool)

    os.write(terminal, b"\x1a")
    if report.readline() != "stopped\n":
        fail("Ctrl-Z did not stop the tool")
    await_state(tool, "T")
    await_state(program, "T")

    os.killpg(tool, signal.SIGCONT)
    await_state(tool, "SR")
    await_state(program, "SR")

    os.write(terminal, b"\x03")
    seen = read_until(terminal, "heap at exit", seen)
    if seen.count("interrupted") != 1:
        fail(f"Ctrl-C was not seen once: {seen!r}")
    if "exit status 7" not in seen:
        fail(f"no summary of exit status 7: {seen!r}")
    end = report.readline()
    if end != "exit 7\n":
        fail(f"the tool ended with {end!r}")


main()
