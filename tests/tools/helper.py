# SPDX-License-Identifier: MIT
"""What tests of the tool have in common: a process whose heap is known, and what the tool says of it."""

import json
import os
import re
import resource
import struct
import subprocess
import sys
import time

BUILD = os.environ["abs_top_builddir"]
TOOL = BUILD + "/src/slabuddy"
HELPERS = BUILD + "/tests/tools/"
LIBRARY = BUILD + "/src/.libs/libslabuddy-malloc.so"

os.environ["LC_ALL"] = "C"
for name in ("LD_PRELOAD", "SLABUDDY_OPTIONS", "SLABUDDY_LIBRARY"):
    os.environ.pop(name, None)

faults = 0


def check(good, text):
    global faults
    if not good:
        print("FAIL:", text)
        faults += 1


def failed():
    """The exit status."""
    return int(faults != 0)


class Helper:
    """A helper that has said that it is ready; it ends with the "with"."""

    def __init__(self, *argv, options="", preload=LIBRARY, cwd=None, core=False):
        env = dict(os.environ)
        if preload:
            env.update(LD_PRELOAD=preload, SLABUDDY_OPTIONS=options)
        argv = [HELPERS + argv[0], *argv[1:]]
        self.expected = 0
        self.process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=cwd,
                                        preexec_fn=self.allow_core if core else None)
        self.pid = str(self.process.pid)
        line = self.process.stdout.readline()
        if line != b"ready\n":
            sys.exit("FAIL: %s says %r" % (argv, line))

    @staticmethod
    def allow_core():
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.stdin.close()
        status = self.process.wait(timeout=60)
        check(status == self.expected, "the helper ended with %d" % status)

    def kill(self, number):
        self.expected = -number
        self.process.send_signal(number)
        self.process.wait(timeout=60)

    def present_pages(self):
        """Anonymous ones, those of zeros too, which whoever reads untouched memory gets. Tables of symbols are looked
        into, so of files there may be more."""
        present = 0
        with open("/proc/%s/maps" % self.pid) as maps, open("/proc/%s/pagemap" % self.pid, "rb") as pagemap:
            for line in maps:
                start, end, path = re.match(r"(\w+)-(\w+) (?:\S+ ){4} *(.*)", line).groups()
                if path:
                    continue
                start, end = (int(address, 16) // os.sysconf("SC_PAGESIZE") for address in (start, end))
                pagemap.seek(start * 8)
                entries = struct.unpack("<%dQ" % (end - start), pagemap.read((end - start) * 8))
                present += sum(entry >> 63 for entry in entries)
        return present

    def await_sleep(self):
        """What it does after it has said that it is ready is over."""
        for _ in range(100):
            before = self.status("State"), self.status("voluntary_ctxt_switches")
            time.sleep(0.05)
            if before[0] == "S" and before[1] == self.status("voluntary_ctxt_switches"):
                return
        check(False, "the helper does not come to rest")

    def status(self, name):
        with open("/proc/%s/status" % self.pid) as lines:
            return next(line.split()[1] for line in lines if line.startswith(name + ":"))


def tool(*argv, prefix=()):
    """Return: exit status, stdout and stderr. One that goes in circles is a fault of its own."""
    done = subprocess.run([*prefix, TOOL, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def info(*argv):
    status, out, err = tool("info", "--json", *argv)
    check((status, err) == (0, ""), "info --json: %d, %s" % (status, err))
    return json.loads(out)


def refused(what, regex, *argv, status=1, prefix=()):
    """One clear line, and nothing else."""
    got, out, err = tool(*argv, prefix=prefix)
    check(got == status, "%s: exit status %d, not %d" % (what, got, status))
    check(out == "", "%s: stdout has %r" % (what, out))
    check(re.fullmatch("slabuddy: " + regex + "\n", err) is not None, "%s: stderr has %r" % (what, err))
