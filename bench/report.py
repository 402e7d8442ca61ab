# SPDX-License-Identifier: MIT
"""Raw runs into cells: medians, their noise, and what compares them."""

import dataclasses
import math
import statistics

# A spread, (max - min) / median, above this is marked: the machine was busy.
NOISY = 0.15

FOOTNOTE = (
    "Each cell is the median of the runs, and in brackets its ratio to {base}. "
    "`~`: the runs spread by more than 15 % of the median. "
    "`failed`: every run, or as many as said, failed or ran out of time. "
    "`missing`: not installed, so not run."
)


@dataclasses.dataclass
class Cell:
    """What one workload came to under one allocator, in one unit."""

    values: list = dataclasses.field(default_factory=list)  # of the runs that were fine
    failed: int = 0
    runs: int = 0
    reason: str = ""
    missing: bool = False

    @property
    def median(self):
        return statistics.median(self.values) if self.values else math.nan

    @property
    def noisy(self):
        spread = max(self.values) - min(self.values) if self.values else 0
        return spread > NOISY * self.median

    def quartiles(self):
        """Lower and upper; of fewer than three runs, the least and the greatest."""
        if len(self.values) < 3:
            return min(self.values), max(self.values)
        lower, _, upper = statistics.quantiles(self.values, n=4, method="inclusive")
        return lower, upper

    def text(self, base):
        if not self.runs:
            return "missing" if self.missing else "–"
        if not self.values:
            return f"failed ({self.reason})"
        return number(self.median) + self.remarks(base)

    def remarks(self, base):
        """The ratio to base in brackets, and what is to be said of the runs."""
        ratio = self.ratio(base)
        text = "" if math.isnan(ratio) else f" ({ratio:.2f})"
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
    good = [run for run in runs if "failed" not in run]
    reasons = [run["failed"] for run in runs if "failed" in run] + [""]
    return Cell([value(run) for run in good], len(runs) - len(good), len(runs), reasons[0])


def cells_of(runs, workloads, allocators, value):
    """A dict by (workload, allocator) of cells."""
    sorted_runs = {(w, a): [] for w in workloads for a in allocators}
    for run in runs:
        sorted_runs[run["workload"], run["allocator"]].append(run)
    return {key: cell_of(some, value) for key, some in sorted_runs.items()}


def geometric_mean(values):
    logs = [math.log(value) for value in values if not math.isnan(value) and value > 0]
    return math.exp(statistics.fmean(logs)) if logs else math.nan


def mean_ratio(cells, workloads, allocator, base):
    """Over the workloads that have a figure for both; and how many those are."""
    ratios = [cells[w, allocator].ratio(cells[w, base]) for w in workloads]
    ratios = [ratio for ratio in ratios if ratio > 0]
    return geometric_mean(ratios), len(ratios)


def mean_to_best(cells, workloads, allocator, allocators):
    """Of the ratios to the best of all in each row; over how many rows."""
    ratios = []
    for workload in workloads:
        figures = [cells[workload, a].median for a in allocators if cells[workload, a].median > 0]
        if cells[workload, allocator].median > 0:
            ratios.append(cells[workload, allocator].median / min(figures))
    return geometric_mean(ratios), len(ratios)


def mean_text(mean, count, total, mark=""):
    if math.isnan(mean):
        return "–"
    text = f"{mark}{mean:.2f}{mark}"
    return text if count == total else f"{text} of {count}"


def table(title, cells, workloads, allocators, base, show=Cell.text):
    """show: from a cell and that of base to what is shown."""
    lines = [f"### {title}", "", "| | " + " | ".join(allocators) + " |"]
    lines.append("|---|" + "---:|" * len(allocators))
    for workload in workloads:
        row = [show(cells[workload, a], cells[workload, base]) for a in allocators]
        lines.append(f"| {workload} | " + " | ".join(row) + " |")
    means = []
    for allocator in allocators:
        mean, count = mean_ratio(cells, workloads, allocator, base)
        means.append(mean_text(mean, count, len(workloads), "**"))
    lines.append("| geometric mean of ratios | " + " | ".join(means) + " |")
    return "\n".join(lines) + "\n"


def best_peer(cells, workload, allocators, ours):
    """The name of the one with the least median, or nothing."""
    peers = [a for a in allocators if a != ours and cells[workload, a].values]
    return min(peers, key=lambda a: cells[workload, a].median, default="")


def within_noise(one, other):
    """Are the medians of two cells apart by less than their runs are? Then the middle halves of
    both overlap, from the lower to the upper quartile."""
    low, high = one.quartiles()
    other_low, other_high = other.quartiles()
    return low <= other_high and other_low <= high


NOISE_RULE = (
    "Inside the noise: the middle halves of both cells' runs (lower to upper quartile; of less than "
    "three runs, all of them) overlap."
)


def behind(units, workloads, allocators, ours):
    """units: (what, cells). A line for each workload in which ours is not the first, or failed."""
    lines = []
    for workload in workloads:
        if any(cells[workload, ours].failed for _, cells in units):
            lines.append(f"- {workload}: failed, see the table")
            continue
        parts = [one_behind(what, cells, workload, allocators, ours) for what, cells in units]
        parts = [part for part in parts if part]
        if parts:
            lines.append(f"- {workload}: " + "; ".join(parts))
    return lines


def one_behind(what, cells, workload, allocators, ours):
    mine = cells[workload, ours]
    name = best_peer(cells, workload, allocators, ours)
    if not mine.values or not name or mine.median <= cells[workload, name].median:
        return ""
    ratio = mine.ratio(cells[workload, name])
    text = f"{what} {ratio:.2f} times {name}'s" if ratio > 0 else f"{what} above {name}'s 0"
    if within_noise(mine, cells[workload, name]):
        text += " (inside the noise)"
    return text
