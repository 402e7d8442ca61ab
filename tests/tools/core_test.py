#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""slabuddy info, slabinfo and the like of a core file: they say what they said of the process, and of a core that is none
or lacks something, what is amiss."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

from core_writer import PAGE, as_by_default, write_core
from helper import LIBRARY, TOOL, Helper, check, failed, info, refused, tool

FORMATS = ("slabinfo", "buddyinfo", "pagetypeinfo", "extfrag_index", "unusable_index")

# What a core does not tell of, beside "resident" of each amount.
UNKNOWN = ("resident_bytes", "rss_bytes", "others_bytes", "unexplained_bytes")


def without_residence(heap):
    """What a heap is expected to be in a core. The verdict and its reason go by what is resident."""
    heap = {name: value for name, value in heap.items() if name not in ("verdict", "because", "kept")}
    for name in UNKNOWN:
        heap[name] = None
    for value in heap.values():
        if isinstance(value, dict) and "resident" in value:
            value["resident"] = None
    return heap


def check_same(kind, core, pid, live, formats):
    """A core says what was said of the process."""
    report = info(core)
    check((report["pid"], report["command"], report["core"]) == (int(pid), "holder", core), "%s: who it is" % kind)
    heap, = report["heaps"]
    check(heap["verdict"] == "in use", "%s: verdict %s" % (kind, heap["verdict"]))
    got, wanted = without_residence(heap), without_residence(live)
    for name, value in wanted.items():
        check(got.get(name, "none") == value, "%s: %s: %s, not %s" % (kind, name, got.get(name), value))
    check(heap["slabs"]["resident"] is None and heap["rss_bytes"] is None, "%s: residence is told of" % kind)
    for name, text in formats.items():
        status, out, err = tool(name, core)
        check((status, err) == (0, "") and out == text, "%s: %s: %d, %s%s" % (kind, name, status, out, err))
    status, out, err = tool("info", core)
    check((status, err) == (0, ""), "%s: info: %d, %s" % (kind, status, err))
    for line in ("core of process %s (holder), heap of " % pid, "\nresidence unknown: ", "\nin use: ", "10 blocks\n"):
        check(line in out, "%s: info has no %r:\n%s" % (kind, line, out))
    check(" \n" not in out, "%s: blanks at the end of lines" % kind)


def check_cores(place):
    """The kernel's, gcore's and our own of the same process."""
    with Helper("holder", "amounts", cwd=place, core=True) as helper:
        helper.await_sleep()
        live, = info(helper.pid)["heaps"]
        formats = {name: tool(name, helper.pid)[1] for name in FORMATS}
        check(all(formats.values()), "one of the formats is empty")

        own = os.path.join(place, "own")
        write_core(helper.pid, own)
        check_same("our own core", own, helper.pid, live, formats)
        write_core(helper.pid, own, extended=True)
        check_same("a core with very many headers", own, helper.pid, live, formats)
        # with all that can be read in it, no other file is needed
        write_core(helper.pid, own, dumped=lambda mapping: mapping.end - mapping.start)
        check_same("a core with all files", own, helper.pid, live, formats)

        gcore = shutil.which("gcore")
        if gcore and subprocess.run([gcore, "-o", place + "/gcore", helper.pid], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=60).returncode == 0:
            check_same("gcore's", place + "/gcore." + helper.pid, helper.pid, live, formats)
        else:
            print("not tried: gcore's cores, for lack of gcore")

        helper.kill(signal.SIGABRT)
    cores = [name for name in os.listdir(place) if name.startswith("core")]
    if cores:
        check_same("the kernel's core", os.path.join(place, cores[0]), helper.pid, live, formats)
    else:
        print("not tried: the kernel's cores, since there is none where the process was: see core_pattern in core(5)")


def check_lacking(place):
    """Cores that lack what is needed, one after the other."""
    core = os.path.join(place, "lacking")
    heaps_pages = core + r": the heap's pages are not in it, see coredump_filter in core\(5\)"
    with Helper("holder", "nothing") as helper:
        write_core(helper.pid, core, dumped=lambda mapping: 0)
        for name in ("info",) + FORMATS:
            refused("nothing dumped", heaps_pages, name, core)
        write_core(helper.pid, core, dumped=lambda mapping: 0 if mapping.offset else PAGE)
        refused("only headers dumped", heaps_pages, "info", core)
        write_core(helper.pid, core, without=("files",))
        refused("no names", core + ": it does not tell which files were mapped", "info", core)
        # only what the notes are for is not known
        write_core(helper.pid, core, without=("process", "auxv"))
        report = info(core)
        check((report["pid"], report["command"]) == (0, ""), "without notes: %s, %s" % (report["pid"], report["command"]))
        # anonymous memory of 1 MiB and more: struct pages, but no variable
        write_core(helper.pid, core, dumped=lambda mapping: 0 if not mapping.path and mapping.end - mapping.start >= 1 << 20
                   else as_by_default(mapping))
        heap, = info(core)["heaps"]
        check(heap["changed_meanwhile"], "holes in the heap: nobody noticed")
        status, out, err = tool("slabinfo", core)
        check(status == 0 and (not err or "lists lead to what is not in the core file" in err), "holes: %s" % err)
        _, out, _ = tool("info", core)
        check("\nlists lead to what is not in the core file: some of it is missing here\n" in out, "holes: %s" % out)

        write_core(helper.pid, core)
        size = os.path.getsize(core)
        for part in (size - 1, size // 2, size // 10):
            os.truncate(core, part)
            refused("cut off at %d" % part, core + r": cut off: it has \S+ .iB of \S+ .iB, see ulimit -c", "info", core)
        os.truncate(core, 100)
        refused("cut off at 100", core + ": cut off within its headers", "info", core)
    with Helper("holder", "nothing", preload=None) as helper:
        write_core(helper.pid, core)
        refused("without slabuddy", core + ": holder does not run under slabuddy", "info", core)


def check_library(place):
    """The library is needed, and the same one."""
    core = os.path.join(place, "core-of-copy")
    os.mkdir(place + "/other place")
    copy = os.path.join(place, "other place", "libslabuddy-malloc.so")
    shutil.copy(LIBRARY, copy)
    # blanks separate the names of libraries
    os.symlink("other place", place + "/other")
    with Helper("holder", "nothing", preload=place + "/other/libslabuddy-malloc.so") as helper:
        write_core(helper.pid, core)
    heap, = info(core)["heaps"]
    check(heap["library"] == copy, "library " + heap["library"])
    # something else in its build id, which is in the first page
    with open(copy, "r+b") as library:
        library.seek(PAGE - 1)
        last = library.read(1)
        library.seek(PAGE - 1)
        library.write(bytes([last[0] ^ 1]))
    refused("another library", "%s: %s is not the file that was mapped" % (core, copy), "info", core)
    os.remove(copy)
    refused("no library", "%s: cannot read %s, which it needs: No such file or directory" % (core, copy), "info", core)
    os.mkfifo(copy)
    refused("a pipe", "%s: cannot read %s, which it needs: Invalid argument" % (core, copy), "info", core)


def check_no_cores(place):
    """What is no core file."""
    path = os.path.join(place, "none")
    neither = path + ": neither a process id nor a core file"
    for content in (b"", b"x", b"no core\n" * 100):
        with open(path, "wb") as file:
            file.write(content)
        refused("%r" % content[:10], neither, "info", path)
    for magic, program in ((b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\0", "xz"), (b"\x04\x22\x4d\x18", "lz4"),
                           (b"\x1f\x8b\x08\x08", "gzip")):
        with open(path, "wb") as file:
            file.write(magic + bytes(100))
        refused(program, "%s: it is compressed: %s -d first" % (path, program), "info", path)
    for kind, byte in (("32 bits", b"\1\1"), ("big-endian", b"\2\2")):
        with open(path, "wb") as file:
            file.write(b"\x7fELF" + byte + bytes(100))
        refused(kind, path + ": its program is not of 64 bits and little-endian", "info", path)
    refused("a program", TOOL + ": a program or a library, not a core file", "info", TOOL)
    refused("a folder", place + ": neither a process id nor a core file", "info", place)
    refused("nothing", place + "/gone: neither a process id nor a file", "info", place + "/gone")
    refused("an empty name", ": neither a process id nor a file", "info", "")
    os.remove(path)
    os.mkfifo(path)
    refused("a pipe", neither, "info", path)
    refused("a core that changes", "info: --interval is for processes: a core file does not change", "info",
            "--interval", "1", os.path.join(place, "own"), status=2)


with tempfile.TemporaryDirectory() as folder:
    # as the kernel names mappings
    folder = os.path.realpath(folder)
    check_cores(folder)
    check_lacking(folder)
    check_library(folder)
    check_no_cores(folder)
sys.exit(failed())
