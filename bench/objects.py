# SPDX-License-Identifier: MIT
"""Many objects: dicts, lists, strings and instances built, changed and dropped.

usage: objects.py SCALE

At SCALE 1 about 3 s and 300 MiB with PYTHONMALLOC=malloc. The work depends on
SCALE alone: the random numbers are seeded."""

import json
import random
import sys


class Node:
    """An instance with attributes, children and a reference to its parent."""

    def __init__(self, name, parent):
        self.name = name
        self.parent = parent
        self.children = []


def records(rng, count):
    """A table of records as dicts of small values, keyed by strings."""
    table = {}
    for i in range(count):
        table[f"record-{i}"] = {
            "id": i,
            "name": "n" * rng.randrange(1, 60),
            "tags": [f"tag{rng.randrange(1000)}" for _ in range(rng.randrange(6))],
            "position": (rng.random(), rng.random()),
        }
    return table


def churn(rng, table, rounds):
    """Replace random records: the heap at a steady size, in shuffled order."""
    keys = list(table)
    for i in range(rounds):
        key = keys[rng.randrange(len(keys))]
        record = table[key]
        if i % 3 == 0:
            table[key] = dict(record, name=record["name"][::-1] + str(i))
        elif i % 3 == 1:
            record["tags"] = record["tags"][-3:] + [f"new{i}"]
        else:
            record["text"] = "x" * rng.randrange(600)


def tree(rng, count):
    """A tree with cycles, which only the collector can take down."""
    nodes = [Node("root", None)]
    for i in range(count):
        parent = nodes[rng.randrange(len(nodes))]
        node = Node(f"node {i}", parent)
        parent.children.append(node)
        nodes.append(node)
    return sum(len(node.children) for node in nodes)


def strings(count):
    """Strings that grow, are split and joined again."""
    text = " ".join(f"word{i % 997}" for i in range(count))
    words = text.split()
    return len("".join(sorted(set(words)))) + len(text.replace("word", "w"))


def main():
    scale = float(sys.argv[1])
    rng = random.Random(20)
    table = records(rng, int(150000 * scale))
    churn(rng, table, int(400000 * scale))
    some = dict(list(table.items())[: int(40000 * scale)])
    parsed = json.loads(json.dumps(some))
    del table, some
    total = 0
    for _ in range(3):
        total += tree(rng, int(60000 * scale)) + strings(int(200000 * scale))
    print(len(parsed), total)


if __name__ == "__main__":
    main()
