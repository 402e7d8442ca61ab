# SPDX-License-Identifier: MIT
"""allocators.conf and workloads.conf, read and checked."""

import dataclasses
import os
import re
import shutil
import subprocess


class ConfigError(Exception):
    """Something in the configuration that the user has to put right."""


def build_directory(given):
    """The one given, or that in which bench/measure is."""
    if given:
        return os.path.abspath(given)
    top = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    for place in (os.getcwd(), os.path.join(top, "build"), top):
        if os.path.exists(os.path.join(place, "bench", "measure")):
            return place
    raise ConfigError(
        "bench/measure is not built: run `make bench-programs` in the build directory, "
        "and name that directory with --build"
    )


@dataclasses.dataclass
class Allocator:
    """A line of allocators.conf."""

    name: str
    library: str  # absolute path, or "" for no preload
    environment: dict
    missing: str = ""  # why it cannot be measured


@dataclasses.dataclass
class Workload:
    """A line of workloads.conf."""

    name: str
    set: str
    limit_s: int
    program: str  # whose malloc counts
    command: list
    measures_itself: bool
    missing: str = ""


def expand(word, places):
    """Put $BENCH, $BUILD in."""
    for name, value in places.items():
        word = word.replace("$" + name, value)
    if "$" in word:
        raise ConfigError(f"{word}: only {', '.join('$' + p for p in places)} are known")
    return word


def known_libraries():
    """What the dynamic linker finds by name alone."""
    found = {}
    ldconfig = shutil.which("ldconfig") or "/sbin/ldconfig"
    listing = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        match = re.match(r"\t(\S+) \((.*)\) => (\S+)", line)
        # Of several architectures, the 64-bit one.
        if match and "64" in match.group(2):
            found.setdefault(match.group(1), match.group(3))
    return found


def make_allocator(name, library, variables, places):
    library = expand(library, places)
    allocator = Allocator(name, library, {})
    for variable in variables:
        key, equals, value = variable.partition("=")
        if not equals:
            raise ConfigError(f"{name}: {variable} is no VARIABLE=VALUE")
        # words of the file are words of the value: options have spaces between them
        before = allocator.environment.get(key)
        allocator.environment[key] = f"{before} {value}" if before else value
    if library == "-":
        allocator.library = ""
    elif "/" not in library:
        allocator.library = known_libraries().get(library, "")
        if not allocator.library:
            allocator.missing = f"no {library} is installed"
    else:
        allocator.library = os.path.abspath(library)
        if not os.path.isfile(allocator.library):
            allocator.missing = f"no {allocator.library}"
    return allocator


def lines_of(path):
    with open(path, encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            words = line.split()
            if words and not words[0].startswith("#"):
                yield f"{path}:{number}", words


def read_allocators(path, places):
    allocators = []
    for where, words in lines_of(path):
        if len(words) < 2:
            raise ConfigError(f"{where}: not NAME LIBRARY [VARIABLE=VALUE...]")
        allocators.append(make_allocator(words[0], words[1], words[2:], places))
    return allocators


def read_workloads(path, places):
    workloads = []
    for where, words in lines_of(path):
        if len(words) < 5 or not words[2].isdigit() or words[4:] == ["self:"]:
            raise ConfigError(f"{where}: not NAME SET SECONDS PROGRAM COMMAND [ARGS...]")
        name, set_name, limit_s, program = words[:4]
        command = [expand(word, places) for word in words[4:]]
        measures_itself = command[0] == "self:"
        workload = Workload(
            name,
            set_name,
            int(limit_s),
            expand(program, places),
            command[1:] if measures_itself else command,
            measures_itself,
        )
        found = shutil.which(workload.program)
        if found:
            workload.program = found
        else:
            workload.missing = f"no {workload.program}"
        workloads.append(workload)
    return workloads


def choose(items, names, kind):
    """Those named, in the order of the file."""
    unknown = set(names) - {item.name for item in items} - {
        getattr(item, "set", "") for item in items
    }
    if unknown:
        raise ConfigError(
            f"no {kind} called {', '.join(sorted(unknown))}; there are "
            + ", ".join(item.name for item in items)
        )
    return [
        item for item in items if item.name in names or getattr(item, "set", None) in names
    ]


def chosen_allocators(options, places):
    """What options.allocator names: a line of the file options.allocators, or NAME=LIBRARY; all of
    the file for no word."""
    known = read_allocators(options.allocators, places)
    if not options.allocator:
        return known
    names, own = [], []
    for word in options.allocator:
        name, equals, library = word.partition("=")
        if equals:
            own.append(make_allocator(name, library, [], places))
        else:
            names.append(name)
    chosen = choose(known, names, "allocator") + own
    if len({allocator.name for allocator in chosen}) < len(chosen):
        raise ConfigError("two allocators of one name")
    return chosen
