# SPDX-License-Identifier: MIT
"""What Google Benchmark says of one benchmark, whose items are operations."""


def name_of(benchmark):
    """Without what the library appends."""
    return benchmark.split("/real_time")[0]


def figure_of(one):
    """A turn's times, and operations a second by wall time, made into nanoseconds an operation."""
    wall = 1e9 / one["items_per_second"]
    cpu = wall * one["cpu_time"] / one["real_time"]
    # One thread waits for nobody: its wall time has what other processes took in it, no more.
    return {
        "wall_ns": wall,
        "cpu_ns": cpu,
        "nanoseconds": cpu if one["threads"] == 1 else wall,
    }
