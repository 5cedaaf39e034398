"""The demonstration: a retailer from sales to kept promises, in one folder."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from omnistock.errors import InputError
from omnistock.planning import Plan, load_engine, plan
from omnistock.simulation.orders import order_stream
from omnistock.simulation.replay import replay
from omnistock.simulation.retailer import make_retailer
from omnistock.simulation.summary import ReplaySummary

__all__ = ["DemoResult", "run_demo"]

Progress = Callable[[int, int, str], None]

STORE_NAME = "shop.db"
_SIDE_FILES = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True)
class DemoResult:
    """What the demonstration made.

    Attributes
    ----------
    folder : Path
        Holds ``tables/``, ``plan/``, ``shop.db`` and ``report.html``.
    plan : Plan
    summary : ReplaySummary
    seconds : dict of str to float
        Wall time of each step.
    """

    folder: Path
    plan: Plan
    summary: ReplaySummary
    seconds: dict[str, float]

    def text(self, width: int = 88) -> str:
        """Return the summary as a table for a terminal of ``width`` columns."""
        from rich.console import Console

        out = io.StringIO()
        console = Console(file=out, width=width, force_terminal=False)
        console.print(_fill_table(self.summary))
        for line in _sentences(self):
            console.print(line, highlight=False, soft_wrap=True)
        return out.getvalue().rstrip()


def run_demo(
    folder: str | Path,
    *,
    seed: int = 1,
    n_skus: int = 1000,
    days: int = 548,
    progress: Progress | None = None,
) -> DemoResult:
    """Generate a retailer, plan, open the engine on the plan, replay two days, report.

    Parameters
    ----------
    folder : path
        Where everything is written. What an earlier demonstration left there is replaced.
    seed, n_skus, days : int
        The retailer, as :func:`omnistock.simulation.make_retailer` describes it.
    progress : callable, optional
        Called with (done, total, phase).

    Returns
    -------
    DemoResult

    Raises
    ------
    InputError
        If ``folder`` is a file, or holds files that no demonstration made.
    """
    folder = Path(folder)
    _check_folder(folder)
    seconds: dict[str, float] = {}
    with _warming_up() as ready:
        with _timed(seconds, "generate"):
            retailer = make_retailer(seed, n_skus=n_skus, days=days, progress=progress)
            tables = retailer.write(folder / "tables")
        with _timed(seconds, "plan"):
            planned = plan(tables, progress=progress)
            planned.write(folder / "plan")
        with _timed(seconds, "compile"):
            _tell(progress, "waiting for the engine's kernels to compile, once")
            ready()
    with _timed(seconds, "open"):
        _tell(progress, "opening the engine on the plan")
        for ending in _SIDE_FILES:
            (folder / f"{STORE_NAME}{ending}").unlink(missing_ok=True)
        engine = load_engine(planned, folder / STORE_NAME).engine
    try:
        with _timed(seconds, "replay"):
            events = order_stream(retailer, seed)
            stock = planned.opening.stock
            summary = replay(engine, events, stock=stock, progress=progress)
        with _timed(seconds, "report"):
            from omnistock.reports import write_report

            _tell(progress, "writing the report")
            write_report(folder / "report.html", planned, replay=summary, engine=engine)
    finally:
        engine.close()
    return DemoResult(folder, planned, summary, seconds)


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; give a folder")
    known = {"tables", "plan", "report.html", f"{STORE_NAME}.lock"}
    known |= {f"{STORE_NAME}{ending}" for ending in _SIDE_FILES}
    strange = sorted(one.name for one in folder.iterdir()) if folder.exists() else []
    strange = [name for name in strange if name not in known]
    if strange:
        raise InputError(
            f"{folder} holds {strange[0]!r}, which no demonstration made; give an empty folder"
        )


@contextmanager
def _warming_up() -> Iterator[Callable[[], object]]:
    """Compile the engine's kernels in a second process meanwhile; yield how to wait for it.

    On a fresh machine compiling takes longer than all else; with kernels in the cache the
    second process is done within a second or two. Should it fail, the engine compiles later.
    """
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        yield lambda: None
        return
    command = [sys.executable, "-c", "import omnistock; omnistock.warmup()"]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process.wait
        finally:
            process.kill()


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - started


def _tell(progress: Progress | None, phase: str) -> None:
    if progress is not None:
        progress(0, 1, phase)


def _fill_table(summary: ReplaySummary) -> object:
    from rich.table import Table

    table = Table(title="Two days of orders, replayed through the engine")
    table.add_column("channel or node")
    for heading in ("lines", "filled", "fill rate", "units", "filled"):
        table.add_column(heading, justify="right")
    groups = (summary.by_channel, summary.by_node)
    for position, group in enumerate(groups):
        for name, fill in group.items():
            table.add_row(
                name,
                f"{fill.lines:,}",
                f"{fill.lines_filled:,}",
                f"{fill.fill_rate:.1%}",
                f"{fill.units:,.0f}",
                f"{fill.units_filled:,.0f}",
            )
        if position == 0:
            table.add_section()
    return table


def _sentences(result: DemoResult) -> Iterator[str]:
    one = result.summary
    yield (
        f"{one.orders:,} orders online: {one.accepted:,} accepted, "
        f"{one.partly_accepted:,} in part, {one.refused:,} refused; "
        f"{one.walk_ins:,} sales over the counter: {one.walk_ins_partly:,} in part, "
        f"{one.walk_ins_refused:,} refused."
    )
    yield (
        f"{one.paid:,} paid, {one.paid_too_late:,} too late, {one.cancelled:,} cancelled, "
        f"{one.expired:,} expired, {one.shipments:,} shipments, {one.returns:,} returns, "
        f"{one.receipts:,} receipts."
    )
    if one.refusals:
        reasons = ", ".join(f"{name} {count:,}" for name, count in one.refusals.items())
        yield f"Refused lines by what stood in the way: {reasons}."
    yield (
        f"{one.orders_per_second:,.0f} orders/s durable; check {one.check_p50_us:,.0f} us, "
        f"reserve {one.reserve_p50_us:,.0f} us (median; 99 %: {one.reserve_p99_us:,.0f} us)."
    )
    yield (
        f"Oversold units {one.oversold_units}, differences to independent books "
        f"{one.stock_differences}, check and reserve apart {one.check_differences}, "
        f"verify differences {one.verify_differences}."
    )
    yield (
        "Seconds: " + ", ".join(f"{step} {time:.1f}" for step, time in result.seconds.items()) + "."
    )
    yield f"Written: {result.folder}/plan/*.parquet, {result.folder}/report.html"
