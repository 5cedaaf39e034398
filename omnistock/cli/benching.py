"""What ``omnistock bench`` measures and says."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path

from omnistock.cli.doctor import kernels_are_warm
from omnistock.cli.running import Progress
from omnistock.simulation.sizing import MachineFigures, PeakLoad, measure_machine, peak_load

__all__ = ["BenchReport", "bench_machine"]

_NODES = 5
_QUICK_STOCKPOINTS, _STOCKPOINTS = 200_000, 1_000_000
_QUICK_SECONDS, _SECONDS = 5.0, 20.0


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Figures of this machine, and of the peak if one was named."""

    figures: MachineFigures
    load: PeakLoad | None
    compiled: bool

    def json(self) -> str:
        """Return all figures as JSON."""
        load = None if self.load is None else dataclasses.asdict(self.load)
        parts = {
            "machine": dataclasses.asdict(self.figures),
            "peak": load,
            "compiled": self.compiled,
        }
        return json.dumps(parts, indent=2)

    def text(self) -> str:
        """Return all figures in sentences."""
        one = self.figures
        lines = [
            f"Measured at {one.n_stockpoints:,} stockpoints, {one.n_nodes} nodes per SKU, "
            f"{one.lines_per_order:g} lines per order, one engine, its ledger on this disk.",
            "",
            f"Durable orders     {_rate(one.reservations_per_s)}/s in arrays of 1,000, "
            f"{_rate(one.reservations_per_s_large)}/s of 8,192, "
            f"{_rate(one.reservations_per_s_objects)}/s as Python objects",
            f"Questions          {_rate(one.checks_per_s)}/s in arrays, "
            f"{_rate(one.calls_per_s)}/s as single calls",
            f"One durable order  {one.reserve_p50_ms:.2f} ms, 99 of 100 within "
            f"{one.reserve_p99_ms:.2f} ms; the disk alone takes {one.fsync_p50_ms:.2f} ms",
            f"Longest wait       {one.longest_wait_ms:,.0f} ms for a batch of 1,000, "
            "while tables grew",
            f"Memory             {one.mb_per_million_stockpoints:,.0f} MB per million stockpoints, "
            f"{one.mb_per_million_orders:,.0f} MB per million orders that are kept",
            f"Recovery           {one.recovery_s_per_million_events:.1f} s per million events; "
            f"an order adds {one.ledger_bytes_per_order:,.0f} bytes to the ledger",
        ]
        if self.load is not None:
            lines += ["", *_peak_text(self.load)]
        if not self.compiled:
            lines += ["", "Kernels ran as plain Python: unset NUMBA_DISABLE_JIT and measure again."]
        return "\n".join(lines)


def bench_machine(
    *,
    quick: bool,
    peak: float | None,
    lines_per_order: float,
    checks_per_order: float,
    n_stockpoints: int | None,
    folder: Path,
    progress: Progress,
) -> BenchReport:
    """Measure this machine, and say what a peak takes of it.

    Raises
    ------
    InputError
        If the peak or a size is wrong, before anything is measured.
    """
    import omnistock as om

    if peak is not None:
        # Wrong numbers are told now, not after a minute.
        peak_load(_NOTHING, peak, checks_per_order=checks_per_order)
    compiled = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
    if compiled and not kernels_are_warm():
        om.warmup(progress=progress)
    figures = measure_machine(
        folder,
        n_stockpoints=n_stockpoints or (_QUICK_STOCKPOINTS if quick else _STOCKPOINTS),
        n_nodes=_NODES,
        lines_per_order=lines_per_order,
        seconds=_QUICK_SECONDS if quick else _SECONDS,
        progress=progress,
    )
    load = None
    if peak is not None:
        load = peak_load(figures, peak, checks_per_order=checks_per_order)
    return BenchReport(figures, load, compiled)


_NOTHING = MachineFigures(1, 1, *([1.0] * 14))


def _rate(per_second: float) -> str:
    """Two digits that count, with thousands separated: 348,123 is 350,000."""
    if per_second <= 0:
        return "0"
    digits = len(str(int(per_second)))
    return f"{round(per_second, 2 - digits):,.0f}"


def _peak_text(load: PeakLoad) -> list[str]:
    return [
        f"A peak of {load.orders_per_s:,.0f} orders/s with {load.checks_per_order:g} "
        "questions per order:",
        f"  in arrays          {_share(load.share, load.machines)}",
        f"  as Python objects  {_share(load.share_objects, load.machines_objects)}",
    ]


def _share(share: float, machines: int) -> str:
    busy = f"keeps one engine on this machine busy {share:.1%} of the time"
    if share > 1:
        busy = f"is {share:.1f} times what one engine on this machine can do"
    if machines == 1:
        return f"{busy}; one is enough"
    return f"{busy}; plan {machines:,} such machines, stock split between them"
