# SPDX-License-Identifier: MIT
"""The reports, as sections of Markdown by name. They are made from results.json and micro.json
alone, so that bench/into-doc can put any of them elsewhere."""

import goals
import machine
import plot
import report

OURS = "slabuddy"


class Table:
    """What the sections of one report are made from."""

    def __init__(self, raw):
        self.raw = raw
        self.base = raw["base"]
        self.runs = raw["runs"]
        self.missing = {
            (kind, one["name"]) for kind in ("workloads", "allocators") for one in raw[kind]
            if one["missing"]
        }  # fmt: skip
        self.workloads = [w["name"] for w in raw["workloads"]]
        self.allocators = [a["name"] for a in raw["allocators"]]
        # Those that ran: means and pictures are theirs.
        self.rows = [w for w in self.workloads if ("workloads", w) not in self.missing]
        self.columns = [a for a in self.allocators if ("allocators", a) not in self.missing]
        self.ours = OURS if OURS in self.columns and len(self.columns) > 1 else ""

    def cells(self, value):
        cells = report.cells_of(self.runs, self.workloads, self.allocators, value)
        for (workload, allocator), cell in cells.items():
            cell.missing = bool(
                self.missing & {("workloads", workload), ("allocators", allocator)}
            )
        return cells

    def table(self, title, cells, rows=None, show=report.Cell.text):
        rows = self.workloads if rows is None else rows
        return report.table(title, cells, rows, self.allocators, self.base, show)

    def head(self, title):
        counts = {}
        for run in self.runs:
            key = (run["workload"], run["allocator"])
            counts[key] = counts.get(key, 0) + 1
        rounds = max(counts.values(), default=0)
        lines = [
            f"## {title}",
            "",
            machine.line(self.raw["machine"]) + ".",
            "",
            f"Rounds: {rounds}, alternating between the allocators. "
            + report.FOOTNOTE.format(base=self.base),
        ]
        if self.raw["options"]["SLABUDDY_OPTIONS"]:
            lines.append(f"SLABUDDY_OPTIONS: `{self.raw['options']['SLABUDDY_OPTIONS']}`.")
        lines.append("")
        for allocator in self.raw["allocators"]:
            variables = "".join(f" {k}={v}" for k, v in allocator["environment"].items())
            if not allocator["missing"]:  # else a note says so
                where = allocator["library"] or "no preload"
                lines.append(f"- {allocator['name']}: `{where}{variables}`")
        return "\n".join(lines + [f"- {note}" for note in self.raw["notes"]] + [""])


def join(sections):
    return "\n".join(sections.values())


def wall(run):
    return run["wall_s"]


def processor(run):
    return run["user_s"] + run["system_s"]


def system(run):
    return run["system_s"]


def peak(run):
    return run["peak_kib"] / 1024


def faults(run):
    return run["minor_faults"] / 1000


def user_and_system(cells):
    """What to show of processor time: both parts of it, medians for themselves."""

    def show(cell, base):
        if not cell.values:
            return cell.text(base)
        user, kernel = cells[id(cell)]
        return f"{report.number(user.median)} + {report.number(kernel.median)}" + cell.remarks(base)

    return show


def processor_table(those, total):
    user = those.cells(lambda run: run["user_s"])
    kernel = those.cells(system)
    parts = {id(cell): (user[key], kernel[key]) for key, cell in total.items()}
    return those.table(
        "Processor time, user + system, seconds", total, show=user_and_system(parts)
    )


def summary(those, units):
    """units: (what, cells). Geometric means of everybody, in two ways."""
    columns = those.columns
    lines = ["### Geometric means", "", "| | " + " | ".join(columns) + " |"]
    lines.append("|---|" + "---:|" * len(columns))
    for what, cells in units:
        words = []
        for allocator in columns:
            mean, count = report.mean_ratio(cells, those.rows, allocator, those.base)
            words.append(report.mean_text(mean, count, len(those.rows)))
        lines.append(f"| {what}, ratio to {those.base} | " + " | ".join(words) + " |")
    to_best = {}
    for what, cells in units:
        words = to_best[what] = []
        for allocator in columns:
            mean, count = report.mean_to_best(cells, those.rows, allocator, columns)
            words.append(report.mean_text(mean, count, len(those.rows)))
        row = " | ".join(words)
        lines.append(f"| {what}, ratio to the best of all in each row | {row} |")
    if len(units) > 1:
        # Time and memory at once: the frontier.
        first, last = units[0][0], units[-1][0]
        both = [" · ".join(words) for words in zip(to_best[first], to_best[last])]
        lines.append(f"| {first} · {last}, ratio to the best of all | {' | '.join(both)} |")
    return "\n".join(lines) + "\n"


def behind(those, units):
    lines = report.behind(units, those.rows, those.columns, those.ours)
    text = "\n".join(lines or ["- nowhere"])
    return f"### Where {those.ours} is not the first\n\n{report.NOISE_RULE}\n\n{text}\n"


def goal_list(lines):
    return "### Goals\n\n" + "\n".join(lines) + "\n"


def program_sections(raw, pictures=()):
    """pictures: lines of Markdown."""
    those = Table(raw)
    cells = {unit.__name__: those.cells(unit) for unit in (wall, processor, peak, faults)}
    units = [("wall time", "wall"), ("processor time", "processor"), ("peak memory", "peak")]
    units = [(what, cells[unit]) for what, unit in units]
    sections = {"head": those.head("Programs"), "means": summary(those, units)}
    sections["pictures"] = "\n".join(pictures) + "\n"
    sections["wall"] = those.table("Wall time, seconds", cells["wall"])
    sections["processor"] = processor_table(those, cells["processor"])
    sections["peak"] = those.table("Peak memory, MiB", cells["peak"])
    sections["faults"] = those.table("Page faults (minor), thousands", cells["faults"])
    if those.ours:
        sections["behind"] = behind(those, units)
        real = [w["name"] for w in raw["workloads"] if w["real"] and not w["missing"]]
        three = cells["wall"], cells["processor"], cells["peak"]
        lines = goals.of_programs(*three, those.rows, real, those.columns, those.ours)
        sections["goals"] = goal_list(lines)
    return sections


def draw_programs(raw, out):
    """The pictures, into the directory out; returns lines that show them, or say why not."""
    those = Table(raw)
    picture = plot.Pictures(out, those.rows, those.columns, those.base)
    panels = [("Wall time", those.cells(wall)), ("Peak memory", those.cells(peak))]
    return picture.draw(panels)


def micro_sections(raw):
    those = Table(raw)
    cells = those.cells(lambda run: run["nanoseconds"])
    # The loop is no operation, so not in the mean.
    those.rows = [name for name in those.rows if name != "nothing"]
    sections = {"micro-head": those.head("Single operations")}
    title = "Time of an operation, nanoseconds"
    loop = (
        "Processor time of one thread; of two (`pair_2_threads`, `hand_over`), wall time. "
        "`nothing` is the loop without any malloc, and part of each other row"
    )
    if ("nothing", those.base) in cells and cells["nothing", those.base].values:
        loop += f": {report.number(cells['nothing', those.base].median)} ns"
    sections["micro"] = those.table(title, cells, those.rows) + f"\n{loop}.\n"
    sections["micro-means"] = summary(those, [("time", cells)])
    if those.ours:
        sections["micro-behind"] = behind(those, [("time", cells)])
        lines = goals.of_operations(cells, those.rows, those.columns, those.ours)
        sections["micro-goals"] = goal_list(lines)
    sections["micro-more"] = (
        "Pages and kmem_cache have a comparison of their own: `make bench-cache`, cache.md; "
        "instructions of the fast paths: `make bench-fastpath`, fastpath.md.\n"
    )
    return sections


