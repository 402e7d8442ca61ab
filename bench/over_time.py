# SPDX-License-Identifier: MIT
"""The report of bench/memory: tables of medians, and a picture of each load, RSS beside the live bytes."""

import os
import shutil
import statistics

import machine
import plot
import report

NOTES = """\
MiB, medians of {rounds} rounds that alternate between the allocators. At rest: two seconds after the load's last call, with
no further call. Live: what the load has asked for and not given back; of a program, nobody knows. In brackets the
ratio to the best of the row."""

WIDTH_PX, HEIGHT_PX, POINTS = 900, 360, 450  # arbitrary: a picture has about 600 pixels for the points of a line


def median(raw, load, allocator, key):
    """None when there is no such figure."""
    values = [run[key] for run in runs_of(raw, load, allocator) if run.get(key) is not None]
    return statistics.median(values) if values else None


def runs_of(raw, load, allocator):
    return [r for r in raw["runs"] if (r["workload"], r["allocator"]) == (load, allocator)]


def table(raw, names, key, title):
    lines = [f"### {title}", "", "| load | live at rest | " + " | ".join(names) + " |"]
    lines.append("|---|" + "---:|" * (len(names) + 1))
    for load in raw["loads"]:
        found = [median(raw, load, name, key) for name in names]
        best = min((value for value in found if value), default=None)
        live = next((kib for kib in (median(raw, load, n, "live_kib") for n in names) if kib is not None), None)
        words = [load, "" if live is None else report.number(live / 1024)]
        for value in found:
            text = f"{report.number(value / 1024)} ({value / best:.2f})" if value else "failed"
            words.append(f"**{text}**" if value and value == best else text)
        lines.append("| " + " | ".join(words) + " |")
    return "\n".join(lines) + "\n"


def table_of_faults(raw, names):
    lines = ["### Page faults", "", "| load | " + " | ".join(names) + " |"]
    lines.append("|---|" + "---:|" * len(names))
    for load in raw["loads"]:
        found = [median(raw, load, name, "faults") for name in names]
        words = ["failed" if value is None else f"{value:,.0f}" for value in found]
        lines.append(f"| {load} | " + " | ".join(words) + " |")
    return "\n".join(lines) + "\n"


def redis_line(raw, names):
    """What it is to come back to."""
    words = []
    for name in names:
        empty = median(raw, "redis", name, "empty_kib")
        rest = median(raw, "redis", name, "rest_kib")
        if empty and rest:
            words.append(f"{name} {empty / 1024:.1f} → {rest / 1024:.1f}")
    return f"redis, empty and after FLUSHALL, MiB: {', '.join(words)}.\n" if words else ""


def thinned(samples):
    return samples[:: len(samples) // POINTS + 1] + samples[-1:]


def picture(raw, names, load, out):
    """RSS of each allocator's last run, and the live bytes of one of them. Each from its own beginning."""
    script = plot.terminal(os.path.join(out, f"memory-{load}.svg"), WIDTH_PX, HEIGHT_PX)
    script += [
        "set key outside right top noenhanced",
        'set xlabel "seconds"', 'set ylabel "MiB"', "set yrange [0:]",
        f'set title "{load}: {raw["loads"][load]}" noenhanced',
        "set grid lc '#dddddd' lt 1",
    ]  # fmt: skip
    plots, live = [], None
    for number, name in enumerate(names):
        samples = next((r["samples"] for r in reversed(runs_of(raw, load, name)) if "samples" in r), None)
        if not samples:
            continue
        script.append(f"$rss{number} << END")
        script += [f"{at} {kib / 1024:.2f}" for at, kib, _ in thinned(samples)] + ["END"]
        colour = plot.COLOURS[number % len(plot.COLOURS)]
        plots.append(f"$rss{number} with lines lw 1.6 lc rgb '{colour}' title '{name}'")
        if samples[0][2] is not None:
            live = samples
    if live:
        script.append("$live << END")
        script += [f"{at} {have / 1048576:.2f}" for at, _, have in thinned(live)] + ["END"]
        plots.append("$live with lines lw 1.2 dt 2 lc rgb '#000000' title 'live'")
    if not plots:
        return f"no picture of {load}: every run failed"
    why = plot.gnuplot(script + ["plot " + ", ".join(plots)])
    return f"no picture of {load}: gnuplot: {why}" if why else f"![{load}](memory-{load}.svg)"


def text(raw, rounds, out):
    """All of it, in Markdown; the pictures go to out."""
    names = [one["name"] for one in raw["allocators"] if not one["missing"]]
    parts = ["## Memory", "", machine.line(raw["machine"]) + ".", ""]
    if raw["options"]["SLABUDDY_OPTIONS"]:
        parts += [f"SLABUDDY_OPTIONS: `{raw['options']['SLABUDDY_OPTIONS']}`.", ""]
    parts += [NOTES.format(rounds=rounds), ""] + [note + ".\n" for note in raw["notes"]]
    parts += [table(raw, names, "rest_kib", "At rest"), redis_line(raw, names)]
    parts += [table(raw, names, "peak_kib", "Peak"), table_of_faults(raw, names)]
    parts += ["### Over time", ""]
    if shutil.which("gnuplot"):
        parts += [picture(raw, names, load, out) + "\n" for load in raw["loads"]]
    else:
        parts.append("no pictures: gnuplot is not installed\n")
    return "\n".join(parts)
