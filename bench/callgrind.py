# SPDX-License-Identifier: MIT
"""What callgrind has counted, by function of one library."""

import re
import subprocess


def own_costs(lines, library):
    """lines: of a callgrind.out file. A dict from function to the instructions
    executed in it, callees apart, for those in a file whose path has library in
    it, or in a file that callgrind does not know: that is where it sees tcmalloc's
    malloc and free, which are in a section of their own. Names are written once
    and are numbers from then on: "fn=(3) malloc"."""
    names = {"ob": {}, "fn": {}}
    now = {"ob": "", "fn": ""}
    costs = {}
    of_call = False
    for line in lines:
        entry = re.match(r"(c?)(ob|fn)=\((\d+)\)(?: (.*))?$", line.rstrip("\n"))
        if entry:
            callee, kind, number, name = entry.groups()
            if name is not None:
                names[kind][number] = name
            if not callee:
                now[kind] = names[kind][number]
        elif line.startswith("calls="):
            of_call = True  # the next line is what the callee has cost, all in all
        elif re.match(r"[0-9+*-]", line):
            if not of_call and (library in now["ob"] or now["ob"] == "???"):
                costs[now["fn"]] = costs.get(now["fn"], 0) + int(line.split()[1])
            of_call = False
    return costs


def refusal(command):
    """Why valgrind cannot run command, or nothing: Debian 12's does not know all of what clang 14
    writes about a program for debuggers."""
    done = subprocess.run(
        ["valgrind", "--tool=none"] + command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        check=False, text=True, errors="replace",
    )  # fmt: skip
    if done.returncode and "debuginfo reader" in done.stderr:
        return "valgrind cannot read its debug information: build with CFLAGS='-O2 -gdwarf-4'"
    return ""


def count(command, environment, out, library):
    """Run command under callgrind; as own_costs()."""
    tool = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}"]
    subprocess.run(tool + command, env=environment, check=True)
    with open(out, encoding="utf-8", errors="replace") as lines:
        return own_costs(lines, library)
