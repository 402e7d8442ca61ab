# SPDX-License-Identifier: MIT
"""Raw runs into medians, and medians into Markdown."""

import dataclasses
import math
import statistics

# A spread, (max - min) / median, above this is marked: the machine was busy.
NOISY = 0.15

FOOTNOTE = (
    "Each cell is the median of the runs, and in brackets its ratio to {base}. "
    "`~`: the runs spread by more than 15 % of the median. "
    "`failed`: every run, or as many as said, failed or ran out of time."
)


@dataclasses.dataclass
class Cell:
    """What one workload came to under one allocator, in one unit."""

    median: float = math.nan
    noisy: bool = False
    failed: int = 0
    runs: int = 0
    reason: str = ""

    def text(self, base):
        if not self.runs:
            return "–"
        if math.isnan(self.median):
            return f"failed ({self.reason})"
        text = f"{number(self.median)} ({self.ratio(base):.2f})"
        if math.isnan(self.ratio(base)):
            text = number(self.median)
        if self.noisy:
            text += " ~"
        if self.failed:
            text += f", {self.failed} of {self.runs} failed"
        return text

    def ratio(self, base):
        return self.median / base.median if base and base.median else math.nan


def number(value):
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell_of(runs, value):
    """runs: what runner.run() has returned; value: from a run to a number."""
    cell = Cell(runs=len(runs))
    good = [value(run) for run in runs if "failed" not in run]
    cell.failed = len(runs) - len(good)
    if cell.failed:
        cell.reason = next(run["failed"] for run in runs if "failed" in run)
    if good:
        cell.median = statistics.median(good)
        cell.noisy = cell.median > 0 and (max(good) - min(good)) / cell.median > NOISY
    return cell


def cells_of(runs, workloads, allocators, value):
    """A dict by (workload, allocator) of cells."""
    sorted_runs = {(w, a): [] for w in workloads for a in allocators}
    for run in runs:
        sorted_runs[run["workload"], run["allocator"]].append(run)
    return {key: cell_of(some, value) for key, some in sorted_runs.items()}


def geometric_mean(cells, workloads, allocator, base):
    """Over the workloads that have a figure for both; and how many those are."""
    ratios = [cells[w, allocator].ratio(cells[w, base]) for w in workloads]
    logs = [math.log(ratio) for ratio in ratios if not math.isnan(ratio) and ratio > 0]
    return (math.exp(statistics.fmean(logs)), len(logs)) if logs else (math.nan, 0)


def table(title, cells, workloads, allocators, base):
    lines = [f"### {title}", "", "| | " + " | ".join(allocators) + " |"]
    lines.append("|---|" + "---:|" * len(allocators))
    for workload in workloads:
        row = [cells[workload, a].text(cells[workload, base]) for a in allocators]
        lines.append(f"| {workload} | " + " | ".join(row) + " |")
    means = []
    for allocator in allocators:
        mean, count = geometric_mean(cells, workloads, allocator, base)
        text = "–" if math.isnan(mean) else f"**{mean:.2f}**"
        means.append(text if count == len(workloads) else f"{text} of {count}")
    lines.append("| geometric mean of ratios | " + " | ".join(means) + " |")
    return "\n".join(lines) + "\n"


def behind(cells, workloads, allocators, ours, what):
    """One line for each workload in which ours is not the first."""
    lines = []
    for workload in workloads:
        mine = cells[workload, ours].median
        others = [
            (cells[workload, a].median, a)
            for a in allocators
            if a != ours and not math.isnan(cells[workload, a].median)
        ]
        if math.isnan(mine) or not others:
            continue
        best, name = min(others)
        if mine > best:
            lines.append(f"- {workload}: {what} {mine / best:.2f} times {name}'s")
    return lines


def noise_notes(cells):
    noisy = sum(cell.noisy for cell in cells.values())
    return f"{noisy} of {len(cells)} cells are noisy." if noisy else "No cell is noisy."
