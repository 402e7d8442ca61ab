# SPDX-License-Identifier: MIT
"""Pictures of ratios, by gnuplot: bars for each workload, geometric means, time against memory."""

import math
import os
import shutil
import subprocess

import report

# Distinct in print and to the colour-blind (Okabe and Ito 2008). By allocator, in their order.
COLOURS = ["#888888", "#e69f00", "#56b4e9", "#009e73", "#d55e00", "#cc79a7", "#0072b2", "#b8a800"]

FAR = 8  # a bar ends here, and at 1 / FAR, with its figure written beside it (arbitrary)
BAR_PX = 8  # thickness of a bar, arbitrary like the other sizes here
THIN_PX = 5  # the same for more than MANY workloads, so that a picture fits on two screens
MANY = 40
GAP_PX = 10  # between the bars of two workloads
WIDTH_PX = 1100
TOP_PX, BOTTOM_PX = 78, 42

MEAN = "geometric mean"


def gnuplot(script):
    """Returns what it says when it fails, or nothing."""
    done = subprocess.run(
        ["gnuplot"], input="\n".join(script) + "\n", capture_output=True, text=True, check=False
    )
    return done.stderr.strip()[-300:] if done.returncode else ""


def terminal(path, width, height):
    return [
        f"set terminal svg size {width},{height} font 'DejaVu Sans,Helvetica,Arial,sans-serif,12' "
        "background '#ffffff'",
        f"set output '{path}'",
        "set border lc '#444444'",
    ]


def ratio_axis(axis, low, high):
    """Logarithmic, since half is as far from one as double is."""
    powers = range(math.floor(math.log2(low)) - 1, math.ceil(math.log2(high)) + 1)
    tics = [2.0**power for power in powers]
    if high / low < 6:
        tics += [1.5 * tic for tic in tics]
    return [
        f"set logscale {axis} 2",
        f"set {axis}range [{low}:{high}]",
        f"set {axis}tics (" + ", ".join(f"'{tic:.3g}' {tic}" for tic in tics) + ") nomirror",
        f"set grid {axis}tics lc '#dddddd' lt 1",
    ]


class Pictures:
    """Of one comparison. A panel: (title, cells)."""

    def __init__(self, out, workloads, allocators, base):
        self.out = out
        self.workloads = workloads
        self.allocators = allocators
        self.base = base
        self.colours = {a: COLOURS[i % len(COLOURS)] for i, a in enumerate(allocators)}
        # The base is 1 everywhere, so it needs no bar.
        self.others = [a for a in allocators if a != base] or allocators
        self.bar_px = BAR_PX if len(workloads) <= MANY else THIN_PX
        self.row_px = self.bar_px * len(self.others) + GAP_PX

    def draw(self, panels):
        """Every picture; returns lines of Markdown that show them, or say why there is none."""
        if not shutil.which("gnuplot"):
            return ["no pictures: gnuplot is not installed"]
        os.makedirs(self.out, exist_ok=True)
        lines = []
        for name, words, make in (
            ("results.svg", f"each workload, ratios to {self.base}", self.bars),
            ("means.svg", f"geometric means of ratios to {self.base}", self.means),
            ("scatter.svg", "time against memory", self.scatter),
        ):
            why = gnuplot(make(os.path.join(self.out, name), panels))
            lines.append(f"no {name}: gnuplot: {why}" if why else f"![{words}]({name})")
        return lines

    def ratios(self, cells, allocator):
        """[(row, ratio)] for rows that have one, the geometric mean under all of them."""
        found = [(w, cells[w, allocator].ratio(cells[w, self.base])) for w in self.workloads]
        found.append((MEAN, report.mean_ratio(cells, self.workloads, allocator, self.base)[0]))
        return [(row, ratio) for row, ratio in found if ratio > 0]

    def bars(self, path, panels):
        rows = self.workloads + [MEAN]
        height = TOP_PX + BOTTOM_PX + self.row_px * len(rows)
        script = terminal(path, WIDTH_PX, height)
        script += [
            "set style fill solid 1 noborder",
            f"set yrange [{len(rows)}:0]",
            f"set tmargin at screen {1 - TOP_PX / height}",
            f"set bmargin at screen {BOTTOM_PX / height}",
            f"set key at screen 0.5,{1 - 12 / height} center top horizontal noenhanced "
            "maxrows 1 samplen 1.2 width 2",
        ]
        script += self.stripes(rows)
        script.append("set multiplot")
        left, width = 0.17, 0.39
        for index, (title, cells) in enumerate(panels):
            at = left + index * (width + 0.03)
            script += [
                f"set lmargin at screen {at}",
                f"set rmargin at screen {at + width}",
                f'set title "{title}, ratio to {self.base} (left is better)" noenhanced '
                "offset 0,-0.4",
                self.row_names(rows if index == 0 else []),
            ]
            script += self.bars_of_panel(index, cells, rows)
            script.append("unset key")
        return script + ["unset multiplot"]

    def stripes(self, rows):
        """Every other row is shaded, the mean in another shade."""
        lines = []
        for at, row in enumerate(rows):
            colour = "#e8eef8" if row == MEAN else "#f6f6f6"
            if row == MEAN or at % 2 == 0:
                lines.append(
                    f"set object rectangle from graph 0, first {at} to graph 1, first {at + 1} "
                    f"behind fs solid 1 noborder fc rgb '{colour}'"
                )
        return lines

    def row_names(self, rows):
        tics = ", ".join(f"'{row}' {at + 0.5}" for at, row in enumerate(rows))
        return f"set ytics ({tics}) noenhanced scale 0" if rows else "unset ytics"

    def bars_of_panel(self, index, cells, rows):
        thick = self.bar_px / self.row_px
        script, plots, labels, ends = [], [], [], [1.0]
        for number, allocator in enumerate(self.others):
            name = f"$panel{index}_{number}"
            script.append(f"{name} << END")
            for row, ratio in self.ratios(cells, allocator):
                top = rows.index(row) + GAP_PX / 2 / self.row_px + thick * number
                end = min(max(ratio, 1 / FAR), FAR)
                ends.append(end)
                bar = (1, top + thick / 2, min(1, end), max(1, end), top, top + thick)
                script.append(" ".join(f"{v:.5f}" for v in bar))
                if end != ratio:
                    side = "right" if ratio > 1 else "left"
                    labels.append(f"{end:.5f} {bar[1]:.5f} {side} {ratio:.3g}")
            # With no row at all gnuplot would not plot the others either.
            script += ["NaN NaN NaN NaN NaN NaN", "END"]
            plots.append(
                f"{name} using 1:2:3:4:5:6 with boxxyerror lc rgb '{self.colours[allocator]}' "
                f"title '{allocator}'"
            )
        script += ratio_axis("x", min(ends) / 1.15, max(ends) * 1.15)
        script.append("unset label")
        for label in labels:
            x, y, side, text = label.split()
            script.append(
                f"set label '{text}' at {x},{y} {side} font ',8' tc rgb '#ffffff' front "
                f"offset {-0.4 if side == 'right' else 0.4},0"
            )
        script.append("set arrow 1 from 1,graph 0 to 1,graph 1 nohead lc rgb '#444444' front")
        return script + ["plot " + ", ".join(plots)]

    def means(self, path, panels):
        """Side by side; a bar an allocator, its figure beside it."""
        names = self.allocators
        height = 60 + 30 * len(names)
        script = terminal(path, 900, height)
        script += [
            "set style fill solid 1 noborder",
            f"set yrange [{len(names)}:0]",
            f"set tmargin at screen {1 - 34 / height}",
            f"set bmargin at screen {12 / height}",
            "unset key",
            "unset xtics",
            "set border 2 lc '#444444'",
            "set multiplot",
        ]
        for index, (title, cells) in enumerate(panels):
            at = 0.11 + index * 0.46
            means = [
                report.mean_ratio(cells, self.workloads, a, self.base)[0] for a in names
            ]
            most = max((m for m in means if not math.isnan(m)), default=1)
            script += [
                f"set lmargin at screen {at}",
                f"set rmargin at screen {at + 0.41}",
                f"set xrange [0:{most * 1.2:.4f}]",
                f'set title "{title}, geometric mean of ratios to {self.base}" noenhanced '
                "offset 0,-0.5",
                self.row_names(names) if index == 0 else "unset ytics",
                "unset label",
            ]
            plots = []
            for number, (allocator, mean) in enumerate(zip(names, means)):
                if math.isnan(mean):
                    script.append(f"set label 'no figures' at 0,{number + 0.5} offset 0.6,0")
                    continue
                script.append(
                    f"set label '{mean:.2f}' at {mean:.4f},{number + 0.5} offset 0.6,0"
                )
                script.append(
                    f"$mean{index}_{number} << END\n{mean / 2:.5f} {number + 0.5} 0 {mean:.5f} "
                    f"{number + 0.15} {number + 0.85}\nEND"
                )
                plots.append(
                    f"$mean{index}_{number} using 1:2:3:4:5:6 with boxxyerror "
                    f"lc rgb '{self.colours[allocator]}'"
                )
            script.append("plot " + (", ".join(plots) or "NaN"))
        return script + ["unset multiplot"]

    def scatter(self, path, panels):
        """panels: time, then memory. A large point for an allocator's means, a small one for each
        of its workloads."""
        (_, time), (_, memory) = panels
        script = terminal(path, 900, 640)
        script += [
            "set key outside right top noenhanced",
            f'set xlabel "wall time, ratio to {self.base}" noenhanced',
            f'set ylabel "peak memory, ratio to {self.base}" noenhanced',
            'set title "Time against memory (lower left is better); large: geometric means, '
            'small: workloads" noenhanced',
        ]
        plots, everything = [], [(1.0, 1.0)]
        for number, allocator in enumerate(self.allocators):
            in_memory = dict(self.ratios(memory, allocator))
            points = {
                row: (ratio, in_memory[row])
                for row, ratio in self.ratios(time, allocator)
                if row in in_memory
            }
            everything += points.values()
            mean = points.pop(MEAN, None)
            if not mean:
                continue
            small = points.values() if allocator != self.base else []
            for name, those in ((f"$small{number}", small), (f"$large{number}", [mean])):
                script.append(f"{name} << END")
                script += [f"{x:.5f} {y:.5f}" for x, y in those] + ["NaN NaN", "END"]
            colour = self.colours[allocator]
            plots.append(
                f"$small{number} with points pt 7 ps 0.45 lc rgb '#90{colour[1:]}' notitle"
            )
            plots.append(f"$large{number} with points pt 7 ps 2.2 lc rgb '#ffffff' notitle")
            plots.append(
                f"$large{number} with points pt 7 ps 1.8 lc rgb '{colour}' title '{allocator}'"
            )
        for axis, values in (("x", [x for x, _ in everything]), ("y", [y for _, y in everything])):
            script += ratio_axis(axis, min(values) / 1.2, max(values) * 1.2)
        script += [
            "set grid xtics ytics lc '#dddddd' lt 1",
            "set arrow from 1,graph 0 to 1,graph 1 nohead lc rgb '#888888' dt 2 back",
            "set arrow from graph 0,first 1 to graph 1,first 1 nohead lc rgb '#888888' dt 2 back",
        ]
        # Small points first, so that no large one is under them.
        plots.sort(key=lambda words: "ps 0.45" not in words)
        return script + ["plot " + (", ".join(plots) or "NaN")]
