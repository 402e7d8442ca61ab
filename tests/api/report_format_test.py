#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The reports have the form of the kernel's files: field by field, blank by blank.

Each format is described once, as lines made of numbers and names at given widths. The running kernel's
own file must fit the description, where it can be read, and so must the report; headings must be the
kernel's, and named figures stand in its order. Then the figures are held against one another.
"""
import os
import re
import subprocess
import sys
import tempfile

# names of ours in files whose other names are all the kernel's
OWN_ZONE_FIGURES = {"nr_free_dirty", "nr_purging", "zone_miss", "zone_foreign"}

faults = 0


def fault(text):
    global faults
    print("FAIL:", text)
    faults += 1


class Misfit(ValueError):
    pass


def take(line, form):
    """The fields of a line; @form is a printf format of %s and %d, and printing them gives the line."""
    pattern = re.escape(form)
    pattern = re.sub(r"%(?:\\-)?\d*s", lambda m: r"\s*(\S+)\s*", pattern)
    pattern = re.sub(r"%(?:\\-)?\d*d", lambda m: r"\s*(\d+)", pattern)
    found = re.fullmatch(pattern, line)
    if not found:
        raise Misfit(f"{line!r} is not of the form {form!r}")
    fields = [int(f) if f.isdigit() else f for f in found.groups()]
    if form % tuple(fields) != line:
        raise Misfit(f"{line!r} has other widths than {form!r}")
    return fields


def columns(line, head, form):
    """A line of @head and any number of columns of one form, each with its blank."""
    if not line.startswith(head):
        raise Misfit(f"{line!r} does not start with {head!r}")
    fields = line[len(head):].split()
    # the kernel's ">" before a count that it cut short
    text = head + "".join(
        (">" if f.startswith(">") else "") + form % (int(f.lstrip(">")) if "d" in form else f)
        for f in fields)
    if text != line:
        raise Misfit(f"{line!r} has other widths than {form!r} after {head!r}")
    return [int(f.lstrip(">")) if "d" in form else f for f in fields]


def lines_of(text):
    if text and not text.endswith("\n"):
        raise Misfit("the last line has no end")
    return text.split("\n")[:-1]


def slabinfo(text):
    lines = lines_of(text)
    if not lines or lines[0] != "slabinfo - version: 2.1":
        raise Misfit("the version is missing")
    caches = {}
    for line in lines[2:]:
        f = take(line, "%-17s %6d %6d %6d %4d %4d : tunables %4d %4d %4d : slabdata %6d %6d %6d")
        caches[f[0]] = f[1:]
    return {"head": lines[:2], "caches": caches}


def zone_and_columns(line, node, names, form):
    found = re.match(r"Node +(\d+), zone +(\w+)", line)
    if not found:
        raise Misfit(f"{line!r} names no zone")
    zone = (int(found[1]), found[2])
    head = node % zone
    if names:
        found = re.match(r"[^,]*,[^,]*, type +(\S+)", line)
        if not found:
            raise Misfit(f"{line!r} names no type")
        head += names % found[1]
        return zone, found[1], columns(line, head, form)
    return zone, columns(line, head, form)


def buddyinfo(text):
    zones = {}
    for line in lines_of(text):
        zone, counts = zone_and_columns(line, "Node %d, zone %8s ", None, "%6d ")
        zones[zone] = counts
    return zones


def indices(text, form):
    zones = {}
    for line in lines_of(text):
        found = re.match(r"Node (\d+), zone +(\w+) ", line)
        if not found:
            raise Misfit(f"{line!r} names no zone")
        zone = (int(found[1]), found[2])
        fields = line.split()[4:]
        # a sign behind the point: the kernel's way to write one in front of it
        values = [float(re.sub(r"^0\.-", "-0.", field)) for field in fields]
        again = "Node %d, zone %8s " % zone + "".join((form + " ") % tuple(field.split(".")) for field in fields)
        if again != line:
            raise Misfit(f"{line!r} is not {again!r}")
        if not all(-1 <= value <= 1 for value in values):
            raise Misfit(f"{line!r} has an index out of its range")
        zones[zone] = values
    return zones


def extfrag_index(text):
    return indices(text, "%2s.%3s")


def unusable_index(text):
    return indices(text, "%1s.%3s")


def pagetypeinfo(text):
    lines = lines_of(text)
    title = "Free pages count per migrate type at order "
    if len(lines) < 6 or lines[2] != "":
        raise Misfit("the head is too short")
    order, = take(lines[0], "Page block order: %d")
    pages, = take(lines[1], "Pages per block:  %d")
    orders = columns(lines[3], "%-43s " % title.rstrip(), "%6d ")
    if orders != list(range(len(orders))) or pages != 1 << order:
        raise Misfit("orders or pages do not count up")
    at = lines.index("", 4)
    free = {}
    for line in lines[4:at]:
        zone, name, counts = zone_and_columns(line, "Node %4d, zone %8s, ", "type %12s ", "%6d ")
        free.setdefault(zone, {})[name] = counts
    types = columns(lines[at + 1], "%-23s" % "Number of blocks type ", "%12s ")
    blocks = {}
    for line in lines[at + 2:]:
        # memory hotplug and CMA add lines of their own behind these
        zone, counts = zone_and_columns(line, "Node %d, zone %8s ", None, "%12d ")
        blocks[zone] = dict(zip(types, counts, strict=True))
    return {"title": title, "orders": len(orders), "types": types, "free": free, "blocks": blocks}


def zoneinfo(text):
    """For each zone its figures in order, and its pagesets."""
    zones = {}
    figures = pagesets = pageset = None
    for line in lines_of(text):
        if line.startswith("Node "):
            zone = tuple(take(line, "Node %d, zone %8s"))
            figures, pagesets = [], []
            zones[zone] = (figures, pagesets)
        elif line in ("  per-node stats", "  pagesets"):
            figures.append((line.strip(), None))
        elif line.startswith("    cpu: "):
            pageset = {"cpu": take(line, "    cpu: %d")[0]}
            pagesets.append(pageset)
        elif line.startswith("              "):
            found = re.fullmatch(r" {14}((\w+): *)(\d+)", line)
            if not found or len(found[1]) != 10:
                raise Misfit(f"{line!r} is no line of a pageset")
            pageset[found[2]] = int(found[3])
        elif line.startswith("        protection: "):
            pass
        elif line.startswith("        "):
            figures.append(tuple(take(line, "        %-8s %d")))
        elif line.startswith("      "):
            figures.append(tuple(take(line, "      %-12s %d")))
        elif line.startswith("  pages free "):
            figures.append(("free", take(line, "  pages free     %d")[0]))
        elif line.startswith("  vm stats threshold: "):
            take(line, "  vm stats threshold: %d")
        elif line.startswith("  node_unreclaimable: "):
            take(line, "  node_unreclaimable:  %d")
        elif line.startswith("  start_pfn: "):
            figures.append(("start_pfn", take(line, "  start_pfn:           %d")[0]))
        else:
            raise Misfit(f"{line!r} is no line of zoneinfo")
    return zones


def vmstat(text):
    return dict(take(line, "%s %d") for line in lines_of(text))


def aliases(text):
    return dict(take(line, "%s %s") for line in lines_of(text))


def kernels(name, parse, folder="/proc/"):
    """The running kernel's own, or None."""
    try:
        with open(folder + name, encoding="ascii") as file:
            text = file.read()
    except OSError as error:
        print(f"note: the kernel's {name} cannot be read: {error.strerror}")
        return None
    try:
        return parse(text)
    except ValueError as misfit:
        fault(f"the kernel's {name}: {misfit}: the description is wrong")
        return None


def is_subsequence(names, of):
    rest = iter(of)
    return all(name in rest for name in names)


def compare_with_kernel(reports):
    """What must be the same in every process and machine."""
    kernel = kernels("slabinfo", slabinfo)
    if kernel and kernel["head"] != reports["slabinfo"]["head"]:
        fault(f"slabinfo: the kernel's head is {kernel['head']}")
    kernels("buddyinfo", buddyinfo)
    # where debugfs is mounted
    kernels("extfrag_index", extfrag_index, "/sys/kernel/debug/extfrag/")
    kernels("unusable_index", unusable_index, "/sys/kernel/debug/extfrag/")
    kernel = kernels("pagetypeinfo", pagetypeinfo)
    if kernel:
        ours = reports["pagetypeinfo"]
        if not is_subsequence(ours["types"], kernel["types"]):
            fault(f"pagetypeinfo: types {ours['types']}, the kernel's {kernel['types']}")
    kernel = kernels("vmstat", vmstat)
    if kernel:
        known = [name for name in reports["vmstat"] if name in kernel]
        if not is_subsequence(known, kernel):
            fault(f"vmstat: {known} is not the kernel's order")
        for name in ("nr_free_pages", "nr_slab_reclaimable", "nr_slab_unreclaimable",
                     "pgalloc_normal", "pgfree"):
            if name not in kernel or name not in reports["vmstat"]:
                fault(f"vmstat: {name} is missing")
    kernel = kernels("zoneinfo", zoneinfo)
    if kernel:
        longest = max((figures for figures, _ in kernel.values()), key=len)
        known = [name for name, _ in longest]
        pagesets = [p for _, sets in kernel.values() for p in sets]
        for zone, (figures, sets) in reports["zoneinfo"].items():
            names = [name for name, _ in figures if name not in OWN_ZONE_FIGURES]
            # only a node's first zone has the per-node lines: they come first in it
            if not is_subsequence(names, known):
                fault(f"zoneinfo: {zone} has {names}, not in the kernel's order")
            for ours in sets:
                if pagesets and not is_subsequence(ours, pagesets[0]):
                    fault(f"zoneinfo: a pageset has {list(ours)}")


def hold_against(reports, expected):
    """One report against the other, and against what the program did."""
    caches = reports["slabinfo"]["caches"]
    zones = reports["zoneinfo"]
    vm = reports["vmstat"]
    for what, value in expected.items():
        name = what.partition(":")[2]
        found = caches[name][0] if name else vm[what]
        if found != value:
            fault(f"{what} is {found}, not {value}")
    slab_pages = sum(c[4] * c[9] for c in caches.values())
    if slab_pages != vm["nr_slab_unreclaimable"] + vm["nr_slab_reclaimable"]:
        fault(f"slabinfo has {slab_pages} pages")
    for name, c in caches.items():
        active, total, size, per_slab, pages, _, _, _, active_slabs, slabs, shared = c
        if not (active <= total == slabs * per_slab and active_slabs <= slabs and
                size * per_slab <= pages * 4096 and shared == 0):
            fault(f"slabinfo: {name}: {c}")
    for name in ("extfrag_index", "unusable_index"):
        if set(reports[name]) != set(reports["buddyinfo"]):
            fault(f"{name} has other zones than buddyinfo")
    free = 0
    for zone, counts in reports["buddyinfo"].items():
        here = sum(n << order for order, n in enumerate(counts))
        figures, sets = zones[zone]
        figures = dict(figures)
        types = reports["pagetypeinfo"]["free"][zone]
        if [sum(column) for column in zip(*types.values())] != counts:
            fault(f"pagetypeinfo: {zone}: {types} is not {counts} in all")
        blocks = sum(reports["pagetypeinfo"]["blocks"][zone].values())
        # memory is locked in smaller steps
        if blocks != -(-figures["managed"] // 512):
            fault(f"pagetypeinfo: {zone} has {blocks} pageblocks of {figures['managed']} pages")
        for order, index in enumerate(reports["extfrag_index"][zone]):
            if (index == -1) != any(counts[order:]):
                fault(f"extfrag_index: {zone}: {index} of order {order}, free blocks: {counts}")
        for order, index in enumerate(reports["unusable_index"][zone]):
            small = sum(n << o for o, n in enumerate(counts[:order]))
            if index != (small * 1000 // here / 1000 if here else 1):
                fault(f"unusable_index: {zone}: {index} of order {order}, free blocks: {counts}")
        if here != figures["free"] or here != figures["nr_free_pages"]:
            fault(f"buddyinfo: {zone} has {here} free pages, zoneinfo {figures['free']}")
        if not here <= figures["managed"] <= figures["present"] <= figures["spanned"]:
            fault(f"zoneinfo: {zone}: {figures}")
        if [p["cpu"] for p in sets] != sorted(p["cpu"] for p in sets) or any(
                p["count"] > p["high"] for p in sets):
            fault(f"zoneinfo: {zone}: {sets}")
        free += here
    if free != vm["nr_free_pages"]:
        fault(f"vmstat has {vm['nr_free_pages']} free pages, buddyinfo {free}")
    pcp = sum(p["count"] for _, sets in zones.values() for p in sets)
    if pcp != vm["nr_pcp_pages"]:
        fault(f"pagesets have {pcp} pages, vmstat {vm['nr_pcp_pages']}")
    if set(reports["buddyinfo"]) != {z for z, (f, _) in zones.items() if dict(f)["present"]}:
        fault("buddyinfo has other zones than zoneinfo")


PARSERS = {"slabinfo": slabinfo, "buddyinfo": buddyinfo, "pagetypeinfo": pagetypeinfo,
           "extfrag_index": extfrag_index, "unusable_index": unusable_index, "zoneinfo": zoneinfo,
           "vmstat": vmstat, "aliases": aliases}


def dump(program, options):
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([program, directory], check=True,
                       env={**os.environ, "SLABUDDY_OPTIONS": options})
        texts = {}
        for name in [*PARSERS, "expected"]:
            with open(os.path.join(directory, name), encoding="ascii") as file:
                texts[name] = file.read()
        return texts


def check(texts):
    reports = {}
    for name, parse in PARSERS.items():
        try:
            reports[name] = parse(texts[name])
        except ValueError as misfit:
            fault(f"{name}: {misfit}")
            return
    compare_with_kernel(reports)
    hold_against(reports, vmstat(texts["expected"]))


def check_the_checker(texts):
    """A blank less, a blank more, another number, a line's end less: each is noticed."""
    for name, parse in PARSERS.items():
        text = texts[name]
        if name in ("vmstat", "aliases"):
            broken = [text.replace(" ", "  ", 1)] if text else []
        else:
            # of the index whose columns are not padded, a digit less
            blank = re.sub(r"  (\d)", r" \1", text, count=1)
            broken = [re.sub(r"(\d) *$", r"\1  ", text, count=1, flags=re.M),
                      blank if blank != text else re.sub(r"\d ", " ", text, count=1)]
        broken += [text[:-1]] if text else []
        for wrong in broken:
            try:
                parse(wrong)
            except ValueError:
                continue
            fault(f"the parser of {name} takes what is no {name}: {wrong!r}")


def main():
    program = os.path.join(os.environ["abs_top_builddir"], "tests/api/report_dump")
    texts = dump(program, "")
    check(texts)
    check_the_checker(texts)
    if aliases(texts["aliases"]) != {"other-name": "cache-0"}:
        fault(f"aliases: {texts['aliases']!r}")
    if vmstat(texts["vmstat"])["nr_slab_reclaimable"] == 0:
        fault("no reclaimable slab")
    texts = dump(program, "numa=fake=2")
    check(texts)
    if {node for node, _ in buddyinfo(texts["buddyinfo"])} != {0, 1}:
        fault("numa=fake=2 makes no two nodes")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
