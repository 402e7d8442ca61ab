# SPDX-License-Identifier: MIT
"""What was promised, against what was measured: a list with "met" or "not met" on each line. A peer
is any allocator of the comparison but ours."""

import math
import re

import report

# A goal about some workloads: (what they are, names, the greatest geometric mean of the ratios to
# the best peer of each row). The limits are issue 4's.
PROGRAM_GOALS = [
    ("random replacement over a large set", r"(replace|alloc-test)-\d+", 0.9),
    ("threads that come and go", r"(replace|mstress|leak|threads-brief)-\d+", 0.9),
    ("producer and consumer", r"(prodcons|xmalloc)-\d+", 0.8),
]
MICRO_GOALS = [
    ("a pair of malloc(64) and free", r"pair/64", 0.7),
    ("batches of mixed sizes", r"batch/(fifo|lifo|shuffled)", 0.8),
]

EACH = 1.05  # times the best peer's time, any workload
MEAN = 0.9  # times the time of the best single peer, geometric mean
LEAN = ("jemalloc", "mimalloc")  # whose memory is not to be exceeded


def line(text, figure, met):
    return f"- {text}: {figure}: **{'met' if met else 'not met'}**"


def not_known(text, why):
    return f"- {text}: {why}: **not known**"


def ratios_to_best_peer(cells, workloads, allocators, ours):
    """[(ratio, workload, peer)], of those that have both figures; the worst first."""
    ratios = []
    for workload in workloads:
        peer = report.best_peer(cells, workload, allocators, ours)
        if peer and cells[workload, ours].values and cells[workload, peer].median > 0:
            ratios.append((cells[workload, ours].ratio(cells[workload, peer]), workload, peer))
    return sorted(ratios, reverse=True)


def each_workload(wall, workloads, allocators, ours):
    text = f"every workload's wall time at most {EACH} times the best peer's"
    ratios = ratios_to_best_peer(wall, workloads, allocators, ours)
    failed = [w for w in workloads if wall[w, ours].runs and not wall[w, ours].values]
    if failed:
        return line(text, "failed: " + ", ".join(failed), False)
    if not ratios:
        return not_known(text, "no figures")
    above = [entry for entry in ratios if entry[0] > EACH]
    noise = sum(report.within_noise(wall[w, ours], wall[w, peer]) for _, w, peer in above)
    ratio, workload, peer = ratios[0]
    figure = f"{len(above)} of {len(ratios)} above, {noise} of these inside the noise; "
    figure += f"the most {ratio:.2f} ({workload}, {peer})"
    return line(text, figure, not above)


def mean_of_all(wall, processor, workloads, allocators, ours):
    text = f"geometric mean of wall time at most {MEAN} times the best single peer's"
    peers = [a for a in allocators if a != ours]
    also = ("processor time", processor)
    return against_peers(text, wall, workloads, peers, ours, MEAN, also)


def memory(peak, workloads, allocators, ours):
    lean = [a for a in LEAN if a in allocators]
    text = f"geometric mean of peak memory at most that of the best of {' and '.join(LEAN)}"
    if lean != list(LEAN):
        return not_known(text, "not measured: " + ", ".join(a for a in LEAN if a not in lean))
    return against_peers(text, peak, workloads, lean, ours, 1)


def against_peers(text, cells, workloads, peers, ours, limit, also=None):
    """Each peer by its geometric mean, over the workloads that both have a figure for. also: (what,
    cells) of which the figure against the same peer is shown."""
    means = [(report.mean_ratio(cells, workloads, ours, peer), peer) for peer in peers]
    means = [(mean, count, peer) for (mean, count), peer in means if not math.isnan(mean)]
    if not means:
        return not_known(text, "no figures")
    mean, count, peer = max(means)
    figure = f"{mean:.2f} times {peer}'s"
    if also:
        what, others = also
        figure += f" ({what}: {report.mean_ratio(others, workloads, ours, peer)[0]:.2f})"
    if count < len(workloads):
        figure += f", over {count} of {len(workloads)} workloads"
    return line(text, figure, mean <= limit)


def real_programs(wall, processor, workloads, allocators, ours):
    """Both times have to pass: on a busy machine there is much noise in the first, less in the
    second."""
    text = "real programs: none slower than with the best peer by more than the noise"
    slower, means = [], []
    for what, cells in (("wall time", wall), ("processor time", processor)):
        ratios = ratios_to_best_peer(cells, workloads, allocators, ours)
        if not ratios:
            return not_known(text, "no figures")
        slower += [
            f"{workload} {what} {ratio:.2f} times {peer}'s"
            for ratio, workload, peer in ratios
            if ratio > 1 and not report.within_noise(cells[workload, ours], cells[workload, peer])
        ]
        means.append(f"{what} {report.geometric_mean(ratio for ratio, _, _ in ratios):.2f}")
    figure = f"geometric mean {', '.join(means)} times the best peer of each; "
    return line(text, figure + (", ".join(slower) or "none"), not slower)


def some_workloads(goal, cells, workloads, allocators, ours):
    what, pattern, limit = goal
    text = f"{what}: at most {limit} times the best peer's time"
    those = [w for w in workloads if re.fullmatch(pattern, w)]
    ratios = ratios_to_best_peer(cells, those, allocators, ours)
    if not ratios:
        return not_known(text, "not measured")
    mean = report.geometric_mean(ratio for ratio, _, _ in ratios)
    figures = ", ".join(f"{w} {ratio:.2f} ({peer})" for ratio, w, peer in sorted(ratios))
    if len(ratios) > 1:
        figures = f"geometric mean {mean:.2f}: {figures}"
    return line(text, figures, mean <= limit)


def of_programs(wall, processor, peak, workloads, real, allocators, ours):
    """real: those of workloads that are programs people run."""
    lines = [
        each_workload(wall, workloads, allocators, ours),
        mean_of_all(wall, processor, workloads, allocators, ours),
        memory(peak, workloads, allocators, ours),
        real_programs(wall, processor, real, allocators, ours),
    ]
    lines += [some_workloads(g, wall, workloads, allocators, ours) for g in PROGRAM_GOALS]
    return lines


def of_operations(cells, operations, allocators, ours):
    return [some_workloads(g, cells, operations, allocators, ours) for g in MICRO_GOALS]
