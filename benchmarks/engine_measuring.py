"""Timing two things side by side, and a table of what came out."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Call = Callable[[], object]


@dataclass(frozen=True)
class Times:
    """Seconds of repeated runs."""

    seconds: np.ndarray

    @property
    def best(self) -> float:
        return float(self.seconds.min())

    @property
    def median(self) -> float:
        return float(np.median(self.seconds))


def race(calls: dict[str, Call], repeats: int) -> dict[str, Times]:
    """Return CPU times of calls that take turns, so that a noisy moment meets all of them."""
    for call in calls.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            started = time.thread_time()
            call()
            seconds[name].append(time.thread_time() - started)
    return {name: Times(np.array(taken)) for name, taken in seconds.items()}


@dataclass(frozen=True)
class Row:
    """One line of the table: what, beside what, and the ratio or time that was wanted.

    ``figure`` counts against ``target``: at least, or with ``at_most`` at most. Without a
    target a line only informs; without a figure nothing was measured, and ``ours`` says why.
    """

    what: str
    ours: str
    baseline: str = ""
    theirs: str = ""
    figure: float | None = None
    unit: str = "x"
    target: float | None = None
    at_most: bool = False
    medians: float | None = None

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        if self.figure is None:
            return "not measured"
        met = self.figure <= self.target if self.at_most else self.figure >= self.target
        return "met" if met else "missed"

    def cells(self) -> list[str]:
        def shown(number: float | None) -> str:
            if number is None:
                return ""
            digits = 2 if abs(number) < 10 else 1 if abs(number) < 100 else 0
            return f"{number:,.{digits}f}{self.unit}"

        sign = "<=" if self.at_most else ">="
        wanted = "" if self.target is None else f"{sign} {self.target:,g}{self.unit}"
        return [
            self.what, self.ours, self.baseline, self.theirs, shown(self.figure),
            shown(self.medians), wanted, self.verdict,
        ]  # fmt: skip


def not_measured(
    what: str, why: str, target: float | None = None, unit: str = "x", *, at_most: bool = False
) -> Row:
    return Row(what, f"not measured: {why}", target=target, unit=unit, at_most=at_most)


def compare(
    what: str, ours: Times, baseline: str, theirs: Times, n: int, target: float | None = None
) -> Row:
    """Return a line on how much faster ``ours`` is, by the best of each, for ``n`` of something."""
    return Row(
        what,
        rate(n, ours.best),
        baseline,
        rate(n, theirs.best),
        theirs.best / ours.best,
        target=target,
        medians=theirs.median / ours.median,
    )


def rate(n: int, seconds: float) -> str:
    """Return so many a second, in words."""
    each = n / seconds
    return f"{each / 1e6:.2f} M/s" if each >= 1e6 else f"{each / 1e3:.1f} k/s"


def print_table(rows: list[Row]) -> None:
    heads = ["what", "engine", "baseline", "of it", "ratio", "medians", "target", ""]
    told = [heads, *(row.cells() for row in rows if row.figure is not None)]
    widths = [max(len(line[k]) for line in told) for k in range(len(heads))]
    widths[0] = max(widths[0], *(len(row.what) for row in rows))
    for cells in [heads, *(row.cells() for row in rows)]:
        if cells[-1] == "not measured":
            # The reason stands in place of the figures.
            cells = [cells[0], cells[1], "wanted", *cells[-2:-1]]
            print("  ".join([cells[0].ljust(widths[0]), *cells[1:]]))
            continue
        shown = [text.ljust(width) for text, width in zip(cells, widths, strict=True)]
        print("  ".join(shown).rstrip())


def machine() -> str:
    """Return processor, cores, memory and versions in one line."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        name = next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), name)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{name}, {cores} cores, {memory:.0f} GiB, Python {platform.python_version()}, "
        f"numpy {np.__version__}, SQLite {sqlite3.sqlite_version}; load before: {load:.1f}"
    )
