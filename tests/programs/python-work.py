# SPDX-License-Identifier: MIT
"""Allocation-heavy python with an output that depends on nothing but the heap
keeping its contents. Driven by python.sh."""

import concurrent.futures
import hashlib
import json
import multiprocessing
import os
import random
import sys
import threading
import zlib


def churn(seed, rounds=15000):
    """Random replacement in a dict of strings, lists, bytes and tuples."""
    rng = random.Random(seed)
    table = {}
    for i in range(rounds):
        key = f"key{rng.randrange(2000)}"
        kind = rng.randrange(6)
        if kind == 0:
            table.pop(key, None)
        elif kind == 1:
            table[key] = "s" * rng.randrange(2000)
        elif kind == 2:
            table[key] = list(range(rng.randrange(300)))
        elif kind == 3:
            table[key] = bytes([i & 255]) * rng.randrange(5000)
        elif kind == 4:
            table[key] = tuple(str(j) for j in range(rng.randrange(50)))
        else:
            table[key] = bytearray(rng.randrange(100000))
            table[key].extend(b"grown" * rng.randrange(1000))
    digest = hashlib.sha256()
    for key in sorted(table):
        value = table[key]
        data = value if isinstance(value, (bytes, bytearray)) else repr(value).encode()
        digest.update(key.encode() + data)
    return digest.hexdigest()[:16]


def grow():
    """The large end: buffers that grow, are sliced, compressed and dropped."""
    total = bytearray()
    for i in range(400):
        total += bytes([i & 255]) * 50000
    packed = zlib.compress(bytes(total), 1)
    assert zlib.decompress(packed) == total
    document = {str(i): [i, str(i) * 5, {"x": i / 7}] for i in range(20000)}
    text = json.dumps(document)
    assert json.loads(text) == document
    return hashlib.sha256(total + text.encode()).hexdigest()[:16]


def threads():
    """Threads that come and go, with the GIL released in hashing and zlib."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda n: churn(n, 3000), range(8)):
            print("pool", result)
    done = []
    for batch in range(20):
        group = [
            threading.Thread(
                target=lambda n=n: done.append(zlib.crc32(os.fsencode("t" * n) * 1000))
            )
            for n in range(10)
        ]
        for thread in group:
            thread.start()
        for thread in group:
            thread.join()
    print("short threads", len(done), sum(done))


def fork_under_load():
    """fork while other threads are inside malloc; children use the heap."""
    stop = threading.Event()

    def load(seed):
        rng = random.Random(seed)
        while not stop.is_set():
            # Compression releases the GIL, so these threads really are
            # in malloc and free while the main thread forks.
            zlib.compress(bytes(rng.randrange(20000, 90000)), 1)

    group = [threading.Thread(target=load, args=(n,)) for n in range(3)]
    for thread in group:
        thread.start()
    for n in range(25):
        source, sink = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(source)
            os.write(sink, churn(n, 300).encode())
            os._exit(n)
        os.close(sink)
        with os.fdopen(source) as answer:
            text = answer.read()
        _, status = os.waitpid(pid, 0)
        print("child", n, text, os.waitstatus_to_exitcode(status))
    stop.set()
    for thread in group:
        thread.join()


def main():
    print("churn", churn(1))
    print("grow", grow())
    threads()
    fork_under_load()
    context = multiprocessing.get_context("fork")
    with context.Pool(3) as pool:
        for result in pool.map(churn, range(6)):
            print("process", result)
        pool.close()
        pool.join()
    print("python is done", file=sys.stderr)


if __name__ == "__main__":
    main()
