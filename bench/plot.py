# SPDX-License-Identifier: MIT
"""Ratios as bars, by gnuplot."""

import math
import shutil
import subprocess

import report

# Distinct in print and to the colour-blind (Okabe and Ito 2008).
COLOURS = ["#999999", "#e69f00", "#56b4e9", "#009e73", "#d55e00", "#cc79a7", "#0072b2", "#f0e442"]


def block(name, cells, workloads, allocators, base):
    """A gnuplot data block: a row a workload, a column an allocator."""
    lines = [f"${name} << END", "workload " + " ".join(f'"{a}"' for a in allocators)]
    for workload in workloads:
        ratios = [cells[workload, a].ratio(cells[workload, base]) for a in allocators]
        row = ["-" if math.isnan(r) else f"{r:.4f}" for r in ratios]
        lines.append(f'"{workload}" ' + " ".join(row))
    means = [report.geometric_mean(cells, workloads, a, base)[0] for a in allocators]
    row = ["-" if math.isnan(m) else f"{m:.4f}" for m in means]
    lines.append('"geometric mean" ' + " ".join(row))
    return "\n".join(lines + ["END", ""])


def draw(path, panels, workloads, allocators, base):
    """panels: (title, cells) from top to bottom. Returns why there is no
    picture, or nothing."""
    if not shutil.which("gnuplot"):
        return "no picture: gnuplot is not installed"
    width = max(700, 60 * (len(workloads) + 2) + 14 * len(allocators) * (len(workloads) + 1))
    script = [
        f"set terminal svg size {width},{340 * len(panels)} font 'sans-serif,11' "
        "background '#ffffff'",
        f"set output '{path}'",
        "set datafile missing '-'",
        "set style data histograms",
        "set style histogram clustered gap 1",
        "set style fill solid 0.9 noborder",
        "set boxwidth 0.9",
        "set grid ytics lc '#dddddd'",
        "set yrange [0:*]",
        "set key outside right top noenhanced",
        "set xtics noenhanced rotate by -20",
        f"set multiplot layout {len(panels)},1",
    ]
    for index, (title, cells) in enumerate(panels):
        script.append(block(f"panel{index}", cells, workloads, allocators, base))
        bars = [
            f"$panel{index} using {column + 2}:xtic(1) title columnheader({column + 2}) "
            f"lc rgb '{COLOURS[column % len(COLOURS)]}'"
            for column in range(len(allocators))
        ]
        script.append(f"set title \"{title}, ratio to {base}; lower is better\" noenhanced")
        script.append("plot " + ", ".join(bars) + ", 1 lc rgb 'black' dt 2 notitle with lines")
    script.append("unset multiplot")
    drawn = subprocess.run(
        ["gnuplot"], input="\n".join(script), capture_output=True, text=True, check=False
    )
    if drawn.returncode:
        return "no picture: gnuplot: " + drawn.stderr.strip()[-300:]
    return ""
