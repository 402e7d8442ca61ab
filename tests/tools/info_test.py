#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""slabuddy info, and the formats of the kernel's files: a heap whose contents are known, as it is seen from outside."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

from helper import LIBRARY, TOOL, Helper, check, failed, info, refused, tool

KIB, MIB = 1 << 10, 1 << 20

# What has memory behind it, as pairs of bytes and resident.
AMOUNTS = ("slabs", "large", "huge", "page_blocks", "moving_pages", "purging_pages", "former_huge", "slot_pages",
           "free_pages", "struct_pages", "metadata", "library_image")
FILES = ("slabinfo", "buddyinfo", "pagetypeinfo", "extfrag_index", "unusable_index")
ZONES = ("slabs", "large", "page_blocks", "moving_pages", "purging_pages", "slot_pages", "free_pages")


def check_sums(heap):
    """What must hold in each heap at rest."""
    objects = ("small_live_bytes", "sheaves_bytes", "barns_bytes", "slab_free_bytes", "slab_given_back_bytes")
    check(sum(heap[name] for name in objects) == heap["slabs"]["bytes"], "objects are not the slabs")
    check(heap["free_dirty_bytes"] + heap["free_clean_bytes"] == heap["free_pages"]["bytes"], "dirty and clean")
    check(sum(heap[name]["bytes"] for name in ZONES) == heap["managed_bytes"], "kinds of pages are not the zones")
    check(sum(heap[name]["bytes"] for name in AMOUNTS) == heap["mapped_bytes"], "the sum of bytes")
    check(sum(heap[name]["resident"] for name in AMOUNTS) == heap["resident_bytes"], "the sum of what is resident")
    for name in AMOUNTS:
        check(heap[name]["resident"] <= heap[name]["bytes"], name + ": more resident than there is")
    for name in ("small_live_bytes", "small_live_objects"):
        check(heap[name] > 0, name)
    # at least the shared slot's sheaves
    check(0 < heap["metadata_used_bytes"] <= heap["metadata"]["bytes"], "metadata: %s" % heap["metadata"])
    check(0 < heap["struct_pages"]["resident"], "struct pages: %s" % heap["struct_pages"])
    # each slab is full, partly used or empty
    for cache in heap["caches"]:
        check(cache["full"] + cache["partial"] + cache["empty"] == cache["slabs"], "slabs of " + cache["name"])
    check(not heap["changed_meanwhile"], "the heap of a sleeping process changed")
    # to the byte where this was written; code may be paged out between two looks
    rest = heap["unexplained_bytes"]
    check(abs(rest) <= 64 * KIB, "%d bytes of RSS are not explained" % rest)
    check(heap["rss_bytes"] - heap["others_bytes"] == heap["resident_bytes"] + rest, "RSS")


def check_amounts():
    """holder.c has the numbers."""
    with tempfile.TemporaryDirectory() as reports, Helper("holder", "amounts", reports) as helper:
        helper.await_sleep()
        before = helper.present_pages(), helper.status("voluntary_ctxt_switches")
        report = info(helper.pid)
        heap, = report["heaps"]
        check_sums(heap)
        check(report["pid"] == int(helper.pid) and report["command"] == "holder", "who it is")
        check(os.path.realpath(heap["library"]) == os.path.realpath(LIBRARY), "library " + heap["library"])
        cache, = (cache for cache in heap["caches"] if cache["name"] == "kmalloc-112")
        # libc and the dynamic linker may have some of their own
        check(25000 <= cache["live"] <= 25020, "%d live objects" % cache["live"])
        check(cache["partial_objects"] * 0.45 < cache["partial_inuse"] < cache["partial_objects"] * 0.6,
              "partly used slabs: %d of %d" % (cache["partial_inuse"], cache["partial_objects"]))
        free = cache["slabs"] * cache["objects_per_slab"] - cache["live"] - cache["sheaves"] - cache["barns"]
        check(cache["pinned_bytes"] + cache["empty"] * cache["objects_per_slab"] * 112 == free * 112,
              "%d bytes pinned, %d objects free" % (cache["pinned_bytes"], free))
        check((heap["large_blocks"], heap["large"]["bytes"]) == (10, 10 * MIB), "large: %s" % heap["large"])
        check((heap["huge_blocks"], heap["huge"]["bytes"]) == (1, 64 * MIB), "huge: %s" % heap["huge"])
        # with huge pages there may be more
        check(5 * MIB <= heap["large"]["resident"], "large: %s" % heap["large"])
        check(16 * MIB <= heap["huge"]["resident"], "huge: %s" % heap["huge"])
        check(heap["verdict"] == "in use", "verdict " + heap["verdict"])

        status, out, err = tool("info", helper.pid)
        check((status, err) == (0, ""), "info: %d, %s" % (status, err))
        for regex in (r"slabs +\S+ MiB +\S+ MiB\n", r"large blocks +10.0 MiB .* 10 blocks\n",
                      r"huge blocks +64.0 MiB .* 1 block\n", r"  not explained +\S+ (B|KiB)\n",
                      r"kmalloc-112 +2.7 MiB .* 50 % +2.\d MiB\n", r"\nin use: "):
            check(re.search(regex, out), "info has no line like %s:\n%s" % (regex, out))

        # the library's own words, to the letter
        for name in FILES:
            with open(os.path.join(reports, name)) as file:
                own = file.read()
            check(len(own.splitlines()) >= 1, "the library has no " + name)
            status, out, err = tool(name, helper.pid)
            check((status, err) == (0, ""), "%s: %d, %s" % (name, status, err))
            check(out == own, "%s differs:\n%s\nfrom the library's own:\n%s" % (name, out, own))
        # it has not been woken, nor got a page by being read
        after = helper.present_pages(), helper.status("voluntary_ctxt_switches")
        check(before == after, "before it was read: %s, afterwards: %s" % (before, after))


def check_verdicts():
    for kind, options, verdict, why in (
            ("use", "", "in use", r"\S+ MiB are live and .*"),
            ("retain", "dirty_min=1000000", "retained", r"(9[5-9]|10\d)\.\d MiB are kept for reuse .*"),
            ("fragment", "", "fragmented", r"\S+ MiB are free in slabs .*, most of it in kmalloc-512: .* 6 % of these in use")):
        with Helper("holder", kind, options=options) as helper:
            heap, = info(helper.pid)["heaps"]
            check_sums(heap)
            check(heap["verdict"] == verdict, "%s: verdict %s, %s" % (kind, heap["verdict"], heap["because"]))
            check(re.fullmatch(why, heap["because"]), "%s: because %s" % (kind, heap["because"]))


def check_hollow():
    """Eight objects to a page, and one of sixteen is in use: half of the pages have no memory, among them first ones of slabs."""
    with Helper("holder", "hollow") as helper:
        heap, = info(helper.pid)["heaps"]
        check_sums(heap)
        cache, = (cache for cache in heap["caches"] if cache["name"] == "kmalloc-512")
        given_back = cache["given_back_bytes"]
        check(40 * MIB <= given_back <= 50 * MIB, "%d bytes of slabs given back" % given_back)
        check(heap["slabs"]["resident"] <= heap["slabs"]["bytes"] - given_back, "slabs: %s" % heap["slabs"])
        check(heap["slab_pinned_bytes"] <= heap["slab_free_bytes"] < 60 * MIB, "%d bytes free" % heap["slab_free_bytes"])
        status, out, err = tool("info", helper.pid)
        check((status, err) == (0, ""), "info: %d, %s" % (status, err))
        check(re.search(r"  given back +4\d\.\d MiB +whole pages of partly used slabs\n", out), "no line says it: " + out)


def check_growth():
    """What a process does in two seconds, on a busy machine too."""
    with Helper("holder", "grow") as helper:
        begin = time.monotonic()
        heap, = info("--interval", "2", helper.pid)["heaps"]
        took = time.monotonic() - begin
        growth = heap["growth"]
        check(heap["verdict"] == "growing", "verdict %s, %s" % (heap["verdict"], growth))
        check(re.fullmatch(r"what is live rose from \S+ (?:B|.iB) to \S+ .iB in 2\.\d s, by \S+ .iB a second, most of it in kmalloc-512",
                           heap["because"]), "because " + heap["because"])
        check(heap["kept"] == "in use", "kept: " + heap["kept"])
        check(2 <= growth["seconds"] <= took and growth["readings"] == 10, "interval %s, took %g" % (growth, took))
        part = growth["rising"][0]
        check(part["name"] == "kmalloc-512", "not what grows most: %s" % part)
        # the median of slopes is within what the ends say, on a machine that stops and goes too
        mean = (part["to_bytes"] - part["from_bytes"]) / growth["seconds"]
        check(20 * KIB < mean < 4 * MIB and mean / 3 < part["bytes_per_second"] < mean * 3, "%s, mean %g" % (part, mean))
        check(part["to_bytes"] - part["from_bytes"] <= growth["live"]["to_bytes"] - growth["live"]["from_bytes"] + 64 * KIB,
              "the part is more than the whole: %s" % growth)
        status, out, err = tool("info", "--interval", "1", helper.pid)
        check((status, err) == (0, ""), "info: %d, %s" % (status, err))
        for regex in (r"\nwhat rises, in 1\.\d s +from +to +a second\nkmalloc-512 .*\+\S+ .iB\n",
                      r"\nall that is live .*\+\S+ .iB\n", r"\n\ngrowing: .*kmalloc-512\n$"):
            check(re.search(regex, out), "info has no line like %s:\n%s" % (regex, out))
    with Helper("holder", "rest") as helper:
        heap, = info("--interval", "1", helper.pid)["heaps"]
        check(heap["verdict"] == "in use", "what comes and goes: %s, %s" % (heap["verdict"], heap["growth"]))
    with Helper("holder", "nothing") as helper:
        heap, = info("--interval", "0.5", helper.pid)["heaps"]
        growth = heap["growth"]
        check(heap["verdict"] == "in use" and growth["rising"] == [], "at rest: %s" % growth)
        check(growth["live"]["bytes_per_second"] == 0, "at rest: %s" % growth)
        heap, = info(helper.pid)["heaps"]
        check(heap["growth"] is None, "one reading: %s" % heap["growth"])


def check_end_meanwhile():
    """A process that ends between two readings."""
    with Helper("holder", "nothing") as helper:
        look = subprocess.Popen([TOOL, "info", "--interval", "60", helper.pid], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)
        with look:
            time.sleep(0.5)
            helper.process.stdin.close()
            helper.process.wait(timeout=60)
            out, err = look.communicate(timeout=60)
        check((look.returncode, out) == (1, b""), "ended: %d, %r" % (look.returncode, out))
        check(err.decode() == "slabuddy: %s: holder has ended\n" % helper.pid, "ended: %r" % err)


def check_busy():
    """Each walk ends, whatever the threads do."""
    with Helper("holder", "churn") as helper:
        for _ in range(10):
            heap, = info(helper.pid)["heaps"]
            check(heap["slots"] >= 1, "no slots")
            check(heap["mapped_bytes"] > heap["struct_pages"]["bytes"] > 0, "nothing there")
        for name in FILES:
            check(tool(name, helper.pid)[0] == 0, name + " of a busy process")


def check_broken():
    """A heap in the program itself; and lists that lead in circles, or to nowhere."""
    with Helper("broken_root", "whole", preload=None) as helper:
        heap, = info(helper.pid)["heaps"]
        check_sums(heap)
        check(heap["library"].endswith("/broken_root"), "library " + heap["library"])
        # the program's image is no part of the heap
        check(heap["library_image"]["bytes"] == 0, "%s" % heap["library_image"])
        check(heap["large_blocks"] == 1, "%d large blocks" % heap["large_blocks"])
    for kind in ("circles", "nowhere"):
        with Helper("broken_root", kind, preload=None) as helper:
            heap, = info(helper.pid)["heaps"]
            check(heap["changed_meanwhile"], kind + ": nobody noticed")
            check(heap["slabs"]["bytes"] > 0, kind + ": what can be read is not there")
            status, out, err = tool("info", helper.pid)
            check(status == 0 and "lists changed" in out and not err, "%s: %d, %s%s" % (kind, status, out, err))
            status, out, err = tool("slabinfo", helper.pid)
            check(status == 0 and out.startswith("slabinfo - version: 2.1\n"), "%s: slabinfo: %s" % (kind, out))
            check(re.fullmatch("slabuddy: .*lists changed.*\n", err), "%s: slabinfo: %s" % (kind, err))


def check_two_heaps():
    """A program with a heap of its own, on malloc's."""
    with Helper("broken_root", "whole") as helper:
        heaps = info(helper.pid)["heaps"]
        check(len(heaps) == 2, "%d heaps" % len(heaps))
        for heap in heaps:
            check_sums_of_one_of_two(heap)
        own, malloc = sorted(heaps, key=lambda heap: "libslabuddy-malloc" in heap["library"])
        check("libslabuddy-malloc" in malloc["library"] and "broken_root" in own["library"], "which is which")
        _, out, _ = tool("slabinfo", helper.pid)
        shown = {line.split()[0] for line in out.splitlines()[2:]}
        check(shown == {cache["name"] for cache in malloc["caches"]}, "slabinfo is not malloc's: %s" % shown)


def check_sums_of_one_of_two(heap):
    """The other heap's pages are others' memory."""
    check(abs(heap["unexplained_bytes"]) <= 64 * KIB, "two heaps: %d not explained" % heap["unexplained_bytes"])
    check(heap["small_live_objects"] > 0, "two heaps: one is empty")


def check_refusals():
    commands = ("info", *FILES)
    with Helper("holder", "nothing", preload=None) as helper:
        for command in commands:
            refused("without slabuddy", helper.pid + ": holder does not run under slabuddy", command, helper.pid)
    for command in commands:
        # of a process that has been and gone
        refused("gone", helper.pid + ": no such process", command, helper.pid)
        refused("no number", "x1: neither a process id nor a file", command, "x1")
        refused("no argument", r"usage: .*PID\|CORE", command, status=2)
    refused("too large", "99999999999999999999: not a process id.*", "info", "99999999999999999999", status=2)
    refused("negative", "info: unknown option -1", "info", "-1", status=2)
    refused("an option", "info: unknown option --yaml", "info", "--yaml", "1", status=2)
    for seconds in ("x", "", "0", "-1", "1s", "1e9", "nan", "inf"):
        refused("interval " + seconds, "info: --interval: %s is no number of seconds from 0.1 to 1000000" % seconds,
                "info", "--interval", seconds, "1", status=2)
    refused("no interval", r"usage: slabuddy info \[--json\] \[--interval SECONDS\] PID\|CORE", "info", "--interval", status=2)
    for kind, line in (
            ("version", r"the heap of \S+/other_root is laid out as version 2, and this tool reads version 1"),
            ("names", r"the heap of \S+/other_root is of another version than this tool: it does not tell of \S+"),
            ("sizes", r"the heap of \S+/other_root is of another version than this tool: its sizes are none"),
            ("magic", r"other_root does not run under slabuddy"),
            ("tables", r"other_root does not run under slabuddy")):
        with Helper("other_root", kind, preload=None) as helper:
            refused("another root, " + kind, helper.pid + ": " + line, "info", helper.pid)
    check_not_ours()
    if os.path.exists("/dev/full"):
        with Helper("holder", "nothing") as helper, open("/dev/full", "w") as full:
            done = subprocess.run([TOOL, "info", helper.pid], stdout=full, stderr=subprocess.PIPE, timeout=60)
            check(done.returncode == 1 and done.stderr == b"slabuddy: cannot write: No space left on device\n",
                  "a full disk: %s" % done)


def check_not_ours():
    """Another user's process: root looks as nobody, everybody else at init."""
    line = r"\d+: not ours to read: (Permission denied|Operation not permitted)"
    if os.getuid():
        refused("not ours", line, "info", "1")
        return
    if not shutil.which("setpriv"):
        print("not tried: a process of somebody else's, without setpriv")
        return
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    with Helper("holder", "nothing") as helper, tempfile.TemporaryDirectory() as place:
        # where nobody may execute it
        os.chmod(place, 0o755)
        copy = shutil.copy(TOOL, place)
        done = subprocess.run([*nobody, copy, "info", helper.pid], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        check(done.returncode == 1 and not done.stdout and
              re.fullmatch("slabuddy: " + line + "\n", done.stderr.decode()), "not ours: %s" % done)


check_amounts()
check_verdicts()
check_hollow()
check_growth()
check_end_meanwhile()
check_busy()
check_broken()
check_two_heaps()
check_refusals()
sys.exit(failed())
