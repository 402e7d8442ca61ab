# SPDX-License-Identifier: MIT
"""The loads of bench/memory: started, watched from outside until they have been at rest for a while, ended."""

import mmap
import os
import struct
import subprocess
import time

import redis_load
import runner

LIMIT_S = 120  # for one run to come to rest
REST_S = 2.0  # how long it is looked at afterwards: what stays this long is kept
SAMPLE_S = 0.01
PAGE_KIB = os.sysconf("SC_PAGESIZE") // 1024

PYTHON = """
import sys
kept = []
for turn in range(4):
    rows = [{"id": i, "name": "name %d" % i, "tags": [str(i), str(i * 7)]} for i in range(100000)]
    kept += rows[::100]
    del rows
open(sys.argv[1], "w").close()
sys.stdin.read()
"""

NODE = """
let kept = [];
for (let turn = 0; turn < 4; turn++) {
  let blobs = [];
  for (let i = 0; i < 20000; i++) blobs.push(Buffer.alloc(200 + (i * 37) % 9000, 1));
  kept = kept.concat(blobs.filter((_, i) => i % 100 == 0));
  blobs = null;
  global.gc();
}
require('fs').writeFileSync(process.argv[1], '');
process.stdin.resume();
"""


class Process:
    """Something that runs, and what there is to know about it from outside."""

    def __init__(self, process):
        self.process = process
        self.began = time.monotonic()
        self.samples = []  # (seconds, RSS in KiB, live bytes or None)

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * PAGE_KIB

    def sample(self, live=None):
        self.samples.append((round(time.monotonic() - self.began, 3), self.rss_kib(), live))

    def sample_for(self, seconds, live=lambda: None):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.sample(live())
            time.sleep(SAMPLE_S)

    def faults(self):
        """Minor ones, of all threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            return int(stat.read().rpartition(")")[2].split()[7])

    def figures(self):
        live = self.samples[-1][2]
        return {
            "peak_kib": redis_load.peak_kib(self.process.pid),
            "rest_kib": self.rss_kib(),
            "live_kib": None if live is None else live // 1024,
            "faults": self.faults(),
            "samples": self.samples,
        }


def environment_of(allocator):
    environment = runner.base_environment()
    environment.update(allocator.environment)
    return environment


def preloaded(allocator, command):
    """env puts the library in, so that it is not in what starts it."""
    return ["env", "LD_PRELOAD=" + allocator.library, *command] if allocator.library else command


def start(allocator, command, scratch):
    with open(os.path.join(scratch, "errors"), "wb") as errors:
        return Process(subprocess.Popen(
            preloaded(allocator, command), env=environment_of(allocator), cwd=scratch,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors,
        ))  # fmt: skip


def sample_until(one, is_at_rest, live=lambda: None):
    until = time.monotonic() + LIMIT_S
    while not is_at_rest():
        if one.process.poll() is not None:
            raise RuntimeError(f"ended with {one.process.returncode}")
        if time.monotonic() > until:
            raise RuntimeError("does not come to rest")
        one.sample(live())
        time.sleep(SAMPLE_S)
    one.sample_for(REST_S, live)


def measure_load(name, allocator, build, scratch):
    """One of bench/memory_loads, which shares what it has."""
    path = os.path.join(scratch, "shared")
    with open(path, "wb") as file:
        file.write(bytes(16))
    with open(path, "rb") as file:
        shared = mmap.mmap(file.fileno(), 16, prot=mmap.PROT_READ)
    program = os.path.join(build, "bench", "memory_loads")
    one = start(allocator, [program, name, path], scratch)
    try:
        sample_until(
            one,
            lambda: struct.unpack_from("Q", shared, 8)[0] != 0,
            lambda: struct.unpack_from("Q", shared, 0)[0],
        )
        return one.figures()
    finally:
        redis_load.stop(one.process)
        shared.close()


def measure_program(command, allocator, scratch):
    """One that leaves a file, whose name it is given, when it is at rest."""
    done = os.path.join(scratch, "done")
    one = start(allocator, [*command, done], scratch)
    try:
        sample_until(one, lambda: os.path.exists(done))
        return one.figures()
    finally:
        redis_load.stop(one.process)


def measure_redis(allocator, scratch):
    """Filled, half of it deleted, filled with other sizes, emptied."""
    before = os.getcwd()
    os.chdir(scratch)
    try:
        server, port = redis_load.start_server(allocator.library, environment_of(allocator))
    finally:
        os.chdir(before)
    one = Process(server)

    def client(*words):
        command = ["redis-cli", "-e", "-h", "127.0.0.1", "-p", str(port), *words]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as asked:
            while asked.poll() is None:
                one.sample_for(SAMPLE_S)
        if asked.returncode:
            raise RuntimeError(f"redis-cli {words[0]} fails")

    def script(nr, call):
        """Many calls by one request each."""
        client("eval", f"for i = 0, {nr - 1} do {call} end", "0")

    try:
        one.sample_for(1)
        empty = one.rss_kib()
        for size in (100, 37, 700, 2000):
            script(60000, f"redis.call('set', 'of{size}:' .. i, string.rep('x', {size}))")
            script(30000, f"redis.call('del', 'of{size}:' .. 2 * i)")
        client("flushall", "sync")
        one.sample_for(REST_S)
        return {**one.figures(), "empty_kib": empty}
    finally:
        redis_load.stop(server)


OWN = {
    "growth": "blocks of 64 to 4,000 bytes to 200 MiB, nine of ten freed by chance; the same again",
    "classes": "seven phases of one size each, a hundredth of which stays",
    "lifetimes": "150,000 requests of 50 blocks, beside 20,000 sessions",
    "large": "60 blocks of 64 KiB to 4 MiB replaced 3,000 times, then most freed",
    "sleeping": "eight threads have 16 MiB each and sleep; another one frees all",
    "threads": "1,000 threads that have had 2 MiB each, and sleep",
    "threads-10k": "10,000 of them",
}
PROGRAMS = {
    "python3": ("dicts, of which a hundredth stays, four times", ["python3", "-c", PYTHON]),
    "node": ("buffers, the same", ["node", "--expose-gc", "-e", NODE]),
}
REDIS = {"redis": "filled four times with values of one size, half of them deleted; FLUSHALL"}
ABOUT = {**OWN, **{name: words for name, (words, _) in PROGRAMS.items()}, **REDIS}


def program_of(load, build):
    """Whose malloc counts."""
    if load in OWN:
        return os.path.join(build, "bench", "memory_loads")
    return "redis-server" if load in REDIS else PROGRAMS[load][1][0]


def measure(load, allocator, build, scratch):
    """One run: peak, RSS at rest, live bytes, page faults and every sample. RuntimeError or OSError: it failed."""
    if load in OWN:
        return measure_load(load, allocator, build, scratch)
    if load in PROGRAMS:
        return measure_program(PROGRAMS[load][1], allocator, scratch)
    return measure_redis(allocator, scratch)
