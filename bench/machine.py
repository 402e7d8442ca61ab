# SPDX-License-Identifier: MIT
"""Where the figures come from, in one line."""

import os
import platform
import re


def first_line(path, default="unknown"):
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().strip() or default
    except OSError:
        return default


def search(path, pattern, default="unknown"):
    try:
        with open(path, encoding="utf-8") as file:
            match = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return default
    return match.group(1).strip() if match else default


def describe():
    thp = re.search(r"\[(\w+)\]", first_line("/sys/kernel/mm/transparent_hugepage/enabled"))
    model = search("/proc/cpuinfo", r"^model name\s*:\s*(.*)$", platform.machine())
    memory_kib = int(search("/proc/meminfo", r"^MemTotal:\s*(\d+)", "0"))
    return {
        "cpu": model,
        "cpus": len(os.sched_getaffinity(0)),
        "memory_mib": memory_kib // 1024,
        "kernel": platform.release(),
        "system": search("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)', "unknown"),
        "libc": " ".join(platform.libc_ver()),
        "thp": thp.group(1) if thp else "unknown",
        "overcommit": first_line("/proc/sys/vm/overcommit_memory"),
    }


def line(machine):
    return (
        "{cpu}, {cpus} CPUs, {memory_mib} MiB, kernel {kernel}, {system}, {libc}, "
        "THP={thp}, overcommit_memory={overcommit}"
    ).format(**machine)
