# SPDX-License-Identifier: MIT
"""A redis server under a fixed sequence of requests, measuring the server.

The preload named by BENCH_PRELOAD goes to the server alone; the clients are the
same whatever is measured. Written to the file BENCH_FIGURES: the wall time of
the sequence, the server's processor time and its peak memory. The server
listens on 127.0.0.1, on a free port, and keeps nothing on disk."""

import json
import os
import random
import signal
import subprocess
import sys
import time

# Each step is a redis-benchmark command line. Small values, many at a time;
# lists and hashes; values that are replaced by larger ones; large ones.
STEPS = [
    "-n 250000 -r 200000 -d 100 -P 16 -c 20 -t set",
    "-n 250000 -r 200000 -d 100 -P 16 -c 20 -t get",
    "-n 150000 -r 20000 -d 40 -P 16 -c 20 -t lpush,sadd,hset,zadd",
    "-n 150000 -r 200000 -d 400 -P 16 -c 20 -t set",
    "-n 20000 -r 10000 -d 64 -c 20 -t set,get,incr,rpop,spop",
    "-n 3000 -r 300 -d 100000 -P 4 -c 5 -t set",
    "-n 100000 -r 200000 -d 30 -P 16 -c 20 -t mset",
]


def start_server(preload, environment=None):
    """Return the server's process and port. environment: instead of this process's own. Nobody can reserve a port for
    somebody else, so try until a server stays up."""
    for _ in range(20):
        port = random.randrange(20000, 32000)
        command = [
            "redis-server",
            "--bind", "127.0.0.1", "--port", str(port),
            "--save", "", "--appendonly", "no",
        ]  # fmt: skip
        if preload:
            command = ["env", "LD_PRELOAD=" + preload] + command
        # Into a file: nobody would empty a pipe.
        with open("server.log", "wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        for _ in range(150):
            time.sleep(0.05)
            with open("server.log", encoding="utf-8", errors="replace") as log:
                text = log.read()
            if "Ready to accept connections" in text:
                return server, port
            if server.poll() is not None:
                break
        stop(server)
        if "Address already in use" not in text:
            break
    sys.exit("redis-server does not start:\n" + text)


def stop(server):
    """However this ends, no server stays behind."""
    if server.returncode is None and server.poll() is None:
        server.kill()
        server.wait()


def peak_kib(pid):
    """The peak of the memory map that pid has now: what ran before the exec
    does not count."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    raise RuntimeError("no VmHWM")


def drive(port, step):
    subprocess.run(
        ["redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "-q"] + step.split(),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def main():
    # Killed from outside, leave by an exception, so that the server goes too.
    signal.signal(signal.SIGTERM, lambda signo, frame: sys.exit(1))
    server, port = start_server(os.environ.get("BENCH_PRELOAD"))
    try:
        began = time.monotonic()
        for step in STEPS:
            drive(port, step)
        wall = time.monotonic() - began
        peak = peak_kib(server.pid)
        subprocess.run(
            ["redis-cli", "-h", "127.0.0.1", "-p", str(port), "shutdown", "nosave"],
            stdout=subprocess.DEVNULL,
            check=False,
        )
        _, status, usage = os.wait4(server.pid, 0)
        server.returncode = os.waitstatus_to_exitcode(status)
        if server.returncode != 0:
            sys.exit(f"redis-server ends with {server.returncode}")
    finally:
        stop(server)
    figures = {
        "wall_s": round(wall, 6),
        "user_s": usage.ru_utime,
        "system_s": usage.ru_stime,
        "peak_kib": peak,
        "minor_faults": usage.ru_minflt,
        "major_faults": usage.ru_majflt,
    }
    with open(os.environ["BENCH_FIGURES"], "w", encoding="ascii") as out:
        json.dump(figures, out)


if __name__ == "__main__":
    main()
