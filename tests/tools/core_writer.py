# SPDX-License-Identifier: MIT
"""Writes a core file of a running process, as the kernel does: see core(5) and elf(5). For tests, where no core of the
kernel's own is to be had, and for cores that lack something."""

import struct

PAGE = 4096
PT_LOAD, PT_NOTE = 1, 4
NT_PRPSINFO, NT_AUXV, NT_FILE = 3, 6, 0x46494C45
PN_XNUM = 0xFFFF


class Mapping:
    def __init__(self, line):
        self.addresses, self.access, offset, _, _, *path = line.split(None, 5)
        self.start, self.end = (int(address, 16) for address in self.addresses.split("-"))
        self.offset = int(offset, 16)
        self.path = path[0].strip() if path else ""
        self.anonymous_kib = 0


def mappings(pid):
    found = []
    with open("/proc/%s/smaps" % pid) as smaps:
        for line in smaps:
            words = line.split()
            if not words[0].endswith(":"):
                found.append(Mapping(line))
            elif words[0] == "Anonymous:":
                found[-1].anonymous_kib = int(words[1])
    return [mapping for mapping in found if mapping.path not in ("[vvar]", "[vvar_vclock]", "[vsyscall]")]


def as_by_default(mapping):
    """How many bytes of a mapping are in a core, with the default of coredump_filter."""
    if not mapping.path.startswith("/") or mapping.anonymous_kib:
        return mapping.end - mapping.start
    return 0 if mapping.offset else PAGE


def note(kind, content):
    return struct.pack("<III8s", 5, len(content), kind, b"CORE") + content + bytes(-len(content) % 4)


def notes_of(pid, found):
    with open("/proc/%s/comm" % pid) as comm:
        name = comm.read().strip().encode()
    with open("/proc/%s/auxv" % pid, "rb") as auxv:
        vector = auxv.read()
    files = [mapping for mapping in found if mapping.path.startswith("/")]
    table = struct.pack("<QQ", len(files), PAGE)
    for mapping in files:
        table += struct.pack("<QQQ", mapping.start, mapping.end, mapping.offset // PAGE)
    table += b"".join(mapping.path.encode() + b"\0" for mapping in files)
    return {
        "process": note(NT_PRPSINFO, struct.pack("<4xxxxxQIIiiii16s80s", 0, 0, 0, int(pid), 0, 0, 0, name, b"")),
        "auxv": note(NT_AUXV, vector),
        "files": note(NT_FILE, table),
    }


def write_core(pid, path, dumped=as_by_default, without=(), extended=False):
    """@dumped: bytes of a mapping that are in the core. @without: notes that are not. @extended: the number of
    headers stands where it does if there are very many."""
    found = mappings(pid)
    notes = b"".join(content for name, content in notes_of(pid, found).items() if name not in without)
    nr = len(found) + 1
    offset = 64 + 56 * nr + (64 if extended else 0)
    headers = struct.pack("<IIQQQQQQ", PT_NOTE, 0, offset, 0, 0, len(notes), 0, 4)
    offset = (offset + len(notes) + PAGE - 1) // PAGE * PAGE
    places = []
    for mapping in found:
        size = dumped(mapping) if "r" in mapping.access else 0
        flags = ("r" in mapping.access) * 4 + ("w" in mapping.access) * 2 + ("x" in mapping.access)
        headers += struct.pack("<IIQQQQQQ", PT_LOAD, flags, offset, mapping.start, 0, size, mapping.end - mapping.start, PAGE)
        places.append((offset, mapping.start, size))
        offset += size
    with open(path, "wb") as core, open("/proc/%s/mem" % pid, "rb", buffering=0) as memory:
        core.write(struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 4, 62, 1, 0, 64, 64 + 56 * nr if extended else 0, 0, 64, 56,
                               PN_XNUM if extended else nr, 64, int(extended), 0))
        core.write(headers)
        if extended:
            core.write(struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 1, 0, nr, 0, 0))
        core.write(notes)
        for place, start, size in places:
            copy(core, place, memory, start, size)
        core.truncate(offset)


def copy(core, place, memory, start, size):
    """With a hole for what is zero."""
    step = 1 << 20
    for at in range(0, size, step):
        memory.seek(start + at)
        piece = memory.read(min(step, size - at))
        if any(piece):
            core.seek(place + at)
            core.write(piece)
