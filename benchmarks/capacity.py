"""How the engine's speed changes with its size and with the orders: a table and a page.

    python -m benchmarks.capacity [--quick] [--folder PATH] [--out PATH]

Each curve changes one thing and leaves the rest: 1,000,000 stockpoints, 5 nodes per SKU,
orders of 1 to 4 lines, 1,000 orders at a time, random SKUs. Every point is measured in a
process of its own, with its ledger in ``--folder``. Writes ``capacity.parquet`` and
``capacity.html``, one page that needs no network, into ``--out``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.capacity_page import page
from benchmarks.engine_measuring import machine


@dataclass(frozen=True)
class Point:
    """One size of engine and one kind of orders."""

    sweep: str
    n_stockpoints: int = 1_000_000
    n_nodes: int = 5
    most_lines: int = 4
    batch: int = 1000
    hot_share: float = 0.0

    @property
    def value(self) -> float:
        """What the sweep changes."""
        return float({**asdict(self), "lines": (self.most_lines + 1) / 2}[self.sweep])


SWEEPS: dict[str, list[dict[str, Any]]] = {
    "n_stockpoints": [{"n_stockpoints": n} for n in (10_000, 100_000, 1_000_000, 10_000_000)],
    "n_nodes": [{"n_nodes": n} for n in (1, 5, 20, 100, 500)],
    "lines": [{"most_lines": n} for n in (1, 3, 7, 15, 31)],
    "batch": [{"batch": n} for n in (1, 10, 100, 1000, 8192)],
    "hot_share": [{"hot_share": share} for share in (0.0, 0.1, 0.5, 0.9, 1.0)],
}


def points(quick: bool) -> list[Point]:
    """Return all points; quick ones are a tenth as large."""
    found = [
        replace(Point(sweep), **changed) for sweep, all_of in SWEEPS.items() for changed in all_of
    ]
    if quick:
        found = [replace(point, n_stockpoints=point.n_stockpoints // 10) for point in found]
    return found


def measure(point: Point, folder: str, seconds: float) -> dict[str, Any]:
    """Measure one point in this process."""
    from omnistock.availability import layout
    from omnistock.engine import open as open_engine
    from omnistock.engine import warmup
    from omnistock.simulation.stocked import stocked_engine

    warmup()
    with tempfile.TemporaryDirectory(prefix=".omnistock-bench-", dir=folder) as made:
        store = Path(made) / "bench.db"
        before = _resident_bytes()
        # Enough that no SKU is sold out, even if all want the same one.
        stocked = stocked_engine(
            store, point.n_stockpoints, n_nodes=point.n_nodes, units=200_000_000
        )
        state = stocked.engine._writer.state
        # Room for lists of stockpoints that nobody has written to takes no memory.
        empty = 8 * int(state.stock[layout.ROOM_RUNS] - state.stock[layout.N_RUNS])
        found: dict[str, Any] = {
            **asdict(point),
            "value": point.value,
            "memory_mb": (_resident_bytes() - before) / 1e6,
            "arrays_mb": (state.records.nbytes + state.stock.nbytes - empty) / 1e6,
        }
        del state
        found["checks_per_s"] = _checks(stocked, point, seconds)
        for name, named in (("named", True), ("any", False)):
            taken, cpu = _orders(stocked, point, named, seconds)
            found[f"orders_per_s_{name}"] = point.batch / float(np.median(taken))
            found[f"cpu_us_per_order_{name}"] = cpu * 1e6
        stocked.engine.close()
        del stocked
        if point.sweep == "n_stockpoints":
            started = time.perf_counter()
            open_engine(store).close()
            found["recovery_s"] = time.perf_counter() - started
    return found


def _orders(stocked: Any, point: Point, named: bool, seconds: float) -> tuple[list[float], float]:
    """Return the seconds of each batch, and CPU seconds per order."""
    rng = np.random.default_rng((1, named))
    # The first call prepares tables for all SKUs.
    first = stocked.orders(rng, 1, named=named)
    stocked.engine.reserve_arrays(**first)
    taken: list[float] = []
    cpu = 0.0
    while sum(taken) < seconds or len(taken) < 5:
        orders = stocked.orders(
            rng, point.batch, most_lines=point.most_lines, named=named, hot_share=point.hot_share
        )
        started, busy = time.perf_counter(), time.process_time()
        answer = stocked.engine.reserve_arrays(**orders)
        taken.append(time.perf_counter() - started)
        cpu += time.process_time() - busy
        assert answer.ok.all()
    return taken, cpu / (point.batch * len(taken))


def _checks(stocked: Any, point: Point, seconds: float) -> float:
    """Questions of random SKUs at named nodes, in arrays, per CPU second; the best round."""
    from omnistock.engine.reads import available_many

    n = 200_000
    rng = np.random.default_rng(2)
    skus = rng.integers(0, stocked.n_skus, n)
    nodes = rng.integers(0, stocked.n_nodes, n)
    hot = rng.random(n) < point.hot_share
    skus[hot] = nodes[hot] = 0
    state, askers = stocked.engine._writer.state, np.zeros(n, np.int64)
    rounds: list[float] = []
    while sum(rounds) < seconds / 2 or len(rounds) < 3:
        started = time.thread_time()
        available_many(state, skus, askers, nodes)
        rounds.append(time.thread_time() - started)
    return n / min(rounds)


def _resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def in_own_process(point: Point, folder: str, seconds: float) -> dict[str, Any]:
    """Measure a point in a process that gives back its memory."""
    terms = json.dumps({"point": asdict(point), "folder": folder, "seconds": seconds})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.capacity", "--measure", terms],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure all points; write the table and the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth as large, shorter runs")
    parser.add_argument("--folder", default=".", help="where ledgers are written")
    parser.add_argument("--out", default="capacity", help="folder of the table and the page")
    parser.add_argument("--most-stockpoints", type=int, default=10_000_000)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        terms = json.loads(arguments.measure)
        found = measure(Point(**terms["point"]), terms["folder"], terms["seconds"])
        print(json.dumps(found))
        return
    about = machine()
    print(about)
    rows = []
    for point in points(arguments.quick):
        if point.n_stockpoints > arguments.most_stockpoints:
            continue
        found = in_own_process(point, arguments.folder, 1.0 if arguments.quick else 3.0)
        rows.append(found)
        print(
            f"{point.sweep:14} {point.value:>12,.10g}: "
            f"{found['orders_per_s_named']:>9,.0f} orders/s, "
            f"{found['orders_per_s_any']:>9,.0f} at any node, "
            f"{found['checks_per_s']:>12,.0f} checks/s, {found['memory_mb']:>7,.0f} MB",
            flush=True,
        )
    write(rows, Path(arguments.out), about)


def write(rows: list[dict[str, Any]], folder: Path, about: str) -> None:
    """Write the table as Parquet and the page."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "capacity.parquet")
    (folder / "capacity.html").write_text(page(rows, about), "utf-8")
    print(f"wrote {folder / 'capacity.parquet'} and {folder / 'capacity.html'}")


if __name__ == "__main__":
    main()
